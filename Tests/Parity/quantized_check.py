"""What the libraries that write and read each format make of the same tensors: nothing may differ.

A library that rounds to the type of its scales is given the same scales in float32, where that is what it would multiply; where it
gives bfloat16 all the same, the exact matrix is rounded once.
"""

import os
import random
from collections import Counter
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import torch

from quantized_stored import Plan, Stored

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
# Not all that a library's packages name has to be installed for it.
MISSING = (ImportError, PackageNotFoundError)


def gptqmodel_gptq(stored: Stored, options: dict) -> torch.Tensor:
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.utils.model import convert_gptq_v1_to_v2_format_module

    out, inputs = stored.exact.shape
    layer = TorchLinear(
        bits=options["bits"], group_size=options["group_size"], sym=options["sym"], desc_act=options["desc_act"],
        in_features=inputs, out_features=out, bias=False, pack_dtype=torch.int32, register_buffers=True)
    for name, tensor in stored.tensors.items():
        assert getattr(layer, name).shape == tensor.shape, (name, getattr(layer, name).shape, tensor.shape)
        setattr(layer, name, tensor.clone())
    layer.scales = layer.scales.float()
    layer.post_init()
    # The mislabelled files have the zeros of the second version.
    if options["zeros"] == "v1":
        convert_gptq_v1_to_v2_format_module(layer, options["bits"], torch.int32)
    return layer.dequantize_weight().T


def gptqmodel_awq(stored: Stored, options: dict) -> torch.Tensor:
    from gptqmodel.quantization.awq.utils.packing_utils import dequantize_gemm

    own, size = stored.tensors, options["group_size"]
    return dequantize_gemm(own["qweight"], own["qzeros"], own["scales"].float(), 4,
                           stored.exact.shape[1] if size == -1 else size).T


def autoawq(stored: Stored, options: dict) -> torch.Tensor:
    from awq.utils.packing_utils import dequantize_gemm

    own, size = stored.tensors, options["group_size"]
    return dequantize_gemm(own["qweight"], own["qzeros"], own["scales"].float(), 4,
                           stored.exact.shape[1] if size == -1 else size).T


def auto_round(stored: Stored, options: dict) -> torch.Tensor:
    if "awq" in options["packing"]:
        return gptqmodel_awq(stored, options)
    from auto_round_extension.torch import qlinear_torch, qlinear_torch_zp

    module = qlinear_torch_zp if options["zeros"] == "v1" else qlinear_torch
    out, inputs = stored.exact.shape
    layer = module.QuantLinear(options["bits"], options["group_size"], inputs, out, bias=False)
    for name, tensor in stored.tensors.items():
        assert getattr(layer, name).shape == tensor.shape, name
        setattr(layer, name, tensor.float() if name == "scales" else tensor)
    return layer(torch.eye(inputs)).T


def compressed(stored: Stored, options: dict) -> torch.Tensor:
    from compressed_tensors.compressors.format import infer_module_format  # noqa: F401, a version that takes single modules
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationConfig

    from quantized_integers import compressed_config

    if stored.order is not None or options.get("whole_words"):
        raise ImportError("groups of any inputs, and words that cut no code, are gone from this version")
    written = compressed_config(Plan(options, ["a"], []))
    scheme = QuantizationConfig.model_validate(written).config_groups["group_0"]
    own = dict(stored.tensors)
    if own["weight_scale"].is_floating_point() and own["weight_scale"].dtype != torch.float8_e4m3fn:
        own["weight_scale"] = own["weight_scale"].float()
    compressor = BaseCompressor.get_value_from_registry(options["format"])
    return compressor.decompress(own, scheme)["weight"]


def compressed_old(stored: Stored, options: dict) -> torch.Tensor:
    """Version 0.12, which knows groups of any inputs."""
    from compressed_tensors.compressors.quantized_compressors import pack_quantized  # gone from later ones
    from compressed_tensors.quantization import QuantizationArgs

    from quantized_integers import compressed_weights

    if 32 % options["num_bits"] and not options["whole_words"] or not options["symmetric"]:
        raise ImportError("the old version packs three bits otherwise, and unpacks no zeros")
    own = stored.tensors | {"weight_scale": stored.tensors["weight_scale"].float()}
    arguments = QuantizationArgs.model_validate(compressed_weights(options) | {"observer": "minmax"})
    return pack_quantized.PackedQuantizationCompressor().decompress_weight(own, quantization_args=arguments)


def bitsandbytes_int8(stored: Stored, options: dict) -> torch.Tensor:
    import bitsandbytes  # noqa: F401

    return torch.ops.bitsandbytes.int8_vectorwise_dequant.default(stored.tensors["weight"], stored.tensors["SCB"])


def dequantized(packed: torch.Tensor, state) -> torch.Tensor:
    """Not by its kernel for CPUs, which is wrong where blocks do not divide rows (0.50)."""
    from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
    from bitsandbytes.functional import dequantize_blockwise

    largest = state.absmax
    if state.nested:
        largest = dequantize_blockwise(state.absmax, state.state2) + state.offset
    # As written: the library compiles it, and its compiler is not needed.
    compute = getattr(_dequantize_4bit_compute, "__wrapped__", _dequantize_4bit_compute)
    return compute(packed.contiguous().view(torch.uint8).reshape(-1), largest, state.code, state.blocksize, list(state.shape),
                   torch.float32)


def bitsandbytes_four(stored: Stored, options: dict) -> torch.Tensor:
    from bitsandbytes.functional import QuantState, get_4bit_type

    own = dict(stored.tensors)
    packed = own.pop("weight")
    state = QuantState.from_dict({name.removeprefix("weight."): tensor for name, tensor in own.items()}, torch.device("cpu"))
    assert tuple(state.shape) == tuple(stored.exact.shape)
    # The map that it writes itself.
    state.code = get_4bit_type(options["quant_type"], torch.device("cpu"))
    return dequantized(packed, state)


def transformers_fp8(stored: Stored, options: dict) -> torch.Tensor:
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    own, shape = stored.tensors, stored.exact.shape
    if options["block"] and any(size % block for size, block in zip(shape, options["block"])):
        return compressed_fp8(stored, options)
    return Fp8Dequantize(None)._dequantize_one(own["weight"], own["weight_scale_inv"], torch.float32)


def compressed_fp8(stored: Stored, options: dict) -> torch.Tensor:
    """Blocks that are cut at the edges."""
    from compressed_tensors.entrypoints.convert import FP8BlockDequantizer

    scales = stored.tensors["weight_scale_inv"]
    if scales.dtype == torch.uint8:
        scales = scales.view(torch.float8_e8m0fnu)
    convert = FP8BlockDequantizer(weight_block_size=tuple(options["block"]), dtype=torch.float32)
    made = convert.process({"a.weight": stored.tensors["weight"].view(torch.float8_e4m3fn),
                            "a.weight_scale_inv": scales.float()})
    return made["a.weight"]


def modelopt(stored: Stored, options: dict) -> torch.Tensor:
    from modelopt.torch.quantization.qtensor import FP8QTensor, MXFP4QTensor, MXFP8QTensor, NVFP4QTensor

    own, shape = stored.tensors, stored.exact.shape
    scale, algorithm = own["weight_scale"], options["algorithm"]
    if algorithm in ("NVFP4", "W4A16_NVFP4"):
        return NVFP4QTensor(shape, torch.float32, own["weight"]).dequantize(
            torch.float32, scale=scale, double_scale=own["weight_scale_2"], block_sizes={-1: 16})
    if algorithm == "W4A8_MXFP4_FP8":
        return MXFP4QTensor(shape, torch.float32, own["weight"]).dequantize(
            torch.float32, scale=scale, block_sizes={-1: 32}).reshape(shape)
    if algorithm == "MXFP8":
        return MXFP8QTensor(shape, torch.float32, own["weight"]).dequantize(torch.float32, scale=scale)
    sizes = None
    if algorithm == "FP8_PER_CHANNEL_PER_TOKEN":
        scale = scale[:, None]
    elif algorithm == "fp8_pb_wo":
        scale, sizes = scale[:, 0, :, 0], {-1: 128, -2: 128}
    return FP8QTensor(shape, torch.float32, own["weight"]).dequantize(torch.float32, scale=scale, block_sizes=sizes)


def torchao(stored: Stored, options: dict) -> torch.Tensor:
    from torchao.quantization import Float8Tensor
    from torchao.quantization.quantize_.workflows import Int8Tensor

    own, block = stored.tensors, [1, stored.exact.shape[1]]
    if options["class"] == "Int8WeightOnlyConfig":
        made = Int8Tensor(own["_weight_qdata"], own["_weight_scale"], block, torch.float32, own["_weight_zero_point"])
    else:
        made = Float8Tensor(own["_weight_qdata"], own["_weight_scale"], block, dtype=torch.float32)
    return made.dequantize(torch.float32)


def mlx(stored: Stored, options: dict) -> torch.Tensor:
    import mlx.core as mx
    import numpy

    def array(tensor: torch.Tensor):
        if tensor.dtype == torch.uint32:
            return mx.array(tensor.view(torch.int32).numpy().view(numpy.uint32))
        return mx.array(tensor.float().numpy()) if tensor.is_floating_point() else mx.array(tensor.numpy())

    own = {name: array(tensor) for name, tensor in stored.tensors.items()}
    made = mx.dequantize(own["weight"], own["scales"], own.get("biases"), group_size=options["group_size"],
                         bits=options["bits"], mode=options.get("mode", "affine"))
    return torch.from_numpy(numpy.array(made.astype(mx.float32), copy=True))


LIBRARIES: dict[str, list[tuple[str, Callable]]] = {
    "gptq": [("gptqmodel", gptqmodel_gptq)],
    "awq": [("gptqmodel", gptqmodel_awq), ("autoawq", autoawq)],
    "auto_round": [("auto-round", auto_round)],
    "pack_quantized": [("compressed-tensors", compressed), ("compressed-tensors", compressed_old)],
    "int_quantized": [("compressed-tensors", compressed)],
    "float_quantized": [("compressed-tensors", compressed)],
    "nvfp4": [("compressed-tensors", compressed)],
    "mxfp4": [("compressed-tensors", compressed)],
    "mixed_precision": [("compressed-tensors", compressed)],
    "bnb_int8": [("bitsandbytes", bitsandbytes_int8)],
    "bnb_4bit": [("bitsandbytes", bitsandbytes_four)],
    "fp8": [("transformers", transformers_fp8)],
    "modelopt": [("nvidia-modelopt", modelopt)],
    "torchao": [("torchao", torchao)],
    "mlx": [("mlx", mlx)],
    "mlx_floats": [("mlx", mlx)],
}


def check(cases: list[tuple[str, int]]) -> int:
    from quantized_formats import FORMATS, draw_matrix, draw_options, store

    same, absent, failed = Counter(), {}, 0
    for name, seed in cases:
        rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
        format = FORMATS[name]
        options = draw_options(format, rng)
        stored = store(format, draw_matrix(format, options, rng, generator), options, generator)
        for package, dequantize in LIBRARIES.get(name, []):
            try:
                theirs = dequantize(stored, options)
                label = f"{name} with {package} {version(package)}"
            except MISSING as error:
                absent.setdefault((name, package), str(error))
                continue
            equal = theirs.shape == stored.exact.shape and torch.equal(theirs, stored.exact.to(theirs.dtype))
            same[label] += equal
            if not equal:
                failed += 1
                off = (theirs.float() - stored.exact).abs().max().item() if theirs.shape == stored.exact.shape else None
                print(f"FAIL --only {name}:{seed} {package} {list(stored.exact.shape)} {options}: "
                      f"off by {off} of {stored.exact.abs().max().item():.3g}", flush=True)
    for label, count in same.items():
        print(f"{label}: {count} matrices the same")
    checked = {label.split(" with ")[0] for label in same}
    for name in dict.fromkeys(name for name, _ in cases):
        if name not in checked:
            reasons = "; ".join(f"{package}: {error}" for (own, package), error in absent.items() if own == name)
            print(f"{name}: not checked ({reasons or 'no library runs without a GPU'})")
    return 1 if failed else 0
