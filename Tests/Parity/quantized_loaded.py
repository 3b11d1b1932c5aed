"""Whole checkpoints of `quantized_checkpoints.py` as other programs read them: names, what is left as it is, modules with options of
their own. What is not installed is left out.

    python Tests/Parity/quantized_loaded.py [--count 10] [--seed S]
    python Tests/Parity/quantized_loaded.py --only nvfp4:SEED          one again, as named in a failure

transformers must have every parameter of the float reference, GPTQModel every tensor, mlx-lm the same logits.
"""

import random
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file

from apus_command import parsed, script
from quantized_checkpoints import Case, Written, draw, write
from quantized_formats import FORMATS

COMPRESSED = ("pack_quantized", "int_quantized", "float_quantized", "nvfp4", "mxfp4", "mixed_precision")
# What reads a format, and the packages that it takes.
READERS = dict.fromkeys(COMPRESSED, "compressed_tensors") | {
    "bnb_int8": "bitsandbytes", "bnb_4bit": "bitsandbytes", "fp8": "accelerate", "torchao": "torchao", "gptq": "gptqmodel",
    "mlx": "mlx_lm", "mlx_floats": "mlx_lm"}
# transformers and MLX round some to bfloat16 on the way.
ALLOWED = 2.0**-7


def unknown(case: Case) -> bool:
    """What these programs do not load (transformers 5.24, GPTQModel 7.6, mlx-lm 0.32), though such files exist or did."""
    own = case.options
    if case.format == "gptq":
        # It takes all modules for the same, looks for the parts of each in one file, needs `g_idx`, keeps the padding of words,
        # and believes what a file says that it is.
        return (case.apart is not None or case.sharded or not own["g_idx"] or own["label"] == "mislabelled"
                or any(case.arguments[key] * own["bits"] % 32 for key in ("hidden_size", "intermediate_size")))
    if case.format.startswith("mlx"):
        # Others need the configurations of older versions.
        return case.family not in ("llama", "qwen3", "phi3") or case.rest != "f32"
    return (case.has_experts and case.format not in ("float_quantized", "mxfp4")  # it joins experts, and not their parts
            or own.get("actorder") == "group" or own.get("no_g_idx", False) or own.get("whole_words", False)
            or own.get("strategy") == "channel" and case.format == "pack_quantized"  # guesses the width from the words
            or own.get("block") is not None  # divides a matrix into equal blocks
            or own.get("strategy") == "block" and case.has_experts
            or case.apart is not None)  # takes all modules for those of one group


def in_transformers(case: Case, written: Written, folder: Path) -> str | None:
    load, options = transformers.AutoModelForCausalLM.from_pretrained, {}
    if case.format in COMPRESSED:
        options["quantization_config"] = transformers.CompressedTensorsConfig(dequantize=True)
    if case.format in ("bnb_int8", "bnb_4bit", "torchao"):
        options["device_map"] = {"": "cpu"}
    theirs = load(written.quantized, dtype=torch.float32, **options)
    if case.format.startswith("bnb"):
        import bitsandbytes

        from quantized_check import dequantized

        # Its kernel for CPUs is wrong where blocks do not divide rows (0.50).
        bitsandbytes.functional.dequantize_4bit = lambda packed, state: dequantized(packed, state).to(state.dtype)
        theirs = theirs.dequantize()
    right = dict(load(written.floats, dtype=torch.float32).named_parameters())
    whole = {name: parameter.dequantize() if case.format == "torchao" and type(parameter) is not torch.nn.Parameter else parameter
             for name, parameter in theirs.named_parameters()}
    return different(whole, right)


def in_gptqmodel(case: Case, written: Written, folder: Path) -> str | None:
    from gptqmodel.utils.model_dequant import dequantize_model

    dequantize_model(written.quantized, folder / "theirs", target_dtype=torch.float32, device="cpu")
    theirs = {name: tensor for file in (folder / "theirs").glob("*.safetensors") for name, tensor in load_file(file).items()}
    return different(theirs, load_file(written.floats / "model.safetensors"))


def different(theirs: dict, right: dict) -> str | None:
    for name, tensor in theirs.items():
        if name not in right or tensor.shape != right[name].shape:
            return f"{name} is not in the reference, or has another shape"
        off = (tensor.float() - right[name]).abs().max().item() / right[name].abs().max().item()
        if not off <= ALLOWED:
            return f"{name} is off by {off:.2g} of its largest"
    return None


def in_mlx(case: Case, written: Written, folder: Path) -> str | None:
    import mlx.core as mx
    import numpy
    from mlx_lm.utils import load_model

    mx.set_default_device(mx.cpu)
    ids = [token % case.vocab_size for token in range(3, 200, 17)]
    model, _ = load_model(written.quantized)
    theirs = torch.from_numpy(numpy.array(model(mx.array([ids])).astype(mx.float32)))
    with torch.no_grad():
        right = transformers.AutoModelForCausalLM.from_pretrained(written.floats, dtype=torch.float32)(torch.tensor([ids])).logits
    # It computes in the type of the scales.
    off = ((theirs - right).square().mean().sqrt() / right.std()).item()
    return None if off <= 4 * ALLOWED else f"logits are off by {off:.2g} of their spread"


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=10, help="of each format")
    parser.add_argument("--only", metavar="FORMAT:SEED")
    arguments, seed = parsed(parser)
    rng = random.Random(seed)
    cases = [(name, rng.randrange(1 << 31)) for name in READERS for _ in range(arguments.count)]
    if arguments.only:
        name, own = arguments.only.split(":")
        cases = [(name, int(own))]
    print(f"seed {seed}, {len(cases)} checkpoints", flush=True)
    loaded, failed = dict.fromkeys(FORMATS, 0), 0
    for name, own in cases:
        case = draw(name, own)
        if not find_spec(READERS[name]) or unknown(case) and not arguments.only:
            continue
        reader = {"gptqmodel": in_gptqmodel, "mlx_lm": in_mlx}.get(READERS[name], in_transformers)
        with tempfile.TemporaryDirectory(prefix="apus-loaded-") as folder:
            try:
                found = reader(case, write(case, Path(folder)), Path(folder))
            except (RuntimeError, ValueError, KeyError, ImportError) as error:
                found = str(error)[:300]
        loaded[name] += not found
        if found:
            failed += 1
            print(f"FAIL --only {name}:{own} [{case.describe()}] {found}", flush=True)
    print("read the same: " + ", ".join(f"{name} × {count} ({READERS[name]})" for name, count in loaded.items() if count)
          + f" (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
