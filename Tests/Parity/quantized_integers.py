"""Formats of integers with a scale, and maybe a zero or an offset, for each group of inputs.

Their matrices are computed as (code - zero) * scale in float32, which is exact for scales of float16 and bfloat16; libraries
then round that to the type of the scales (`quantized_check.py`).
"""

import torch

from quantized_packing import groups_of, reduced, stream, symmetric, whole_words, with_zeros
from quantized_stored import FLOATS, Format, Plan, Stored, group_size

# Output that each nibble of a word of AWQ holds.
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def signs(weight, scales, groups, bits: int, generator):
    """The same with scales of either sign, as AutoRound writes them."""
    scales = scales * (1 - 2 * torch.randint(2, scales.shape, generator=generator)).to(scales.dtype)
    half = 1 << bits - 1
    return (weight / scales.float()[:, groups]).round().clamp(-half, half - 1).long(), scales


def permuted(groups: torch.Tensor, generator) -> torch.Tensor:
    """As many inputs in each group as before, but any."""
    return groups[torch.randperm(len(groups), generator=generator)]


def by_order(groups: torch.Tensor) -> torch.Tensor:
    return groups.argsort(stable=True)


# GPTQ, and AutoRound in its packing.

def gptq(weight: torch.Tensor, options: dict, generator) -> Stored:
    bits, dtype, half = options["bits"], FLOATS[options["scales"]], 1 << options["bits"] - 1
    groups = groups_of(weight.shape[1], options["group_size"])
    if options["desc_act"]:
        groups = permuted(groups, generator)
    if options["sym"]:
        signed, scales = symmetric(weight, groups, bits, dtype)
        if options.get("negative"):
            signed, scales = signs(weight, scales, groups, bits, generator)
        codes, zeros = signed + half, torch.full(scales.shape, half)
    else:
        # A zero of 0 would be stored as -1 by the first version, and programs differ on what it is then.
        codes, zeros, scales = with_zeros(weight, groups, bits, dtype, least=1 if options["zeros"] == "v1" else 0)
    exact = (codes - zeros[:, groups]) * scales.float()[:, groups]
    stored = zeros - 1 if options["zeros"] == "v1" else zeros
    tensors = {"qweight": stream(codes, bits).T, "qzeros": stream(stored.T, bits), "scales": scales.T}
    if options["g_idx"]:
        tensors["g_idx"] = groups.int()
    return Stored(tensors, exact, by_order(groups) if options["desc_act"] else None)


def gptq_settled(options: dict) -> dict:
    mislabelled = options["label"] == "mislabelled" and options["bits"] == 4 and options["sym"]
    version = "gptq_v2" if options["label"] == "gptq_v2" else "gptq"
    return options | {
        "zeros": "v2" if mislabelled or version == "gptq_v2" else "v1", "g_idx": options["desc_act"] or options["g_idx"],
        "version": version if options["label"] != "absent" else None}


def gptq_apart(options: dict) -> dict:
    return {name: options[name] for name in ("bits", "group_size", "sym", "desc_act") if name in options}


def gptq_config(plan: Plan) -> dict:
    options = plan.options
    written = {"quant_method": "gptq"} | gptq_apart(options) | {
        "lm_head": options["head"], "damp_percent": 0.05, "true_sequential": True}
    if options["version"]:
        written["checkpoint_format"] = options["version"]
    dynamic = {f"-:{pattern}": {} for pattern in plan.patterns}
    dynamic |= {"+:" + name.replace(".", r"\."): gptq_apart(own) for name, own in plan.apart.items()}
    return written | ({"dynamic": dynamic} if dynamic else {})


def padded_word(options: dict) -> int:
    """Three bits come in blocks of 32 codes; others may leave a word half empty."""
    return 32 if options["bits"] == 3 else 8


GPTQ = Format(
    gptq, gptq_config,
    {"bits": [2, 3, 4, 4, 8], "group_size": [32, 64, 128, -1], "desc_act": [False, True], "sym": [True, False],
     "label": ["gptq", "gptq", "absent", "gptq_v2", "mislabelled"], "g_idx": [True, True, False],
     "scales": ["f16", "f16", "bf16"], "head": [False, False, True]},
    padded_word, padded_word, gptq_settled, {"bits": [4, 8], "group_size": [32, 64], "sym": [True, False]},
    files=lambda plan: {"quantize_config.json": gptq_config(plan)}, head=lambda options: options["head"])


def auto_round(weight: torch.Tensor, options: dict, generator) -> Stored:
    return (awq if "awq" in options["packing"] else gptq)(weight, options, generator)


def auto_round_settled(options: dict) -> dict:
    if "awq" in options["packing"]:
        options = options | {"bits": 4, "sym": False}
    packing = options["packing"]
    if packing != "auto_round:auto_awq":
        packing = "auto_round:auto_gptq" if options["sym"] else packing
    return options | {"packing": packing, "zeros": "v2" if packing == "auto_round" else "v1", "desc_act": False,
                      "g_idx": False, "zero_point": True}


def auto_round_config(plan: Plan) -> dict:
    options = plan.options
    own = lambda settings: {name: settings[name] for name in ("bits", "group_size", "sym")} | {"data_type": "int"}
    extra = {name: own(settings) for name, settings in plan.apart.items()}
    extra |= {name: {"bits": 16, "data_type": "float"} for name in plan.skipped}
    return own(options) | {
        "quant_method": "auto-round", "packing_format": options["packing"], "autoround_version": "0.16.1",
        "block_name_to_quantize": "model.layers"} | ({"extra_config": extra} if extra else {})


AUTO_ROUND = Format(
    auto_round, auto_round_config,
    {"bits": [2, 3, 4, 8], "group_size": [32, 64, 128], "sym": [True, False], "scales": ["f16"], "negative": [True, False],
     "packing": ["auto_round", "auto_round:auto_gptq", "auto_round:auto_awq"]},
    # AutoRound takes whole groups, and whole blocks of outputs.
    group_size, lambda options: 32, auto_round_settled, {"bits": [4, 8]},
    files=lambda plan: {"quantization_config.json": auto_round_config(plan)})


# AWQ.

def awq(weight: torch.Tensor, options: dict, generator) -> Stored:
    bits, dtype = 4, FLOATS[options["scales"]]
    groups = groups_of(weight.shape[1], options["group_size"])
    if options["zero_point"]:
        codes, zeros, scales = with_zeros(weight, groups, bits, dtype)
    else:
        signed, scales = symmetric(weight, groups, bits, dtype)
        codes, zeros = signed + 8, torch.full(scales.shape, 8)
    exact = (codes - zeros[:, groups]) * scales.float()[:, groups]
    turned = lambda values: stream(values.T.unflatten(1, (-1, 8))[..., AWQ_ORDER].flatten(1), bits)
    tensors = {"qweight": turned(codes), "qzeros": turned(zeros), "scales": scales.T}
    return Stored(tensors, exact)


def awq_config(plan: Plan) -> dict:
    return {"quant_method": "awq", "bits": 4, "group_size": plan.options["group_size"],
            "zero_point": plan.options["zero_point"], "version": plan.options["version"],
            "modules_to_not_convert": plan.skipped or None}


AWQ = Format(
    awq, awq_config,
    {"group_size": [32, 64, 128, -1], "zero_point": [True, True, False], "scales": ["f16", "f16", "bf16"],
     "version": ["gemm", "GEMM"]}, group_size, lambda options: 8)


# compressed-tensors.

def compressed_integers(weight: torch.Tensor, options: dict, generator) -> Stored:
    """Signed codes, packed or as bytes, and zeros that are packed along the outputs."""
    bits, half, dtype = options["num_bits"], 1 << options["num_bits"] - 1, FLOATS[options["scales"]]
    groups = groups_of(weight.shape[1], options["group_size"])
    if options["actorder"] == "group":
        groups = permuted(groups, generator)
    if options["strategy"] == "tensor":
        largest = weight.abs().max() / (half - 0.5)
        scales = largest.reshape(1).to(dtype)
        codes, zeros = (weight / scales.float()).round().clamp(-half, half - 1).long(), torch.zeros(1, 1).long()
        wide = scales.float().reshape(1, 1)
    elif options["symmetric"]:
        codes, scales = symmetric(weight, groups, bits, dtype)
        zeros, wide = torch.zeros(scales.shape).long(), scales.float()[:, groups]
    else:
        codes, zeros, scales = with_zeros(weight, groups, bits, dtype)
        codes, zeros, wide = codes - half, zeros - half, scales.float()[:, groups]
    exact = (codes - zeros[:, groups if zeros.numel() > 1 else [0]]) * wide
    tensors = {"weight_scale": scales}
    if options["format"] == "pack-quantized":
        pack = whole_words if options.get("whole_words") else stream
        tensors |= {"weight_packed": pack(codes + half, bits), "weight_shape": torch.tensor(weight.shape)}
        if not options["symmetric"]:
            tensors["weight_zero_point"] = pack((zeros + half).T, bits).T
    else:
        tensors["weight"] = codes.to(torch.int8)
        if not options["symmetric"]:
            tensors["weight_zero_point"] = zeros.to(torch.int8)
    if options["actorder"] == "group":
        tensors["weight_g_idx"] = groups.int()
    elif options.get("no_g_idx"):
        tensors["weight_g_idx"] = torch.full((weight.shape[1],), -1).int()
    return Stored(tensors, exact, by_order(groups) if options["actorder"] == "group" else None)


def compressed_settled(options: dict) -> dict:
    grouped = options["strategy"] == "group"
    options = options | {"group_size": options["group_size"] if grouped else -1}
    if options["strategy"] == "tensor":
        options |= {"symmetric": True}
    whole = options.get("whole_words", False) and 32 % options["num_bits"] != 0
    return options | {"actorder": options.get("actorder") if grouped else None, "whole_words": whole}


def compressed_weights(options: dict) -> dict:
    """The arguments of a group's weights, as the library writes them."""
    return {"num_bits": options["num_bits"], "type": options.get("type", "int"), "symmetric": options["symmetric"],
            "group_size": options["group_size"] if options["strategy"] in ("group", "tensor_group") else None,
            "strategy": options["strategy"], "block_structure": options.get("block_structure"), "dynamic": False,
            "actorder": options.get("actorder"), "observer": "minmax", "observer_kwargs": {}}


def compressed_config(plan: Plan) -> dict:
    """Modules apart stand in a group of their own before the others; what the two have in common is one format."""
    def group(options: dict, targets: list[str]) -> dict:
        inputs = options.get("activations")
        return {"targets": targets, "weights": compressed_weights(options), "input_activations": inputs,
                "output_activations": None, "format": options["format"]}

    groups = {f"group_{place}": group(own, [name]) for place, (name, own) in enumerate(plan.apart.items())}
    groups[f"group_{len(groups)}"] = group(plan.options, ["Linear"])
    formats = {each["format"] for each in groups.values()}
    ignore = [f"re:{pattern}" for pattern in plan.patterns]
    if not plan.options.get("head"):
        ignore.append("lm_head")
    return {"quant_method": "compressed-tensors", "config_groups": groups, "ignore": ignore,
            "format": formats.pop() if len(formats) == 1 else "mixed-precision", "quantization_status": "compressed",
            "global_compression_ratio": None, "kv_cache_scheme": None}


EIGHT_BITS_A_TOKEN = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "token", "dynamic": True}

PACK_QUANTIZED = Format(
    compressed_integers, compressed_config,
    {"num_bits": [4, 4, 8, 2, 3], "strategy": ["group", "group", "channel"], "group_size": [32, 64, 128],
     "symmetric": [True, False], "actorder": [None, None, "group", "weight"], "no_g_idx": [False, False, True],
     # How older versions (0.12) packed three bits.
     "whole_words": [False, True], "scales": ["bf16", "f16", "f32"], "format": ["pack-quantized"], "head": [False, False, True]},
    group_size, settle=compressed_settled, apart={"num_bits": [4, 8], "group_size": [32, 64], "symmetric": [True, False]},
    head=lambda options: options["head"])
INT_QUANTIZED = Format(
    compressed_integers, compressed_config,
    {"num_bits": [8], "strategy": ["channel", "channel", "tensor", "group"], "group_size": [32, 64, 128],
     "symmetric": [True, True, False], "actorder": [None], "scales": ["bf16", "f16", "f32"], "format": ["int-quantized"],
     "activations": [EIGHT_BITS_A_TOKEN]},
    group_size, settle=compressed_settled)


# bitsandbytes' int8.

def bitsandbytes_int8(weight: torch.Tensor, options: dict, generator) -> Stored:
    largest = weight.abs().amax(1).clamp_min(1e-6)
    codes = (weight * (127 / largest)[:, None]).round()
    tensors = {"weight": codes.to(torch.int8), "SCB": largest, "weight_format": torch.tensor(0, dtype=torch.uint8)}
    # The library multiplies by the float next to 1 / 127.
    return Stored(tensors, codes * largest[:, None] * torch.tensor(1 / 127))


def bitsandbytes_config(plan: Plan) -> dict:
    four = "quant_type" in plan.options
    return {"quant_method": "bitsandbytes", "load_in_8bit": not four, "load_in_4bit": four, "_load_in_8bit": not four,
            "_load_in_4bit": four, "llm_int8_threshold": 6.0, "llm_int8_skip_modules": plan.skipped + ["lm_head"] if plan.skipped else None,
            "llm_int8_enable_fp32_cpu_offload": False, "llm_int8_has_fp16_weight": False,
            "bnb_4bit_quant_type": plan.options.get("quant_type", "fp4"), "bnb_4bit_compute_dtype": "bfloat16",
            "bnb_4bit_quant_storage": plan.options.get("storage", "uint8"),
            "bnb_4bit_use_double_quant": plan.options.get("nested", False)}


BITSANDBYTES_INT8 = Format(bitsandbytes_int8, bitsandbytes_config, {})


# MLX.

def mlx(weight: torch.Tensor, options: dict, generator) -> Stored:
    """Codes from 0, a scale and an offset of either sign; matrices of experts in a stack."""
    if weight.dim() == 3:
        each = [mlx(matrix, options, generator) for matrix in weight]
        tensors = {name: torch.stack([one.tensors[name] for one in each]) for name in each[0].tensors}
        return Stored(tensors, torch.stack([one.exact for one in each]))
    bits, dtype = options["bits"], FLOATS[options["scales"]]
    groups = groups_of(weight.shape[1], options["group_size"])
    low, high = reduced(weight, groups, "amin"), reduced(weight, groups, "amax")
    scales = ((high - low) / ((1 << bits) - 1)).clamp_min(1e-6)
    # Counted from the end that is farther from 0, which is kept best.
    down = high.abs() > low.abs()
    scales, offsets = torch.where(down, -scales, scales).to(dtype), torch.where(down, high, low).to(dtype)
    wide = lambda values: values.float()[:, groups]
    codes = ((weight - wide(offsets)) / wide(scales)).round().clamp(0, (1 << bits) - 1)
    tensors = {"weight": stream(codes, bits).view(torch.uint32), "scales": scales, "biases": offsets}
    return Stored(tensors, codes * wide(scales) + wide(offsets))


def mlx_config(plan: Plan) -> dict:
    own = lambda options: {name: options[name] for name in ("group_size", "bits", "mode") if name in options}
    return own(plan.options) | {name: own(options) for name, options in plan.apart.items()} | dict.fromkeys(
        plan.skipped, False)


MLX = Format(
    mlx, mlx_config, {"bits": [2, 3, 4, 4, 5, 6, 8], "group_size": [32, 64, 128], "scales": ["bf16", "f16", "f32"]},
    group_size, apart={"bits": [4, 6, 8], "group_size": [32, 64]}, key="quantization", head=lambda options: True,
    tables=True, stacked=True)
