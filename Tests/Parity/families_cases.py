"""What is drawn of each family: sizes, and the switches that its configurations have.

A family is a function that turns drawn sizes into a configuration of transformers, and a list of switches. A switch is set
in about half the draws; `undo` takes it out of the written config.json again, to see that this would be caught.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import transformers


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


def sizes(rng: random.Random) -> dict:
    """Never as many key-value heads as heads, nor heads that fill the hidden size; the original context is short."""
    kv = rng.choice([1, 2, 3])
    heads = kv * rng.choice([2, 3])
    return dict(
        vocab_size=rng.randint(97, 700), hidden_size=heads * rng.choice([8, 12, 20]), num_hidden_layers=rng.randint(2, 4),
        intermediate_size=rng.randint(33, 120), num_attention_heads=heads, num_key_value_heads=kv,
        max_position_embeddings=rng.choice([32, 64]), tie_word_embeddings=False)


def key(name: str, value, undone) -> Switch:
    """One key of the configuration: a value, or a function that draws one; `undone` is what stands for its absence."""
    def apply(config: dict, rng: random.Random) -> None:
        config[name] = value(rng) if callable(value) else value

    def undo(written: dict) -> None:
        written[name] = undone

    return Switch(name, apply, undo)


TIED = Switch("tied", lambda config, rng: config.update(tie_word_embeddings=True), lambda written: None)
HEAD_DIM = Switch("head_dim", lambda config, rng: config.update(head_dim=rng.choice([8, 16, 24])), lambda written: None)
THETA = Switch(
    "theta", lambda config, rng: config.update(rope_parameters={"rope_type": "default", "rope_theta": 500.0}),
    lambda written: written.update(rope_parameters={"rope_type": "default", "rope_theta": 10000.0}))


def qwen_window(config: dict, rng: random.Random) -> None:
    config.update(use_sliding_window=True, sliding_window=rng.choice([3, 7, 17]), max_window_layers=rng.choice([0, 1]))


QWEN_WINDOW = Switch("window", qwen_window, lambda written: written.update(use_sliding_window=False))


WINDOW = key("sliding_window", lambda rng: rng.choice([3, 7, 17]), None)


def smol_window(config: dict, rng: random.Random) -> None:
    config.update(use_sliding_window=True, sliding_window=rng.choice([3, 7, 17]))


def no_smol_window(written: dict) -> None:
    written.update(use_sliding_window=False)


def no_interval(written: dict) -> None:
    # Configurations are written with the list that follows from it.
    written.update(no_rope_layer_interval=4, no_rope_layers=None)


def layer_types(config: dict, rng: random.Random) -> None:
    config.update(sliding_window=rng.choice([3, 7]), layer_types=["sliding_attention", "full_attention"] * 2)
    config.update(num_hidden_layers=4)


LAYER_TYPES = Switch("layer_types", layer_types, lambda written: written.pop("layer_types"))

FAMILIES: dict[str, Family] = {
    "qwen2": Family("Qwen2Config", [QWEN_WINDOW, TIED, THETA]),
    "qwen3": Family("Qwen3Config", [QWEN_WINDOW, TIED, THETA, HEAD_DIM, key("attention_bias", True, False)]),
    "mistral": Family(
        "MistralConfig",
        [TIED, THETA, HEAD_DIM, WINDOW],
        lambda sizes: {"sliding_window": None}),
    "ministral": Family(
        "MinistralConfig", [TIED, THETA, HEAD_DIM, WINDOW, LAYER_TYPES],
        lambda sizes: {"sliding_window": 9, "head_dim": sizes["hidden_size"] // sizes["num_attention_heads"]}),
    "smollm3": Family(
        "SmolLM3Config",
        [TIED, THETA, key("attention_bias", True, False), key("mlp_bias", True, False), Switch("window", smol_window, no_smol_window),
         Switch("no_rope_layers", lambda c, rng: c.update(no_rope_layers=[0, 1, 0, 1], num_hidden_layers=4),
                lambda written: written.update(no_rope_layers=[1, 1, 0, 1])),
         Switch("no_rope_layer_interval", lambda c, rng: c.update(no_rope_layer_interval=2), no_interval)]),
    "seed_oss": Family(
        "SeedOssConfig",
        [TIED, THETA, HEAD_DIM, key("attention_bias", False, True), key("attention_out_bias", True, False),
         key("mlp_bias", True, False)]),
    "granite": Family(
        "GraniteConfig",
        [TIED, THETA, key("attention_bias", True, False), key("mlp_bias", True, False),
         key("embedding_multiplier", lambda rng: rng.choice([0.5, 1.5, 3]), 1.0),
         key("attention_multiplier", lambda rng: rng.choice([0.1, 0.25]), 1.0),
         key("residual_multiplier", lambda rng: rng.choice([0.6, 1.4]), 1.0),
         key("logits_scaling", lambda rng: rng.choice([0.5, 2, 8]), 1.0)],
        lambda sizes: {"attention_multiplier": 0.3}),
}

# Whose switches stand for something that the file's other keys or the weights say too.
UNSEEN = {"tied", "head_dim"}


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
    def num_hidden_layers(self) -> int:
        return self.arguments["num_hidden_layers"]

    def config(self):
        return getattr(transformers, FAMILIES[self.family].config)(
            **self.arguments, bos_token_id=None, eos_token_id=None, pad_token_id=None)


def draw(family: str, seed: int, dtype: str, forced: str | None = None) -> Case:
    rng = random.Random(seed)
    case = Case(family, seed, dtype, arguments=sizes(rng))
    case.arguments |= FAMILIES[family].always(case.arguments)
    for switch in FAMILIES[family].switches:
        if rng.random() < 0.5 or switch.name == forced:
            switch.apply(case.arguments, rng)
            case.switches.append(switch.name)
    return case
