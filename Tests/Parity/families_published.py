"""Families that transformers knows only by their own remote code: the same model is drawn as one that it does know, and written
as these are published. What is equal to what: README.md beside this file."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import CONFIG_MAPPING


def rewrite(folder: Path, target: Path, config, tensors) -> None:
    """Copies a checkpoint; `config` changes its configuration, `tensors` its tensors."""
    target.mkdir()
    for path in folder.iterdir():
        if path.suffix not in (".safetensors", ".json") or path.name == "generation_config.json":
            shutil.copy(path, target)
    written = json.loads((folder / "config.json").read_text())
    config(written)
    (target / "config.json").write_text(json.dumps(written))
    (stored,) = folder.glob("*.safetensors")
    save_file(tensors(load_file(stored), written), target / "model.safetensors", {"format": "pt"})


INTERNLM2 = {
    "model.embed_tokens": "model.tok_embeddings", "lm_head": "output", "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1", "mlp.up_proj": "feed_forward.w3", "mlp.down_proj": "feed_forward.w2",
    "input_layernorm": "attention_norm", "post_attention_layernorm": "ffn_norm"}


def internlm2(folder: Path, target: Path) -> None:
    """A Llama whose queries, keys and values are one matrix: for each key-value head its queries, its key, its value."""
    def config(written: dict) -> None:
        written.update(model_type="internlm2", architectures=["InternLM2ForCausalLM"], bias=written.pop("attention_bias"))

    def tensors(stored: dict, written: dict) -> dict:
        groups, result = written["num_key_value_heads"], {}
        for name, tensor in stored.items():
            if ".q_proj." in name:
                parts = [stored[name.replace("q_proj", part)] for part in ("q_proj", "k_proj", "v_proj")]
                rows = [part.reshape(groups, -1, *part.shape[1:]) for part in parts]
                fused = torch.cat(rows, 1).reshape(-1, *tensor.shape[1:])
                result[name.replace("self_attn.q_proj", "attention.wqkv")] = fused.contiguous()
            elif ".k_proj." not in name and ".v_proj." not in name:
                for old, new in INTERNLM2.items():
                    name = name.replace(old, new)
                result[name] = tensor
        return result

    rewrite(folder, target, config, tensors)


def minicpm(folder: Path, target: Path) -> None:
    """A Granite with its multipliers under other names."""
    def config(written: dict) -> None:
        layers, hidden = written["num_hidden_layers"], written["hidden_size"]
        written.update(
            model_type="minicpm", architectures=["MiniCPMForCausalLM"], scale_emb=written.pop("embedding_multiplier"),
            scale_depth=written.pop("residual_multiplier") * layers**0.5,
            dim_model_base=round(hidden / written.pop("logits_scaling")))
        del written["attention_multiplier"]

    rewrite(folder, target, config, lambda stored, written: stored)


def leave_out_usual(written: dict) -> None:
    inner = written["text_config"]
    usual = CONFIG_MAPPING[inner["model_type"]]().to_dict()
    for key in list(inner):
        if key != "model_type" and key in usual and inner[key] == usual[key]:
            del inner[key]


def bare(folder: Path, target: Path) -> None:
    """A model around a decoder, whose configuration leaves out what is usual, as those that are published do."""
    rewrite(folder, target, leave_out_usual, lambda stored, written: stored)


def gemma4(folder: Path, target: Path) -> None:
    """The same with the keys that are published, instead of what follows from them."""
    def config(written: dict) -> None:
        inner = written["text_config"]
        for override in inner.pop("per_layer_config", {}).values():
            inner["global_head_dim"] = override["head_dim"]
            if "num_key_value_heads" in override:
                inner["num_global_key_value_heads"] = override["num_key_value_heads"]
        leave_out_usual(written)

    rewrite(folder, target, config, lambda stored, written: stored)


FP4 = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
PACKED = ("gate_up_proj", "down_proj")


def packed(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows [..., inputs] in blocks of 32 with a power of two each: their bytes, the powers, and what these stand for."""
    groups = rows.float().unflatten(-1, (-1, 32))
    power = groups.abs().amax(-1, keepdim=True).clamp(min=2.0**-100).log2().floor() - 2
    scaled = groups / 2**power
    codes = (scaled.abs()[..., None] - FP4).abs().argmin(-1)
    negative = scaled < 0
    values = FP4[codes] * torch.where(negative, -1.0, 1.0) * 2**power
    codes = (codes + 8 * negative).to(torch.uint8)
    return codes[..., ::2] | codes[..., 1::2] << 4, (power[..., 0] + 127).to(torch.uint8), values.flatten(-2)


@torch.no_grad()
def round_to_packed(model) -> None:
    for name, weight in model.named_parameters():
        if name.endswith(PACKED):
            weight.copy_(packed(weight.mT)[2].mT)


def gpt_oss(folder: Path, target: Path) -> None:
    """The experts in blocks of four bits."""
    def config(written: dict) -> None:
        written["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]}

    def tensors(stored: dict, written: dict) -> dict:
        result = {}
        for name, tensor in stored.items():
            if name.endswith(PACKED):
                result[name + "_blocks"], result[name + "_scales"], _ = packed(tensor.mT)
            else:
                result[name] = tensor
        return {name: tensor.contiguous() for name, tensor in result.items()}

    rewrite(folder, target, config, tensors)
