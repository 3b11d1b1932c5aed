"""What is drawn of each family: sizes, and the switches that its configurations have.

A family is a class of transformers' configurations, how drawn sizes become its arguments, and a list of switches. A switch
is set in about half the draws; `undo` takes it out of the written config.json again, to see that this would be caught.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import transformers

import families_published as published
from models_compare import LOGPROB

ORIGINAL = "original_max_position_embeddings"


@dataclass
class Switch:
    name: str
    apply: Callable[[dict, random.Random], None]
    undo: Callable[[dict], None]


@dataclass
class Family:
    config: str  # class of transformers
    switches: list[Switch] = field(default_factory=list)
    # What every draw has, of its sizes.
    always: Callable[[dict], dict] = lambda sizes: {}
    # How the sizes are called; what is not among these is not passed.
    keys: dict[str, str] | None = None
    # The model around the decoder, and what its configuration has beside the decoder's.
    wrapper: str | None = None
    around: dict = field(default_factory=dict)
    # Writes the checkpoint as it is published, for apus; the reference reads it too if `is_read`.
    published: Callable | None = None
    is_read: bool = False
    # What is done to the weights that were drawn.
    rounds: Callable | None = None
    # What some models put in the place of other tokens.
    pad: int | None = None


def sizes(rng: random.Random) -> dict:
    """Never as many key-value heads as heads, nor heads that fill the hidden size; the original context is short."""
    kv = rng.choice([1, 2, 3])
    heads = kv * rng.choice([2, 3])
    return dict(
        vocab_size=rng.randint(97, 700), hidden_size=heads * rng.choice([8, 16, 24]), num_hidden_layers=rng.randint(2, 4),
        intermediate_size=rng.randint(33, 120), num_attention_heads=heads, num_key_value_heads=kv,
        max_position_embeddings=rng.choice([32, 64]), tie_word_embeddings=False)


GPT = {"hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head", "vocab_size": "vocab_size",
       "max_position_embeddings": "n_positions", "tie_word_embeddings": "tie_word_embeddings"}
USUAL = {name: name for name in sizes(random.Random(0))}
NO_GROUPS = {name: name for name in USUAL if name != "num_key_value_heads"}


def key(name: str, value, undone) -> Switch:
    """One key of the configuration: a value, or a function that draws one; `undone` is what stands for its absence."""
    def apply(config: dict, rng: random.Random) -> None:
        config[name] = value(rng) if callable(value) else value

    def undo(written: dict) -> None:
        written[name] = undone

    return Switch(name, apply, undo)


def rope(name: str, undone=None, **parameters) -> Switch:
    """A set of rotary parameters; functions draw theirs."""
    def apply(config: dict, rng: random.Random) -> None:
        drawn = {key: value(rng) if callable(value) else value for key, value in parameters.items()}
        config["rope_parameters"] = {"rope_type": "default", "rope_theta": 10000.0} | drawn

    def undo(written: dict) -> None:
        written["rope_parameters"] = undone or {"rope_type": "default", "rope_theta": 10000.0}

    return Switch(name, apply, undo)


TIED = Switch("tied", lambda config, rng: config.update(tie_word_embeddings=True), lambda written: None)
HEAD_DIM = Switch("head_dim", lambda config, rng: config.update(head_dim=rng.choice([8, 16, 24])), lambda written: None)
THETA = rope("theta", rope_theta=500.0)
BIAS = key("attention_bias", True, False)
MLP_BIAS = key("mlp_bias", True, False)
WINDOW = key("sliding_window", lambda rng: rng.choice([3, 7, 17]), None)
ACTIVATION = key("hidden_act", "gelu", "silu")
HEADS = {"head_dim": 16}


def share(name: str, usual: float, key: str = "partial_rotary_factor") -> Switch:
    """How much of each head turns, of heads whose parts are even."""
    def apply(config: dict, rng: random.Random) -> None:
        config["rope_parameters"] = {"rope_type": "default", "rope_theta": 10000.0, key: 0.75}

    def undo(written: dict) -> None:
        written["rope_parameters"] = {"rope_type": "default", "rope_theta": 10000.0, key: usual}

    return Switch(name, apply, undo)


def qwen_window(config: dict, rng: random.Random) -> None:
    config.update(use_sliding_window=True, sliding_window=rng.choice([3, 7, 17]), max_window_layers=rng.choice([0, 1]))


QWEN_WINDOW = Switch("window", qwen_window, lambda written: written.update(use_sliding_window=False))


def smol_window(config: dict, rng: random.Random) -> None:
    # Layers without rotation have it: one of four.
    config.update(use_sliding_window=True, sliding_window=rng.choice([3, 7, 17]), num_hidden_layers=4)


def no_interval(written: dict) -> None:
    # Configurations are written with the list that follows from it.
    written.update(no_rope_layer_interval=4, no_rope_layers=None)


def layer_types(config: dict, rng: random.Random) -> None:
    config.update(sliding_window=rng.choice([3, 7]), num_hidden_layers=4)
    config.update(layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"])


LAYER_TYPES = Switch("layer_types", layer_types, lambda written: written.pop("layer_types"))


def local_rope(config: dict, rng: random.Random) -> None:
    config["rope_parameters"] = {
        "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 200.0}}
    config.update(sliding_window=5, layer_types=["sliding_attention", "full_attention"] * 2, num_hidden_layers=4)


LOCAL_ROPE = Switch("local_rope", local_rope, lambda written: written.pop("rope_parameters"))


def longrope(config: dict, rng: random.Random) -> None:
    """The original context ends within one of the prompts, and within what another goes on with."""
    pairs = config["hidden_size"] // config["num_attention_heads"] // 2
    factors = lambda most: [round(rng.uniform(1, most), 3) for _ in range(pairs)]
    config["rope_parameters"] = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": factors(1.5),
                                 "long_factor": factors(8)}
    config.update({ORIGINAL: rng.choice([16, 42]), "max_position_embeddings": 256})


def mpt(attention: str, value, undone) -> Switch:
    return Switch(attention, lambda config, rng: config["attn_config"].update({attention: value}),
                  lambda written: written["attn_config"].update({attention: undone}))


LEARNED = {"max_position_embeddings": 128}


def falcon_new(config: dict, rng: random.Random) -> None:
    config.update(new_decoder_architecture=True, parallel_attn=True, num_attention_heads=6, num_kv_heads=3, hidden_size=48)


def falcon_old(config: dict) -> None:
    config.update(new_decoder_architecture=False, num_ln_in_parallel_attn=None)
    config.pop("num_kv_heads", None)  # as many as heads, or one


def falcon_alibi(config: dict, rng: random.Random) -> None:
    # The reference rounds what other numbers of heads give to bfloat16.
    config.update(alibi=True, num_attention_heads=4, hidden_size=64)
    if config.get("new_decoder_architecture"):
        config.update(num_kv_heads=2)


FAMILIES: dict[str, Family] = {
    "qwen2": Family("Qwen2Config", [QWEN_WINDOW, TIED, THETA]),
    "qwen3": Family("Qwen3Config", [QWEN_WINDOW, TIED, THETA, HEAD_DIM, BIAS]),
    "mistral": Family("MistralConfig", [TIED, THETA, HEAD_DIM, WINDOW], lambda sizes: {"sliding_window": None}),
    "ministral": Family(
        "MinistralConfig", [TIED, THETA, HEAD_DIM, WINDOW, LAYER_TYPES],
        lambda sizes: {"sliding_window": 9, "head_dim": sizes["hidden_size"] // sizes["num_attention_heads"]}),
    "ministral3": Family(
        "Ministral3Config",
        [TIED, WINDOW, rope("beta", rope_type="yarn", factor=4.0, original_max_position_embeddings=16, mscale=1.0,
                            mscale_all_dim=1.0, llama_4_scaling_beta=0.5, rope_theta=10000.0)],
        lambda sizes: HEADS | {"rope_parameters": {
            "rope_type": "yarn", "factor": 2.0, ORIGINAL: 32, "mscale": 1.0, "mscale_all_dim": 1.0,
            "llama_4_scaling_beta": 0.1, "rope_theta": 10000.0}}),
    "gemma": Family("GemmaConfig", [TIED, THETA, HEAD_DIM, BIAS, key("hidden_act", "relu", "gelu_pytorch_tanh")],
                    lambda sizes: HEADS),
    "gemma2": Family(
        "Gemma2Config",
        [TIED, THETA, BIAS, WINDOW, LAYER_TYPES, key("query_pre_attn_scalar", 60, 16),
         key("attn_logit_softcapping", lambda rng: rng.choice([0.7, 2.0]), None),
         key("final_logit_softcapping", lambda rng: rng.choice([1.5, 4.0]), None)],
        lambda sizes: HEADS | {"sliding_window": 9, "query_pre_attn_scalar": 16, "attn_logit_softcapping": 1.5,
                               "final_logit_softcapping": None}),
    "gemma3_text": Family(
        "Gemma3TextConfig",
        [TIED, BIAS, WINDOW, LAYER_TYPES, LOCAL_ROPE, key("query_pre_attn_scalar", 60, 16),
         key("final_logit_softcapping", 2.0, None)],
        lambda sizes: HEADS | {"sliding_window": 9, "query_pre_attn_scalar": 16}),
    "gpt2": Family(
        "GPT2Config",
        [TIED, key("activation_function", "gelu", "gelu_new"), key("n_inner", 60, None),
         key("scale_attn_weights", False, True), key("scale_attn_by_inverse_layer_idx", True, False)],
        lambda sizes: LEARNED, GPT),
    "gptj": Family(
        "GPTJConfig", [TIED, key("rotary_dim", 8, 4), key("n_inner", 60, None)],
        lambda sizes: LEARNED | {"rotary_dim": 6, "hidden_size": 16 * sizes["num_attention_heads"]}, GPT),
    "codegen": Family(
        "CodeGenConfig", [TIED, key("rotary_dim", 8, 4), key("n_inner", 60, None)],
        lambda sizes: LEARNED | {"rotary_dim": 4, "num_attention_heads": 8, "hidden_size": 64}, GPT),
    "phi": Family(
        "PhiConfig", [TIED, share("share", 0.5), key("qk_layernorm", True, False), key("hidden_act", "relu", "gelu_new")]),
    "phi3": Family(
        "Phi3Config",
        [TIED, WINDOW, share("share", 1.0), Switch("longrope", longrope, lambda written: written.update(
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))]),
    "smollm3": Family(
        "SmolLM3Config",
        [TIED, THETA, BIAS, MLP_BIAS,
         Switch("window", smol_window, lambda written: written.update(use_sliding_window=False, layer_types=None)),
         Switch("no_rope_layers", lambda c, rng: c.update(no_rope_layers=[0, 1, 0, 1], num_hidden_layers=4),
                lambda written: written.update(no_rope_layers=[1, 1, 0, 1])),
         Switch("no_rope_layer_interval", lambda c, rng: c.update(no_rope_layer_interval=2), no_interval)]),
    "seed_oss": Family(
        "SeedOssConfig",
        [TIED, THETA, HEAD_DIM, key("attention_bias", False, True), key("attention_out_bias", True, False), MLP_BIAS]),
    "granite": Family(
        "GraniteConfig",
        [TIED, THETA, BIAS, MLP_BIAS,
         key("embedding_multiplier", lambda rng: rng.choice([0.5, 1.5, 3]), 1.0),
         key("attention_multiplier", lambda rng: rng.choice([0.1, 0.25]), 1.0),
         key("residual_multiplier", lambda rng: rng.choice([0.6, 1.4]), 1.0),
         key("logits_scaling", lambda rng: rng.choice([0.5, 2, 8]), 1.0)],
        lambda sizes: {"attention_multiplier": 0.3}),
    "olmo": Family("OlmoConfig", [TIED, THETA, BIAS, key("clip_qkv", lambda rng: rng.choice([0.3, 1.0]), None)]),
    "olmo2": Family("Olmo2Config", [TIED, THETA, BIAS, ACTIVATION]),
    "olmo3": Family("Olmo3Config", [TIED, BIAS, WINDOW, LAYER_TYPES, LOCAL_ROPE], lambda sizes: {"sliding_window": 9}),
    "gpt_neox": Family(
        "GPTNeoXConfig",
        [TIED, share("share", 0.25), key("use_parallel_residual", False, True), key("attention_bias", False, True),
         key("hidden_act", "gelu_new", "relu")], keys=NO_GROUPS),
    "opt": Family(
        "OPTConfig",
        [TIED, key("do_layer_norm_before", False, True), key("enable_bias", False, True),
         key("layer_norm_elementwise_affine", False, True), key("activation_function", "gelu", "relu"),
         Switch("word_embed_proj_dim", lambda c, rng: c.update(word_embed_proj_dim=20),
                lambda written: written.pop("word_embed_proj_dim"))],
        lambda sizes: LEARNED | {"word_embed_proj_dim": sizes["hidden_size"]},
        NO_GROUPS | {"intermediate_size": "ffn_dim"}),
    "cohere": Family(
        "CohereConfig", [TIED, THETA, BIAS, key("use_qk_norm", True, False), key("logit_scale", 0.3, 0.0625)]),
    "cohere2": Family(
        "Cohere2Config", [TIED, THETA, BIAS, WINDOW, LAYER_TYPES, key("logit_scale", 0.3, 0.0625)],
        lambda sizes: HEADS | {"sliding_window": 9, "logit_scale": 1.0}),
    "glm": Family("GlmConfig", [TIED, HEAD_DIM, share("share", 0.5), key("attention_bias", False, True)],
                  lambda sizes: HEADS),
    "glm4": Family("Glm4Config", [TIED, HEAD_DIM, share("share", 0.5), key("attention_bias", False, True)],
                   lambda sizes: HEADS),
    "stablelm": Family(
        "StableLmConfig",
        [TIED, share("share", 0.25), key("use_qkv_bias", True, False), key("qk_layernorm", True, False),
         key("use_parallel_residual", True, False)]),
    "starcoder2": Family(
        "Starcoder2Config", [TIED, THETA, WINDOW, key("use_bias", False, True), key("hidden_act", "relu", "gelu_pytorch_tanh")],
        lambda sizes: {"sliding_window": None}),
    "exaone": Family("ExaoneConfig", [TIED, THETA, BIAS, MLP_BIAS, ACTIVATION]),
    "exaone4": Family(
        "Exaone4Config", [TIED, THETA, WINDOW, LAYER_TYPES], lambda sizes: {"sliding_window": 9}),
    "nemotron": Family(
        "NemotronConfig", [TIED, HEAD_DIM, share("share", 0.5), BIAS, MLP_BIAS, key("hidden_act", "silu", "relu2")],
        lambda sizes: HEADS),
    "internlm3": Family(
        "InternLM3Config", [TIED, THETA, Switch("bias", lambda c, rng: c.update(attention_bias=True, mlp_bias=True),
                                                lambda written: written.update(attention_bias=False, mlp_bias=False))],
        lambda sizes: HEADS),
    "ernie4_5": Family("Ernie4_5Config", [TIED, THETA, HEAD_DIM, key("use_bias", True, False)], lambda sizes: HEADS),
    "hunyuan_v1_dense": Family(
        "HunYuanDenseV1Config",
        [TIED, BIAS, HEAD_DIM, rope("alpha", rope_type="dynamic", alpha=50.0, factor=1.0)], lambda sizes: HEADS),
    "falcon": Family(
        "FalconConfig",
        [TIED, key("bias", True, False),
         Switch("new_decoder_architecture", falcon_new, lambda written: written.update(new_decoder_architecture=False)),
         Switch("num_ln_in_parallel_attn", lambda c, rng: falcon_new(c, rng) or c.update(num_ln_in_parallel_attn=1),
                lambda written: written.update(num_ln_in_parallel_attn=2)),
         Switch("multi_query", lambda c, rng: falcon_old(c) or c.update(multi_query=False),
                lambda written: written.update(multi_query=True)),
         Switch("parallel_attn", lambda c, rng: falcon_old(c) or c.update(parallel_attn=False),
                lambda written: written.update(parallel_attn=True)),
         Switch("alibi", falcon_alibi, lambda written: written.update(alibi=False)), key("ffn_hidden_size", 70, None),
         key("activation", "relu", "gelu")],
        keys=NO_GROUPS | {"intermediate_size": ""}),
    "bloom": Family(
        "BloomConfig", [TIED, key("apply_residual_connection_post_layernorm", True, False)],
        keys=GPT | {"hidden_size": "hidden_size", "max_position_embeddings": ""}),
    "mpt": Family(
        "MptConfig",
        [TIED, mpt("clip_qkv", 0.5, None), mpt("softmax_scale", 0.6, None)],
        lambda sizes: {"attn_config": {"clip_qkv": None}, "max_position_embeddings": 128},
        {"hidden_size": "d_model", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
         "vocab_size": "vocab_size", "max_position_embeddings": "max_seq_len",
         "tie_word_embeddings": "tie_word_embeddings"}),
}

def experts(count: str = "num_experts", width: str = "moe_intermediate_size", chosen: str = "num_experts_per_tok", **others):
    """Sizes of a model with experts: of few, so that tokens share them."""
    return lambda sizes: {count: 6, width: sizes["intermediate_size"] // 2, chosen: 2} | others


NORMED = key("norm_topk_prob", True, False)
GROUPS = Switch("groups", lambda c, rng: c.update(n_group=3, topk_group=rng.choice([1, 2])),
                lambda written: written.update(n_group=1, topk_group=1))
FACTOR = key("routed_scaling_factor", 1.7, 1.0)
SHARED = key("n_shared_experts", 2, 1)
DENSE = key("first_k_dense_replace", 1, 0)

FAMILIES |= {
    "qwen2_moe": Family(
        "Qwen2MoeConfig",
        [TIED, QWEN_WINDOW, NORMED, key("mlp_only_layers", [1], []), key("decoder_sparse_step", 2, 1),
         key("qkv_bias", False, True)],
        experts(shared_expert_intermediate_size=21)),
    "qwen3_moe": Family(
        "Qwen3MoeConfig", [TIED, BIAS, HEAD_DIM, NORMED, key("mlp_only_layers", [1], []), key("decoder_sparse_step", 2, 1)],
        experts()),
    "mixtral": Family("MixtralConfig", [TIED, WINDOW, HEAD_DIM], experts("num_local_experts", "intermediate_size")),
    "olmoe": Family(
        "OlmoeConfig", [TIED, BIAS, NORMED, key("clip_qkv", 0.6, None)], experts(width="intermediate_size")),
    "granitemoe": Family(
        "GraniteMoeConfig",
        [TIED, BIAS, key("embedding_multiplier", 3.0, 1.0), key("attention_multiplier", 0.1, 1.0),
         key("residual_multiplier", 0.6, 1.0), key("logits_scaling", 2.0, 1.0)],
        experts("num_local_experts", "intermediate_size", attention_multiplier=0.3)),
    "gpt_oss": Family(
        "GptOssConfig", [TIED, BIAS, WINDOW, LAYER_TYPES, rope(
            "yarn", rope_type="yarn", factor=8.0, original_max_position_embeddings=16, truncate=False, beta_fast=32.0,
            beta_slow=1.0, rope_theta=10000.0)],
        experts("num_local_experts", "intermediate_size", head_dim=16, sliding_window=9, attention_bias=False,
                rope_parameters={"rope_type": "default", "rope_theta": 10000.0})),
    "glm4_moe": Family(
        "Glm4MoeConfig",
        [TIED, BIAS, share("share", 0.5), key("use_qk_norm", True, False), key("norm_topk_prob", False, True), GROUPS, FACTOR,
         SHARED, DENSE],
        experts("n_routed_experts", head_dim=16, first_k_dense_replace=0, n_shared_experts=1)),
    "dots1": Family(
        "Dots1Config", [TIED, BIAS, LAYER_TYPES, NORMED, GROUPS, FACTOR, SHARED, DENSE],
        experts("n_routed_experts", head_dim=16, n_shared_experts=1)),
    "ernie4_5_moe": Family(
        "Ernie4_5_MoeConfig",
        [TIED, THETA, key("use_bias", True, False), key("moe_num_shared_experts", 2, 1), key("moe_layer_start_index", 2, 0),
         key("moe_layer_end_index", 1, -1), key("moe_layer_interval", 2, 1)],
        experts("moe_num_experts", chosen="moe_k", moe_num_shared_experts=1, moe_layer_start_index=0, head_dim=16)),
}

HYBRID = dict(head_dim=16, linear_key_head_dim=8, linear_value_head_dim=12, linear_num_key_heads=2, linear_num_value_heads=4,
              num_hidden_layers=4, rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.25})
HYBRID_SWITCHES = [
    TIED, BIAS, share("share", 0.25), key("linear_conv_kernel_dim", 3, 4), key("linear_num_key_heads", 4, 2),
    Switch("layer_types", lambda c, rng: c.update(layer_types=["full_attention", "linear_attention"] * 2),
           lambda written: written.pop("layer_types"))]


def short_convolutions(config: dict, rng: random.Random) -> None:
    config.update(layer_types=["conv", "full_attention", "conv", "conv"], num_hidden_layers=4)


LFM_TYPES = Switch("layer_types", short_convolutions, lambda written: written.pop("layer_types"))
FAMILIES |= {
    "qwen3_5_text": Family("Qwen3_5TextConfig", HYBRID_SWITCHES, lambda sizes: HYBRID),
    "qwen3_5_moe_text": Family(
        "Qwen3_5MoeTextConfig", HYBRID_SWITCHES,
        lambda sizes: experts(shared_expert_intermediate_size=21)(sizes) | HYBRID, USUAL | {"intermediate_size": ""}),
    "lfm2": Family(
        "Lfm2Config",
        [TIED, THETA, LFM_TYPES, key("conv_L_cache", 4, 3), key("conv_bias", True, False),
         key("block_auto_adjust_ff_dim", False, True), key("block_ffn_dim_multiplier", 1.5, 1.0)],
        lambda sizes: {"block_multiple_of": 8, "num_hidden_layers": 4,
                       "layer_types": ["conv", "conv", "full_attention", "conv"]}),
    "lfm2_moe": Family(
        "Lfm2MoeConfig",
        [TIED, THETA, LFM_TYPES, key("conv_L_cache", 4, 3), key("conv_bias", True, False), key("num_dense_layers", 2, 1),
         key("norm_topk_prob", False, True), FACTOR, key("use_expert_bias", False, True)],
        lambda sizes: experts()(sizes) | {
            "num_hidden_layers": 4, "num_dense_layers": 1, "layer_types": ["conv", "conv", "full_attention", "conv"]}),
}


def gemma4_types(config: dict, rng: random.Random) -> None:
    config.update(layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"] * 2,
                  num_hidden_layers=8)


def gemma4_experts(config: dict, rng: random.Random) -> None:
    config.update(enable_moe_block=True, num_experts=6, top_k_experts=2, moe_intermediate_size=20)


def gemma4_shared(config: dict, rng: random.Random) -> None:
    # The reference cannot share without inputs of layers.
    config.update(num_kv_shared_layers=3, num_hidden_layers=8, layer_types=["sliding_attention", "full_attention"] * 4,
                  hidden_size_per_layer_input=6)


GEMMA4_ROPE = Switch(
    "rope", lambda c, rng: c.update(rope_parameters={
        "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.5, "rope_theta": 5000.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 200.0}}), lambda written: written.pop("rope_parameters"))
FAMILIES["gemma4_text"] = Family(
    "Gemma4TextConfig",
    [TIED, BIAS, WINDOW, key("hidden_size_per_layer_input", 0, 6), Switch("layer_types", gemma4_types, lambda written: written.pop("layer_types")), GEMMA4_ROPE,
     key("final_logit_softcapping", 2.0, None),
     Switch("attention_k_eq_v", lambda c, rng: c.update(attention_k_eq_v=True, num_global_key_value_heads=1),
            lambda written: written.update(attention_k_eq_v=False)),
     Switch("num_kv_shared_layers", gemma4_shared, lambda written: written.update(num_kv_shared_layers=0)),
     Switch("use_double_wide_mlp", lambda c, rng: gemma4_shared(c, rng) or c.update(use_double_wide_mlp=True),
            lambda written: written.update(use_double_wide_mlp=False)),
     Switch("experts", gemma4_experts, lambda written: written.update(enable_moe_block=False))],
    lambda sizes: HEADS | {
        "sliding_window": 9, "global_head_dim": 32, "hidden_size_per_layer_input": 6,
        "vocab_size_per_layer_input": sizes["vocab_size"], "num_hidden_layers": 6})

TOWER = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=16, patch_size=8)
# Sizes that gemma-3-4b's configuration leaves out.
BARE = Switch("bare", lambda c, rng: c.update(num_attention_heads=8, num_key_value_heads=4, head_dim=256, hidden_size=64),
              lambda written: None)


def wrapped(
    family: str, wrapper: str, around: dict, *switches: Switch, without: str = "", written: Callable = published.bare
) -> Family:
    inner = FAMILIES[family]

    def within(switch: Switch) -> Switch:
        return Switch(switch.name, switch.apply, lambda written: switch.undo(written["text_config"]))

    return Family(inner.config, [within(s) for s in [*inner.switches, *switches] if s.name != without], inner.always, inner.keys,
                  wrapper, around, written, True)


# The model around Gemma 3 does not cap its logits, whatever the configuration says.
FAMILIES["gemma3"] = wrapped(
    "gemma3_text", "Gemma3Config", {"vision_config": TOWER}, BARE, without="final_logit_softcapping")
FAMILIES["gemma4"] = wrapped(
    "gemma4_text", "Gemma4Config",
    {"vision_config": dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
                           num_key_value_heads=2, head_dim=8), "audio_config": None}, written=published.gemma4)
FAMILIES["gemma4"].pad = 0
for inner, outer in (("qwen3_5_text", "Qwen3_5Config"), ("qwen3_5_moe_text", "Qwen3_5MoeConfig")):
    FAMILIES[inner.removesuffix("_text")] = wrapped(inner, outer, {"vision_config": dict(
        depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=16, patch_size=4)})
FAMILIES["mistral3"] = wrapped("mistral", "Mistral3Config", {"vision_config": TOWER | {"head_dim": 8}})
FAMILIES["internlm2"] = Family(
    "LlamaConfig",
    [TIED, THETA, Switch("bias", lambda c, rng: c.update(attention_bias=True), lambda written: written.update(bias=False))],
    published=published.internlm2)
FAMILIES["minicpm"] = Family(
    "GraniteConfig",
    [TIED, THETA, Switch("scale_emb", lambda c, rng: c.update(embedding_multiplier=3.0), lambda w: w.update(scale_emb=1.0)),
     Switch("scale_depth", lambda c, rng: c.update(residual_multiplier=0.6), lambda w: w.update(scale_depth=3.0)),
     Switch("dim_model_base", lambda c, rng: c.update(logits_scaling=0.5), lambda w: w.update(dim_model_base=w["hidden_size"]))],
    lambda sizes: {"attention_multiplier": (sizes["hidden_size"] // sizes["num_attention_heads"]) ** -0.5},
    published=published.minicpm)

FAMILIES["gpt_oss_packed"] = Family(
    "GptOssConfig", FAMILIES["gpt_oss"].switches,
    lambda sizes: FAMILIES["gpt_oss"].always(sizes) | {"hidden_size": 64, "intermediate_size": 96},
    published=published.gpt_oss, rounds=published.round_to_packed)

# Whose switches stand for something that the file's other keys or the weights say too.
UNSEEN = {"tied", "head_dim", "bare"}


@dataclass
class Case:
    family: str
    seed: int
    dtype: str = "f32"
    switches: list[str] = field(default_factory=list)
    arguments: dict = field(default_factory=dict)
    eos: list[int] = field(default_factory=list)

    @property
    def vocab_size(self) -> int:
        return self.arguments["vocab_size"]

    @property
    def left_out(self) -> float:
        """Where experts are chosen, a last bit may choose others."""
        return 0.1 if any("expert" in name or name.startswith("moe_") for name in self.arguments) else 0

    @property
    def allowed(self) -> float:
        """Of a log-probability in float32. A delta net goes on from the last bits of its states."""
        return 5e-4 if self.has_states else LOGPROB

    @property
    def has_states(self) -> bool:
        return "linear_num_key_heads" in self.arguments

    @property
    def attention(self) -> str:
        """Eager attention of Falcon adds the slopes twice (5.24): once itself, once in the mask."""
        return "sdpa" if self.family == "falcon" and self.arguments.get("alibi") else "eager"

    @property
    def num_hidden_layers(self) -> int:
        return self.arguments["num_hidden_layers"]

    def config(self):
        family = FAMILIES[self.family]
        keys = family.keys or USUAL
        arguments = {keys.get(name, "" if name in USUAL else name): value for name, value in self.arguments.items()}
        arguments.pop("", None)
        ends = dict(bos_token_id=None, eos_token_id=None, pad_token_id=family.pad)
        config = getattr(transformers, family.config)(**arguments, **ends)
        if family.wrapper is None:
            return config
        tied = arguments["tie_word_embeddings"]
        return getattr(transformers, family.wrapper)(
            text_config=config.to_dict(), tie_word_embeddings=tied, **family.around, bos_token_id=None, eos_token_id=None)


def draw(family: str, seed: int, dtype: str, forced: str | None = None) -> Case:
    rng = random.Random(seed)
    case = Case(family, seed, dtype, arguments=sizes(rng))
    case.arguments |= FAMILIES[family].always(case.arguments)
    for switch in FAMILIES[family].switches:
        if rng.random() < 0.5 or switch.name == forced:
            switch.apply(case.arguments, rng)
            case.switches.append(switch.name)
        if switch.name == forced:  # what comes behind it might undo it
            break
    return case
