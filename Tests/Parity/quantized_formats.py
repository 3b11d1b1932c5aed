"""Every format of quantized checkpoints that others write and Apus loads: a matrix of floats becomes the tensors that the format
stores, the exact matrix that these stand for, and what config.json says.

    python Tests/Parity/quantized_formats.py --check [--count 20] [--seed S]    against the libraries that are installed
    python Tests/Parity/quantized_formats.py --check --only awq:SEED            one matrix again, as named in a failure

GPTQModel, AutoRound, ModelOpt and compressed-tensors want other versions of the same packages: each in an environment of its
own, of which `--check` takes what it finds. What is installed nowhere is not checked, and named.
"""

import random
import sys

import torch

import quantized_floats as floats
import quantized_integers as integers
from quantized_stored import Format, Stored

FORMATS: dict[str, Format] = {
    "gptq": integers.GPTQ,
    "awq": integers.AWQ,
    "auto_round": integers.AUTO_ROUND,
    "pack_quantized": integers.PACK_QUANTIZED,
    "int_quantized": integers.INT_QUANTIZED,
    "float_quantized": floats.FLOAT_QUANTIZED,
    "nvfp4": floats.NVFP4,
    "mxfp4": floats.MXFP4,
    "mixed_precision": floats.MIXED,
    "bnb_int8": integers.BITSANDBYTES_INT8,
    "bnb_4bit": floats.BITSANDBYTES_FOUR,
    "fp8": floats.FP8,
    "fbgemm_fp8": floats.FBGEMM,
    "modelopt": floats.MODELOPT,
    "torchao": floats.TORCHAO,
    "mlx": integers.MLX,
    "mlx_floats": floats.MLX_FLOATS,
}


def draw_options(format: Format, rng: random.Random) -> dict:
    return format.settle({name: rng.choice(values) for name, values in format.options.items()})


def draw_apart(format: Format, options: dict, rng: random.Random) -> dict:
    """The options of a module that has others."""
    return format.settle(options | {name: rng.choice(values) for name, values in format.apart.items()})


def draw_matrix(format: Format, options: dict, rng: random.Random, generator: torch.Generator) -> torch.Tensor:
    """Of any shape that the format takes, now and then with a row of nothing."""
    inputs, outputs = format.inputs(options), format.outputs(options)
    shape = outputs * rng.randint(1, max(1, 90 // outputs)), inputs * rng.randint(1, max(2, 400 // inputs))
    weight = torch.randn(shape, generator=generator) * 10 ** rng.uniform(-3, 1)
    if shape[0] > 1 and rng.random() < 0.2:
        weight[rng.randrange(shape[0])] = 0
    return weight


def store(format: Format, weight: torch.Tensor, options: dict, generator: torch.Generator) -> Stored:
    stored = format.store(weight, options, generator)
    stored.tensors = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in stored.tensors.items()}
    return stored


def main() -> int:
    from apus_command import parsed, script
    from quantized_check import check

    parser = script(__doc__)
    parser.add_argument("--check", action="store_true", required=True)
    parser.add_argument("--count", type=int, default=20, help="matrices of each format")
    parser.add_argument("--only", metavar="FORMAT:SEED")
    arguments, seed = parsed(parser)
    rng = random.Random(seed)
    cases = [(name, rng.randrange(1 << 31)) for name in FORMATS for _ in range(arguments.count)]
    if arguments.only:
        name, own = arguments.only.split(":")
        cases = [(name, int(own))]
    print(f"seed {seed}, {len(cases)} matrices", flush=True)
    return check(cases)


if __name__ == "__main__":
    sys.exit(main())
