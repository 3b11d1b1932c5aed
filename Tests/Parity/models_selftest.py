"""Checks the judge: a stand-in for apus that answers with transformers, right and with faults that must be caught."""

import random

import torch

from models_checkpoints import DTYPES, Options
from models_reference import Reference

# A fault, and which configurations it can show in.
RIGHT = "none", "activations in f32, rounded where a product reads them"
FAULTS = {
    RIGHT[0]: lambda options: True,
    RIGHT[1]: lambda options: options.dtype != "f32",
    "a token": lambda options: True,
    "a logprob": lambda options: True,
    "no rope scaling": lambda options: options.rope_kind != "default" and options.rope.get("factor", 1) > 1,
    "long factors never used": lambda options: options.rope_kind == "longrope",
    "stored head left out": lambda options: options.head == "own",
    "no window": lambda options: options.sliding_window is not None,
    "rope theta": lambda options: True,
    "position off by one in queries": lambda options: True,
    "norm epsilon": lambda options: options.dtype == "f32" and options.rms_norm_eps >= 1e-3,
    "activation": lambda options: options.hidden_act == "silu",
    "biases left out": lambda options: options.attention_bias or options.mlp_bias,
    "heads shared wrongly": lambda options: 1 < options.num_key_value_heads < options.num_attention_heads,
    "a result lost": lambda options: True,
    "results swapped": lambda options: True,
    "end token ignored": lambda options: bool(options.eos),
    "end token left out": lambda options: bool(options.eos),
    "logprobs after temperature": lambda options: True,
}


def stand_in(fault: str):
    """A function with the shape of `models.run_apus` that makes this mistake."""

    def run(folder, options: Options, prompts: list[list[int]], limit: int, rng: random.Random) -> list[dict]:
        model = Reference(folder, torch.float32 if fault == RIGHT[1] else "auto", attention="sdpa")
        with torch.no_grad():
            spoil(model, fault, options)
        records = []
        for index, prompt in enumerate(prompts):
            answer = model.generate(prompt, limit)
            tokens, logprobs = answer.tokens, answer.logprobs
            if fault == "a token":
                step = rng.randrange(len(tokens))
                tokens[step] = (tokens[step] + 1) % options.vocab_size
            elif fault == "a logprob":
                logprobs[rng.randrange(len(tokens))] += 3e-4 if options.dtype == "f32" else 1.0
            elif fault == "logprobs after temperature":
                hot = (answer.logits.double() / 0.7).log_softmax(-1)
                logprobs = [hot[step, token].item() for step, token in enumerate(tokens)]
            elif fault == "end token left out" and tokens[-1] in options.eos:
                tokens, logprobs = tokens[:-1], logprobs[:-1]
            records.append({
                "index": index, "token_ids": tokens, "logprobs": logprobs, "num_prompt_tokens": len(prompt),
                "num_tokens": len(tokens), "finish_reason": "stop" if tokens and tokens[-1] in options.eos else "length"})
        if fault == "a result lost":
            records.pop(rng.randrange(len(records)))
        elif fault == "results swapped" and len(records) > 1:
            records[0], records[1] = records[1], records[0]
            records[0]["index"], records[1]["index"] = 0, 1
        return records

    return run


def spoil(reference: Reference, fault: str, options: Options) -> None:
    model = reference.model
    config = model.config
    if fault == RIGHT[1]:
        rounded = lambda tensor: tensor.to(DTYPES[options.dtype]).float()
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.Linear):
                module.register_forward_pre_hook(lambda module, inputs: (rounded(inputs[0]),))
            if name.endswith(("k_proj", "v_proj")):  # stored in the cache
                module.register_forward_hook(lambda module, inputs, output: rounded(output))
    elif fault == "no rope scaling":
        config.rope_parameters = {"rope_type": "default", "rope_theta": options.rope_theta}
    elif fault == "long factors never used":
        config.rope_parameters = {**config.rope_parameters, "long_factor": config.rope_parameters["short_factor"]}
    elif fault == "stored head left out":
        model.lm_head.weight.copy_(model.model.embed_tokens.weight)
    elif fault == "no window":
        config.sliding_window = None
    elif fault == "rope theta":
        config.rope_parameters = {**config.rope_parameters, "rope_theta": options.rope_theta * 1.5}
    elif fault == "norm epsilon":
        for module in model.modules():
            if hasattr(module, "variance_epsilon"):
                module.variance_epsilon = 1e-6
    elif fault == "activation":
        for layer in model.model.layers:
            layer.mlp.act_fn = torch.nn.GELU()
    elif fault == "biases left out":
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
    elif fault == "heads shared wrongly":
        for layer in model.model.layers:
            for projection in (layer.self_attn.k_proj, layer.self_attn.v_proj):
                projection.weight.copy_(projection.weight.view(-1, options.width, options.hidden_size).flip(0).reshape(
                    projection.weight.shape))
    elif fault == "end token ignored":
        model.generation_config.eos_token_id = None
    elif fault == "position off by one in queries":
        rotate_queries(model)


def rotate_queries(model) -> None:
    """Turns each query by one more position, as a loop that starts at 1 would."""
    frequencies = model.model.rotary_emb.inv_freq
    for layer in model.model.layers:
        weight = layer.self_attn.q_proj.weight
        width = layer.self_attn.head_dim
        heads = weight.view(-1, 2, width // 2, weight.shape[1]).float()
        cosine, sine = frequencies.cos()[:, None], frequencies.sin()[:, None]
        turned = torch.stack([heads[:, 0] * cosine - heads[:, 1] * sine, heads[:, 1] * cosine + heads[:, 0] * sine], 1)
        weight.copy_(turned.reshape(weight.shape).to(weight.dtype))


def self_test(check, configurations: list[Options]) -> int:
    """Runs each fault until it is caught; `check(options, run)` gives a verdict. Returns the exit status."""
    status = 0
    for fault, applies in FAULTS.items():
        shown = [options for options in configurations if applies(options)]
        shown = shown if fault in RIGHT else shown[:4]
        verdicts = [check(options, stand_in(fault)) for options in shown]
        caught = sum(bool(verdict.failures) for verdict in verdicts)
        right = caught == 0 if fault in RIGHT else caught > 0
        status |= not right
        worst = max((verdict.worst for verdict in verdicts), default=0)
        ratio = max((verdict.ratio for verdict in verdicts), default=0)
        print(f"{'ok  ' if right else 'FAIL'} {fault}: caught in {caught} of {len(shown)} "
              f"(f32 logprob difference {worst:.1e}, rounded error over tolerance {ratio:.2f})", flush=True)
        if not right:
            for options, verdict in zip(shown, verdicts):
                print(f"     seed {options.seed} [{options.describe()}]: {verdict.failures[:2]}")
    return status
