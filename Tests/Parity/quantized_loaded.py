"""Whole checkpoints of `quantized_checkpoints.py` as transformers reads them: names, what is left as it is, modules with options
of their own. Every parameter must be the float reference's.

    python Tests/Parity/quantized_loaded.py [--count 10] [--seed S]    formats that transformers loads on a CPU
    python Tests/Parity/quantized_loaded.py --only nvfp4:SEED          one again, as named in a failure
"""

import random
import sys
import tempfile
from pathlib import Path

import bitsandbytes
import torch
import transformers

from apus_command import parsed, script
from quantized_check import dequantized
from quantized_checkpoints import Case, draw, write
from quantized_formats import FORMATS

COMPRESSED = ("pack_quantized", "int_quantized", "float_quantized", "nvfp4", "mxfp4", "mixed_precision")
LOADED = COMPRESSED + ("bnb_int8", "bnb_4bit", "fp8", "torchao")
# Some are rounded to bfloat16 on the way.
ALLOWED = 2.0**-7


def unknown(case: Case) -> bool:
    """What transformers 5.24 does not load, though such files exist or did."""
    own = case.options
    return (case.has_experts and case.format not in ("float_quantized", "mxfp4")  # it joins experts, and not their parts
            or own.get("actorder") == "group" or own.get("no_g_idx", False) or own.get("whole_words", False)
            or own.get("strategy") == "channel" and case.format == "pack_quantized"  # guesses the width from the words
            or own.get("block") is not None  # divides a matrix into equal blocks
            or own.get("strategy") == "block" and case.has_experts
            or case.apart is not None)  # takes all modules for those of one group


def fault(case: Case, folder: Path) -> str | None:
    written = write(case, folder)
    load = transformers.AutoModelForCausalLM.from_pretrained
    options = {}
    if case.format in COMPRESSED:
        options["quantization_config"] = transformers.CompressedTensorsConfig(dequantize=True)
    if case.format in ("bnb_int8", "bnb_4bit", "torchao"):
        options["device_map"] = {"": "cpu"}
    theirs = load(written.quantized, dtype=torch.float32, **options)
    if case.format.startswith("bnb"):
        # Its kernel for CPUs is wrong where blocks do not divide rows (0.50).
        bitsandbytes.functional.dequantize_4bit = lambda packed, state: dequantized(packed, state).to(state.dtype)
        theirs = theirs.dequantize()
    right = dict(load(written.floats, dtype=torch.float32).named_parameters())
    for name, parameter in theirs.named_parameters():
        if case.format == "torchao" and type(parameter) is not torch.nn.Parameter:
            parameter = parameter.dequantize()
        if name not in right or parameter.shape != right[name].shape:
            return f"{name} is not in the reference, or has another shape"
        off = (parameter.float() - right[name]).abs().max().item() / right[name].abs().max().item()
        if not off <= ALLOWED:
            return f"{name} is off by {off:.2g} of its largest"
    return None


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=10, help="of each format")
    parser.add_argument("--only", metavar="FORMAT:SEED")
    arguments, seed = parsed(parser)
    rng = random.Random(seed)
    cases = [(name, rng.randrange(1 << 31)) for name in LOADED for _ in range(arguments.count)]
    if arguments.only:
        name, own = arguments.only.split(":")
        cases = [(name, int(own))]
    print(f"seed {seed}, {len(cases)} checkpoints", flush=True)
    loaded, failed = dict.fromkeys(FORMATS, 0), 0
    for name, own in cases:
        case = draw(name, own)
        if unknown(case) and not arguments.only:
            continue
        with tempfile.TemporaryDirectory(prefix="apus-loaded-") as folder:
            try:
                found = fault(case, Path(folder))
            except (RuntimeError, ValueError, ImportError) as error:
                found = str(error)[:300]
        loaded[name] += not found
        if found:
            failed += 1
            print(f"FAIL --only {name}:{own} [{case.describe()}] {found}", flush=True)
    print(f"transformers {transformers.__version__} reads the same: "
          + ", ".join(f"{name} × {count}" for name, count in loaded.items() if count) + f" (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
