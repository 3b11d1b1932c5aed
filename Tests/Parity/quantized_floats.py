"""Formats whose codes are small floats, or places in a table, and torchao's.

Each says in which order its library multiplies, where that decides the last bit of a float32.
"""

import json

import torch

from quantized_integers import bitsandbytes_config, compressed_config, mlx_config
from quantized_packing import E2M1_SIGNED, E4M3_LARGEST, e2m1, e4m3, groups_of, halves, powers, reduced
from quantized_stored import FLOATS, Format, Plan, Stored


def by_rows(weight: torch.Tensor) -> torch.Tensor:
    return weight.abs().amax(1, keepdim=True).clamp_min(1e-6) / E4M3_LARGEST


def by_blocks(weight: torch.Tensor, high: int, wide: int) -> torch.Tensor:
    """The largest of each block, those at the edges being cut: [blocks of rows, blocks of inputs]."""
    rows, inputs = weight.shape
    padded = torch.nn.functional.pad(weight.abs(), (0, -inputs % wide, 0, -rows % high))
    return padded.reshape(-1, high, padded.shape[1] // wide, wide).amax((1, 3)).clamp_min(1e-6)


def over_blocks(scales: torch.Tensor, shape, high: int, wide: int) -> torch.Tensor:
    return scales.repeat_interleave(high, 0)[: shape[0]].repeat_interleave(wide, 1)[:, : shape[1]]


def as_powers(largest: torch.Tensor, top: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Bytes of exponents, 127 more than they are, and the powers of two themselves."""
    exponents = powers(largest, top)
    return (exponents + 127).to(torch.uint8), 2.0**exponents


# FP8 of DeepSeek, Qwen and Ministral; FBGEMM's.

def fp8(weight: torch.Tensor, options: dict, generator) -> Stored:
    """transformers' `Fp8Dequantize`: both widened to float32, then multiplied."""
    if options["block"] is None:
        scales = (weight.abs().max() / E4M3_LARGEST).to(torch.float32)
        stored, wide = scales, scales
    else:
        largest = by_blocks(weight, *options["block"])
        if options["scales"] in ("e8m0", "bytes"):
            stored, powers_of_two = as_powers(largest, E4M3_LARGEST)
            stored = stored.view(torch.float8_e8m0fnu) if options["scales"] == "e8m0" else stored
            wide = over_blocks(powers_of_two, weight.shape, *options["block"])
        else:
            stored = (largest / E4M3_LARGEST).to(FLOATS[options["scales"]])
            wide = over_blocks(stored.float(), weight.shape, *options["block"])
    codes = e4m3(weight / wide)
    tensors = {"weight": codes, "weight_scale_inv": stored}
    if options["static"]:
        tensors["activation_scale"] = torch.tensor(0.01)
    return Stored(tensors, codes.float() * wide)


def fp8_config(plan: Plan) -> dict:
    options = plan.options
    written = {"quant_method": "fp8", "activation_scheme": "static" if options["static"] else "dynamic",
               "weight_block_size": options["block"], "modules_to_not_convert": plan.skipped + ["lm_head"]}
    if options["scales"] in ("e8m0", "bytes") and options["block"]:
        written["scale_fmt"] = "ue8m0"
    return written


def fbgemm(weight: torch.Tensor, options: dict, generator) -> Stored:
    scales = by_rows(weight)
    codes = e4m3(weight / scales)
    return Stored({"weight": codes, "weight_scale": scales, "input_scale_ub": torch.tensor([1200.0])}, codes.float() * scales)


def fbgemm_config(plan: Plan) -> dict:
    return {"quant_method": "fbgemm_fp8", "activation_scale_ub": 1200.0,
            "modules_to_not_convert": plan.skipped + ["lm_head"]}


FP8 = Format(
    fp8, fp8_config, {"block": [[128, 128], [128, 128], [64, 64], [32, 96], None], "static": [False, False, True],
                      "scales": ["f32", "bf16", "e8m0", "bytes"]}, widened=True)
FBGEMM = Format(fbgemm, fbgemm_config, {}, widened=True)


# compressed-tensors of floats.

def float_quantized(weight: torch.Tensor, options: dict, generator) -> Stored:
    dtype, strategy = FLOATS[options["scales"]], options["strategy"]
    if strategy == "tensor":
        scales = (weight.abs().max() / E4M3_LARGEST).reshape(1).to(dtype)
        wide = scales.float().reshape(1, 1)
    elif strategy == "channel":
        scales = by_rows(weight).to(dtype)
        wide = scales.float()
    else:
        scales = (by_blocks(weight, *options["block_structure"]) / E4M3_LARGEST).to(dtype)
        wide = over_blocks(scales.float(), weight.shape, *options["block_structure"])
    codes = e4m3(weight / wide)
    return Stored({"weight": codes, "weight_scale": scales}, codes.float() * wide)


def fp8_settled(options: dict) -> dict:
    block = options["strategy"] == "block"
    inputs = {"num_bits": 8, "type": "float", "symmetric": True, "strategy": "token", "dynamic": True}
    return options | {
        "block_structure": options["block_structure"] if block else None, "num_bits": 8, "type": "float",
        "symmetric": True, "activations": None if options["format"] == "naive-quantized" else inputs}


def nvfp4(weight: torch.Tensor, options: dict, generator) -> Stored:
    """A scale for each 16 inputs over one of the whole matrix; the library divides these first."""
    groups = groups_of(weight.shape[1], 16)
    whole = (E4M3_LARGEST * 6 / weight.abs().max()).reshape(1)
    scales = e4m3(reduced(weight.abs(), groups, "amax") / 6 * whole).float().clamp_min(2.0**-9)
    wide = (scales / whole)[:, groups]
    codes = e2m1(weight / wide)
    tensors = {"weight_packed": halves(codes), "weight_scale": scales.to(torch.float8_e4m3fn), "weight_global_scale": whole}
    if options["activations"]:
        tensors["input_global_scale"] = torch.tensor([120.0])
    return Stored(tensors, E2M1_SIGNED[codes] * wide)


def nvfp4_settled(options: dict) -> dict:
    inputs = {"num_bits": 4, "type": "float", "symmetric": True, "group_size": 16, "strategy": "tensor_group",
              "dynamic": "local"}
    return options | {"num_bits": 4, "type": "float", "symmetric": True, "group_size": 16, "strategy": "tensor_group",
                      "activations": inputs if options["activations"] else None}


def mxfp4(weight: torch.Tensor, options: dict, generator) -> Stored:
    groups = groups_of(weight.shape[1], 32)
    stored, scales = as_powers(reduced(weight.abs(), groups, "amax"), 6)
    codes = e2m1(weight / scales[:, groups])
    return Stored({"weight_packed": halves(codes), "weight_scale": stored}, E2M1_SIGNED[codes] * scales[:, groups])


def mxfp4_settled(options: dict) -> dict:
    return options | {"num_bits": 4, "type": "float", "symmetric": True, "group_size": 32, "strategy": "group"}


FLOAT_QUANTIZED = Format(
    float_quantized, compressed_config,
    {"strategy": ["channel", "tensor", "block"], "block_structure": [[128, 128], [64, 32]], "scales": ["f32", "bf16"],
     "format": ["float-quantized", "float-quantized", "naive-quantized"]}, settle=fp8_settled, widened=True)
NVFP4 = Format(nvfp4, compressed_config, {"format": ["nvfp4-pack-quantized"], "activations": [False, True]},
               lambda options: 16, settle=nvfp4_settled, widened=True)
MXFP4 = Format(mxfp4, compressed_config, {"format": ["mxfp4-pack-quantized"]}, lambda options: 32, settle=mxfp4_settled,
               widened=True)


def mixed(weight: torch.Tensor, options: dict, generator) -> Stored:
    """Modules of several formats in one checkpoint: the options of each say which is its own."""
    own = {"nvfp4-pack-quantized": nvfp4, "float-quantized": float_quantized}[options["format"]]
    return own(weight, options, generator)


def mixed_settled(options: dict) -> dict:
    return (nvfp4_settled if options["format"] == "nvfp4-pack-quantized" else fp8_settled)(options)


MIXED = Format(
    mixed, compressed_config,
    {"format": ["nvfp4-pack-quantized"], "activations": [False], "strategy": ["channel"], "block_structure": [None],
     "scales": ["f32"]}, lambda options: 16, settle=mixed_settled, apart={"format": ["float-quantized"], "strategy": ["channel"]},
    widened=True)


# bitsandbytes' tables of 16.

NF4 = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])  # Dettmers et al., arXiv 2305.14314, appendix E
FP4 = torch.tensor([0, 0.0625, 8, 12, 4, 6, 2, 3, 0, -0.0625, -8, -12, -4, -6, -2, -3]) / 12
# Any map of 256 would do: it stands in the file.
NESTED = torch.linspace(-1, 1, 256).pow(3)
BLOCK, NESTED_BLOCK = 64, 256
STORAGE = {"uint8": torch.uint8, "bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


def nearest(values: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    return (values[..., None] - table).abs().argmin(-1)


def bitsandbytes_four(weight: torch.Tensor, options: dict, generator) -> Stored:
    """Blocks of the flattened matrix, of which the last may be shorter, cross its rows."""
    table, flat = {"nf4": NF4, "fp4": FP4}[options["quant_type"]], weight.flatten()
    blocks = groups_of(len(flat), BLOCK)
    largest = reduced(flat[None], blocks, "amax").maximum(-reduced(flat[None], blocks, "amin"))[0]
    state = {"quant_type": options["quant_type"], "blocksize": BLOCK, "dtype": "bfloat16", "shape": list(weight.shape)}
    tensors = {"weight.quant_map": table, "weight.absmax": largest}
    if options["nested"]:
        offset = largest.mean()
        outer = groups_of(len(largest), NESTED_BLOCK)
        wide = reduced((largest - offset).abs()[None], outer, "amax")[0]
        codes = nearest((largest - offset) / wide[outer], NESTED)
        largest = NESTED[codes] * wide[outer] + offset
        state |= {"nested_blocksize": NESTED_BLOCK, "nested_dtype": "float32", "nested_offset": offset.item()}
        tensors |= {"weight.absmax": codes.to(torch.uint8), "weight.nested_absmax": wide, "weight.nested_quant_map": NESTED}
    codes = nearest(flat / largest[blocks], table)
    packed = halves(torch.nn.functional.pad(codes, (0, len(codes) % 2)), first_is_high=True)
    # Storage of another type needs whole elements.
    storage = STORAGE[options["storage"]]
    packed = packed.view(storage if len(packed) % storage.itemsize == 0 else torch.uint8)
    tensors["weight"] = packed[:, None]
    name = f"weight.quant_state.bitsandbytes__{options['quant_type']}"
    tensors[name] = torch.tensor(list(json.dumps(state).encode()), dtype=torch.uint8)
    return Stored(tensors, (table[codes] * largest[blocks]).reshape(weight.shape))


BITSANDBYTES_FOUR = Format(
    bitsandbytes_four, bitsandbytes_config,
    {"quant_type": ["nf4", "nf4", "fp4"], "nested": [False, True], "storage": ["uint8", "uint8", "bfloat16", "float32"]},
    widened=True)


# NVIDIA ModelOpt: what it exports.

def modelopt(weight: torch.Tensor, options: dict, generator) -> Stored:
    """FP8 of a tensor, a row or a block; NVFP4, whose two scales are multiplied first; and codes with powers of two."""
    algorithm = options["algorithm"]
    if algorithm in ("NVFP4", "W4A16_NVFP4"):
        groups, whole = groups_of(weight.shape[1], 16), weight.abs().max() / (6 * E4M3_LARGEST)
        scales = e4m3(reduced(weight.abs(), groups, "amax") / (6 * whole)).float().clamp_min(2.0**-9)
        wide = (scales * whole)[:, groups]
        codes = e2m1(weight / wide)
        tensors = {"weight": halves(codes), "weight_scale": scales.to(torch.float8_e4m3fn), "weight_scale_2": whole}
        exact = E2M1_SIGNED[codes] * wide
    elif algorithm == "W4A8_MXFP4_FP8":
        groups = groups_of(weight.shape[1], 32)
        stored, scales = as_powers(reduced(weight.abs(), groups, "amax"), 6)
        codes = e2m1(weight / scales[:, groups])
        tensors, exact = {"weight": halves(codes), "weight_scale": stored}, E2M1_SIGNED[codes] * scales[:, groups]
    else:
        if algorithm == "FP8":
            stored = wide = weight.abs().max() / E4M3_LARGEST
        elif algorithm == "FP8_PER_CHANNEL_PER_TOKEN":
            wide = by_rows(weight)
            stored = wide[:, 0]
        elif algorithm == "MXFP8":
            groups = groups_of(weight.shape[1], 32)
            stored, wide = as_powers(reduced(weight.abs(), groups, "amax"), E4M3_LARGEST)
            wide = wide[:, groups]
        else:
            stored = by_blocks(weight, 128, 128) / E4M3_LARGEST
            wide = over_blocks(stored, weight.shape, 128, 128)
            stored = stored[:, None, :, None]
        codes = e4m3(weight / wide)
        tensors, exact = {"weight": codes, "weight_scale": stored}, codes.float() * wide
    if algorithm in ("FP8", "NVFP4"):
        tensors["input_scale"] = torch.tensor(0.01)
    return Stored(tensors, exact)


def modelopt_size(options: dict) -> int | None:
    return {"NVFP4": 16, "W4A16_NVFP4": 16, "W4A8_MXFP4_FP8": 32, "MXFP8": 32}.get(options["algorithm"])


def modelopt_ignored(plan: Plan) -> list[str]:
    return ["lm_head", "model.embed_tokens", *plan.skipped]


PRODUCER = {"name": "modelopt", "version": "0.47.0"}


def modelopt_config(plan: Plan) -> dict:
    algorithm, size = plan.options["algorithm"], modelopt_size(plan.options)
    written = {"quant_method": "modelopt", "quant_algo": algorithm, "ignore": modelopt_ignored(plan), "producer": PRODUCER}
    if algorithm in ("FP8", "NVFP4", "W4A16_NVFP4"):
        numbers = {"dynamic": False, "num_bits": 4 if size else 8, "type": "float"} | ({"group_size": size} if size else {})
        inputs = {} if algorithm == "W4A16_NVFP4" else {"input_activations": numbers}
        written["config_groups"] = {"group_0": inputs | {"weights": numbers, "targets": ["Linear"]}}
    return written


def modelopt_file(plan: Plan) -> dict:
    size = modelopt_size(plan.options)
    inner = {"quant_algo": plan.options["algorithm"], "kv_cache_quant_algo": None} | ({"group_size": size} if size else {})
    return {"hf_quant_config.json": {"producer": PRODUCER, "quantization": inner | {"exclude_modules": modelopt_ignored(plan)}}}


MODELOPT = Format(
    modelopt, modelopt_config,
    {"algorithm": ["FP8", "NVFP4", "FP8", "NVFP4", "W4A16_NVFP4", "FP8_PER_CHANNEL_PER_TOKEN", "MXFP8", "W4A8_MXFP4_FP8",
                   "fp8_pb_wo"]},
    lambda options: modelopt_size(options) or 1, files=modelopt_file, widened=True)


# torchao, as transformers saves it.

def torchao(weight: torch.Tensor, options: dict, generator) -> Stored:
    if options["class"] == "Int8WeightOnlyConfig":
        scales = weight.abs().amax(1, keepdim=True).clamp_min(1e-6) / 127.5
        codes = (weight / scales).round().clamp(-128, 127)
        tensors = {"_weight_qdata": codes.to(torch.int8), "_weight_zero_point": torch.zeros_like(scales).to(torch.int8)}
    else:
        scales = by_rows(weight)
        codes = e4m3(weight / scales)
        tensors, codes = {"_weight_qdata": codes}, codes.float()
    return Stored(tensors | {"_weight_scale": scales}, codes * scales)


def torchao_config(plan: Plan) -> dict:
    granularity = {"_data": {"dim": -1}, "_type": "PerRow", "_version": 1}
    data = {"granularity": granularity, "set_inductor_config": True}
    if plan.options["class"] == "Int8WeightOnlyConfig":
        data["group_size"] = None
    else:
        data["weight_dtype"] = {"_data": "float8_e4m3fn", "_type": "torch.dtype"}
    default = {"_data": data, "_type": plan.options["class"], "_version": 2}
    return {"quant_method": "torchao", "quant_type": {"default": default}, "modules_to_not_convert": plan.skipped or None,
            "include_input_output_embeddings": False, "untie_embedding_weights": False}


def torchao_header(exact: dict, plan: Plan) -> dict[str, str]:
    """How each tensor is put together of its parts."""
    def parts(shape) -> dict:
        data = {"act_quant_kwargs": None, "block_size": [1, shape[1]], "dtype": {"_type": "torch.dtype", "_data": "bfloat16"}}
        if plan.options["class"] == "Int8WeightOnlyConfig":
            return {"_type": "Int8Tensor", "_data": data | {"reduce_range": False},
                    "_tensor_data_names": ["zero_point", "qdata", "scale"]}
        kernels = {"mm_config": None, "kernel_preference": {"_type": "KernelPreference", "_data": "AUTO"}}
        return {"_type": "Float8Tensor", "_data": data | kernels, "_tensor_data_names": ["qdata", "scale"]}

    whole = {name + ".weight" for name in plan.quantized}
    written = {name: parts(tensor.shape) if name in whole else {"_type": "Tensor"} for name, tensor in exact.items()}
    return {name: json.dumps(own) for name, own in written.items()} | {"tensor_names": json.dumps(list(exact))}


TORCHAO = Format(torchao, torchao_config, {"class": ["Int8WeightOnlyConfig", "Float8WeightOnlyConfig"]}, header=torchao_header,
                 experts=False)


# MLX's modes of floats. Where a matrix has no multiple of four words, its library fails (0.32).

def mlx_floats(weight: torch.Tensor, options: dict, generator) -> Stored:
    if weight.dim() == 3:
        each = [mlx_floats(matrix, options, generator) for matrix in weight]
        tensors = {name: torch.stack([one.tensors[name] for one in each]) for name in each[0].tensors}
        return Stored(tensors, torch.stack([one.exact for one in each]))
    groups = groups_of(weight.shape[1], options["group_size"])
    largest = reduced(weight.abs(), groups, "amax")
    if options["mode"] == "nvfp4":
        stored = e4m3((largest / 6).clamp_min(2.0**-9))
        scales, stored = stored.float(), stored.view(torch.uint8)
    else:
        stored, scales = as_powers(largest, 6 if options["mode"] == "mxfp4" else E4M3_LARGEST)
    if options["mode"] == "mxfp8":
        codes = e4m3(weight / scales[:, groups])
        words, values = codes.view(torch.uint8), codes.float()
    else:
        codes = e2m1(weight / scales[:, groups])
        words, values = halves(codes), E2M1_SIGNED[codes]
    return Stored({"weight": words.view(torch.uint32), "scales": stored}, values * scales[:, groups])


def mlx_settled(options: dict) -> dict:
    size, bits = {"mxfp4": (32, 4), "mxfp8": (32, 8), "nvfp4": (16, 4)}[options["mode"]]
    return options | {"group_size": size, "bits": bits}


MLX_FLOATS = Format(
    mlx_floats, mlx_config, {"mode": ["mxfp4", "mxfp8", "nvfp4"]}, lambda options: 64,
    settle=mlx_settled, widened=True, key="quantization", head=lambda options: True, tables=True, stacked=True)
