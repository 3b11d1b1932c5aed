"""The float model of a quantized checkpoint, as transformers computes it with the inputs of quantized products rounded as Apus
rounds them."""

import re
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

from models_reference import Reference

# Consecutive inputs of a product that share a scale: as many where groups are shorter than twice that.
INPUTS = 32
EXPERT = re.compile(r"(.*)\.(?:mlp|block_sparse_moe)\.experts\.(\d+)\.(\w+)$")
# Where the matrices of an expert lie in transformers' tensors of all of them: first or second part of the rows.
PARTS = {"gate_proj": ("gate_up_proj", 0), "up_proj": ("gate_up_proj", 1), "down_proj": ("down_proj", 0),
         "w1": ("gate_up_proj", 0), "w3": ("gate_up_proj", 1), "w2": ("down_proj", 0)}


class Reading(NamedTuple):
    """How a product reads its inputs: in which order, and how many share a scale."""
    order: torch.Tensor | None = None
    inputs: int = INPUTS


def reading(order: torch.Tensor | None, options: dict) -> Reading:
    """That of a format with groups of a size, or with a scale for each row."""
    grouped = options.get("strategy", "group") in ("group", "tensor_group") and (options.get("group_size") or -1) > 0
    return Reading(order, INPUTS if grouped and options["group_size"] < 2 * INPUTS else 2 * INPUTS)


def to_integers(x: torch.Tensor, order: torch.Tensor | None = None, inputs: int = INPUTS) -> torch.Tensor:
    """Each 32 or 64 inputs in the order in which the product reads them, to 8 bits with a scale of their own; halves to even."""
    read = x if order is None else x[..., order]
    groups = torch.nn.functional.pad(read, (0, -x.shape[-1] % inputs)).unflatten(-1, (-1, inputs))
    scales = groups.abs().amax(-1, keepdim=True) / 127
    rounded = torch.where(scales > 0, (groups / scales).round() * scales, groups).flatten(-2)[..., : x.shape[-1]]
    return rounded if order is None else rounded[..., order.argsort()]


def to_bfloat16(x: torch.Tensor, order=None, inputs=None) -> torch.Tensor:
    return x.bfloat16().float()


class QuantizedReference(Reference):
    def __init__(self, folder: Path, orders: dict[str, Reading], widened: bool, attention: str = "eager"):
        super().__init__(folder, torch.float32, attention)
        self.orders = orders
        self.rounds = to_bfloat16 if widened else to_integers
        # By where a matrix begins, how the parts of its rows are read.
        self.parts: dict[int, list] = {}
        for name, order in orders.items():
            matrix, part, parts = self.matrix(name)
            if widened:
                rows = matrix.shape[0] // parts
                own = matrix.data[part * rows: (part + 1) * rows]
                own.copy_(to_bfloat16(own))
            self.parts.setdefault(matrix.data_ptr(), [None] * parts)[part] = order
        missing = [name for name in orders if None in self.parts[self.matrix(name)[0].data_ptr()]]
        if missing:
            raise ValueError(f"only a part of what {missing[0]} belongs to is quantized")

    def matrix(self, name: str) -> tuple[torch.Tensor, int, int]:
        """A module's matrix in the model, which part of it, and of how many."""
        found = EXPERT.match(name)
        if found:
            own, part = PARTS[found[3]]
            experts = self.model.get_submodule(f"{found[1]}.mlp.experts")
            return getattr(experts, own)[int(found[2])], part, 2 if own == "gate_up_proj" else 1
        if name == "embed_out":
            return self.model.get_output_embeddings().weight, 0, 1
        return self.model.get_submodule(name).weight, 0, 1

    @contextmanager
    def rounding(self):
        linear = torch.nn.functional.linear

        def rounded(x, weight, bias=None):
            parts = self.parts.get(weight.data_ptr())
            if parts is None:
                return linear(x, weight, bias)
            if len(parts) == 1:
                return linear(self.rounds(x, *parts[0]), weight, bias)
            rows = [linear(self.rounds(x, *part), own) for part, own in zip(parts, weight.chunk(len(parts)))]
            return torch.cat(rows, -1)

        torch.nn.functional.linear = rounded
        try:
            yield
        finally:
            torch.nn.functional.linear = linear

    def generate(self, prompt, count):
        with self.rounding():
            return super().generate(prompt, count)

    def follow(self, prompt, tokens):
        with self.rounding():
            return super().follow(prompt, tokens)
