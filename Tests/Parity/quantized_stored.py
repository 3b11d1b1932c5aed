"""What a format makes of one matrix, and what all formats have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

FLOATS = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}


@dataclass
class Stored:
    tensors: dict[str, torch.Tensor]  # by what follows the module's name and a dot
    exact: torch.Tensor  # float32 [out, in]
    order: torch.Tensor | None = None  # of the inputs, where a group is not of neighbours


@dataclass
class Plan:
    """Which modules of a checkpoint are quantized; some have options apart from the others'."""
    options: dict
    quantized: list[str]
    skipped: list[str]
    patterns: list[str] = field(default_factory=list)  # regular expressions of the skipped ones
    apart: dict[str, dict] = field(default_factory=dict)

    def of(self, module: str) -> dict:
        return self.apart.get(module, self.options)


@dataclass
class Format:
    # A matrix [out, in], options, and what draws for it.
    store: Callable[[torch.Tensor, dict, torch.Generator], Stored]
    # What stands in config.json under `key`.
    config: Callable[[Plan], dict]
    # What is drawn of each option.
    options: dict[str, list]
    # Inputs and outputs are multiples of these.
    inputs: Callable[[dict], int] = lambda options: 1
    outputs: Callable[[dict], int] = lambda options: 1
    # What the options say apart from each other is made to agree.
    settle: Callable[[dict], dict] = lambda options: options
    # What one module may have instead.
    apart: dict[str, list] = field(default_factory=dict)
    # Without an exact form of integers: inputs and weights are rounded to bfloat16.
    widened: bool = False
    key: str = "quantization_config"
    # The same, or more, in a file beside it.
    files: Callable[[Plan], dict[str, dict]] = lambda plan: {}
    # What stands in the header of the file of tensors, of the exact ones by their names.
    header: Callable[[dict, Plan], dict[str, str]] = lambda exact, plan: {}
    # Whether the head, and the table of embeddings, are quantized too.
    head: Callable[[dict], bool] = lambda options: False
    tables: bool = False
    # Whether the experts of a layer are one tensor, under names of its own; and whether files of such models are known.
    stacked: bool = False
    experts: bool = True


def group_size(options: dict) -> int:
    return max(options.get("group_size") or 1, 1)
