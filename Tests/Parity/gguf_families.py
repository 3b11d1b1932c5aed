#!/usr/bin/env python3
"""Drawn checkpoints of each family as llama.cpp's converter writes them (F32), against the checkpoints that they came from.

    python Tests/Parity/gguf_families.py LLAMA_CPP_SOURCE [--count 4]      the source as in llama-cpp-python's archive
    FAMILIES="qwen2 phi3" python Tests/Parity/gguf_families.py ...         some

Apus runs both; families.py compares the checkpoints with transformers. Rows that are put in another order, norms stored as
w + 1, fused and regrouped matrices, stacked experts, and frequencies that are stored as a tensor show here.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from apus_command import Command, command, parsed, script
from families import prompts_of, write
from families_cases import FAMILIES as CASES, draw
from llama_cpp_logits import convert, write_vocabulary

# The switches of each family that the converter writes: others no published model needs.
FAMILIES = {
    "mistral": "tied theta head_dim", "qwen2": "tied theta", "qwen3": "tied theta head_dim",
    "qwen3_moe": "tied head_dim norm_topk_prob", "mixtral": "tied head_dim", "gemma": "head_dim", "gemma2": "sliding_window",
    "gemma3_text": "sliding_window", "phi3": "tied longrope",
    "granite": "tied theta attention_bias mlp_bias embedding_multiplier attention_multiplier residual_multiplier logits_scaling",
    "smollm3": "tied theta", "olmo": "tied theta clip_qkv", "olmo2": "tied theta",
    "olmo3": "tied sliding_window layer_types", "gpt2": "tied",
    "starcoder2": "tied theta use_bias", "cohere": "theta use_qk_norm logit_scale",
    "phi": "tied share", "bloom": "tied",
    "gpt_oss": "tied attention_bias sliding_window yarn", "gpt_oss_packed": "tied attention_bias sliding_window yarn",
    "qwen2_moe": "tied qkv_bias", "glm4": "tied head_dim share attention_bias",
    "exaone": "tied theta", "exaone4": "tied theta sliding_window layer_types",
    "stablelm": "tied share use_qkv_bias use_parallel_residual",
    "gpt_neox": "tied share use_parallel_residual attention_bias", "cohere2": "theta sliding_window logit_scale",
    "nemotron": "tied share attention_bias mlp_bias", "olmoe": "tied attention_bias",
    "granitemoe": "tied attention_bias embedding_multiplier attention_multiplier residual_multiplier logits_scaling",
    "falcon": "tied new_decoder_architecture num_ln_in_parallel_attn", "internlm2": "theta",
    "lfm2": "tied theta layer_types conv_L_cache block_auto_adjust_ff_dim block_ffn_dim_multiplier",
    "ernie4_5": "tied theta head_dim use_bias", "hunyuan_v1_dense": "tied attention_bias head_dim alpha",
    "seed_oss": "tied theta head_dim attention_bias attention_out_bias mlp_bias",
    "minicpm": "tied theta scale_emb scale_depth dim_model_base", "mpt": "tied clip_qkv",
}
# What llama.cpp takes for granted.
REQUIRED = {
    "qwen3_moe": {"norm_topk_prob"}, "gemma": {"tied"}, "gemma3_text": {"tied"}, "cohere": {"tied"}, "cohere2": {"tied"},
    "gemma2": {"tied", "attn_logit_softcapping", "final_logit_softcapping"},
}
# The same of sizes: how much of a head turns is a share of the hidden size; a base is as it is for one context alone.
FITTED = {
    "cohere2": lambda sizes: {"hidden_size": 16 * sizes["num_attention_heads"]},
    "nemotron": lambda sizes: {"hidden_size": 16 * sizes["num_attention_heads"]},
    "hunyuan_v1_dense": lambda sizes: {"max_position_embeddings": 32_768},
}
# What transformers calls otherwise than those that published it.
PUBLISHED = {"mpt": "MPTForCausalLM", "exaone": "ExaoneForCausalLM"}
# Whose keys transformers would take out or put in, if the converter had it read the configuration.
UNKNOWN = {"gpt_neox", "exaone", "falcon"}
NEW_TOKENS = 16
ALLOWED = 1e-4


def complete(folder: Path, size: int) -> None:
    """What the converter asks for: a vocabulary, of whichever kind, and keys that older configurations have."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    write_vocabulary(folder, size)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = (letters + [f"t{index}" for index in range(len(letters), size)])[: size - 2] + ["<|user|>", "<|endoftext|>"]
    tokenizer = Tokenizer(models.BPE({word: index for index, word in enumerate(words)}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(words[-2:])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = json.loads((folder / "config.json").read_text())
    share = (config.get("rope_parameters") or {}).get("partial_rotary_factor", 1.0)
    config = {"n_ctx": config.get("n_positions"), "rotary_pct": share, "partial_rotary_factor": share} | config
    family = config["model_type"]
    config["architectures"] = [PUBLISHED[family]] if family in PUBLISHED else config["architectures"]
    if family == "falcon" and not config["new_decoder_architecture"]:
        del config["num_kv_heads"]
    if family in UNKNOWN:
        config |= {"model_type": "unknown", "activation_function": config.get("hidden_act")}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))


def settle(folder: Path) -> None:
    """What GGUF files do not say of Gemma: scores are divided by the root of a head's size."""
    config = json.loads((folder / "config.json").read_text())
    if "query_pre_attn_scalar" in config:
        config["query_pre_attn_scalar"] = config["head_dim"]
        (folder / "config.json").write_text(json.dumps(config))


def answers(apus: Command, model: Path, prompts: list[list[int]]) -> list[dict]:
    lines = [{"prompt_token_ids": prompt, "max_new_tokens": NEW_TOKENS} for prompt in prompts]
    # What keeps the order of logits changes no best token.
    lines += [line | {"do_sample": True, "temperature": 3.0} for line in lines]
    return apus.generate(model, lines, "--logprobs", "--dtype", "float32", "--kv-cache", "float32")


def check(apus: Command, source: Path, family: str, seed: int) -> tuple[object, float | None]:
    rng, required = random.Random(seed), REQUIRED.get(family, set())
    written = required | set(FAMILIES[family].split())
    case = draw(family, seed, "f32")
    while not required <= set(case.switches) <= written:
        case = draw(family, rng.randrange(1 << 31), "f32")
    case.arguments |= FITTED.get(family, lambda sizes: {})(case.arguments)
    with tempfile.TemporaryDirectory(prefix="apus-gguf-") as name:
        folder, given, target = Path(name) / "model", Path(name) / "given", Path(name) / "model.gguf"
        write(folder, case)
        settle(folder)
        (CASES[family].published or shutil.copytree)(folder, given)
        complete(given, case.vocab_size)
        convert(source, given, target)
        prompts = prompts_of(case, rng)
        worst = 0.0
        for one, other in zip(answers(apus, folder, prompts), answers(apus, target, prompts), strict=True):
            # The file alone has a token that ends texts: the converter asks for one.
            length = len(other["token_ids"]) if other["finish_reason"] == "stop" else NEW_TOKENS
            one = {key: one[key][:length] for key in ("token_ids", "logprobs")}
            if one["token_ids"] != other["token_ids"]:
                return case, float("inf")
            worst = max([worst, *(abs(a - b) for a, b in zip(one["logprobs"], other["logprobs"], strict=True))])
        return case, worst


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--count", type=int, default=4, help="of each family")
    arguments, seed = parsed(parser)
    apus, rng, failed = command(parser, arguments), random.Random(seed), 0
    for family in os.environ.get("FAMILIES", "").split() or FAMILIES:
        for own in [rng.randrange(1 << 31) for _ in range(arguments.count)]:
            try:
                case, worst = check(apus, arguments.source, family, own)
                fault = None if worst <= ALLOWED else f"log-probabilities within {worst:.1e}"
                described = case.switches
            except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
                fault, described = str(error)[:300], ""
            failed += fault is not None
            print(f"{'FAIL' if fault else 'ok  '} {family} {own} {described} {fault or f'{worst:.1e}'}", flush=True)
    print(f"seed {seed}, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
