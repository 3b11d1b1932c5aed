"""Checkpoints of integers of every family: what `apus quantize` makes of one, read back as floats for transformers, whose
products then round their inputs as Apus does."""

import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers.models.falcon.modeling_falcon import FalconLinear
from transformers.pytorch_utils import Conv1D

from models_integers import integers, rotated
from models_reference import Reference

# Small matrices that decide much are never rounded.
EXACT = (".gate.weight", "router", "shared_expert_gate")


def widened(original: Path, quantized: Path, target: Path) -> Path:
    """A checkpoint with the original's names and shapes and the integers' values."""
    target.mkdir()
    for path in original.iterdir():
        if path.suffix != ".safetensors":
            shutil.copy(path, target)
    (file,) = original.glob("*.safetensors")
    before, stored = load_file(file), load_file(next(quantized.glob("*.safetensors")))
    config = json.loads((original / "config.json").read_text())
    after = {}
    for name, tensor in before.items():
        # A tensor that is its module's own has its integers below it.
        place = name if name.endswith(".weight") else name + ".weight"
        if place + "_scale" not in stored:
            after[name] = tensor
            continue
        # The only ones whose matrices lie with their inputs first.
        transposed = (config["model_type"] == "gpt2" and "lm_head" not in name
                      or config["model_type"] == "gpt_oss" and tensor.dim() == 3)
        shape = tensor.mT.shape if transposed else tensor.shape
        values, scales = integers(stored, place, shape[-1])
        floats = rotated(values * scales[:, None]).reshape(shape)
        after[name] = (floats.mT if transposed else floats).to(torch.float32).contiguous()
    for name in stored:
        if name.endswith("_scale") and name.removesuffix("_scale") not in before and "head" in name:
            head = name.removesuffix("_scale")
            values, scales = integers(stored, head, 0)
            after[head] = rotated(values * scales[:, None]).contiguous()
            for part in (config, config.get("text_config", {})):
                part["tie_word_embeddings"] = False
    save_file({name: tensor.float().contiguous() for name, tensor in after.items()}, target / "model.safetensors",
              {"format": "pt"})
    config["dtype"] = "float32"
    (target / "config.json").write_text(json.dumps(config))
    return target


def rounded(x: torch.Tensor) -> torch.Tensor:
    x = rotated(x)
    step = x.abs().amax(-1, keepdim=True) / 127
    return rotated(torch.where(step > 0, (x / step).round() * step, x))


class RoundingReference(Reference):
    """The inputs of products rotated, and rounded to 8 bits with a scale for each token."""

    @contextmanager
    def rounding(self):
        linear, conv, falcon = torch.nn.functional.linear, Conv1D.forward, FalconLinear.forward
        exact = {weight.data_ptr() for name, weight in self.model.named_parameters() if any(p in name for p in EXACT)}
        torch.nn.functional.linear = lambda x, weight, bias=None: linear(
            x if weight.data_ptr() in exact else rounded(x), weight, bias)
        Conv1D.forward = lambda self, x: conv(self, rounded(x))
        FalconLinear.forward = lambda self, x: falcon(self, rounded(x))
        try:
            yield
        finally:
            torch.nn.functional.linear, Conv1D.forward, FalconLinear.forward = linear, conv, falcon

    def follow(self, prompt, tokens):
        with self.rounding():
            return super().follow(prompt, tokens)
