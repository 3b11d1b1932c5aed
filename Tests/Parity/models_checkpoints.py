"""Draws tiny Llama checkpoints: any option of the family, in the spellings that published checkpoints use."""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from models_layouts import FOLDERS, ORIGINAL, STALE, TWICE, lay_out

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
NAMES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
OTHER_NAMES = {"f32": ["float", "float64", "double"], "bf16": ["bfloat16"], "f16": ["half"]}


@dataclass
class Options:
    seed: int
    hidden_size: int = 32
    num_hidden_layers: int = 2
    num_attention_heads: int = 4
    num_key_value_heads: int = 4
    head_dim: int | None = None
    intermediate_size: int = 48
    vocab_size: int = 100
    hidden_act: str = "silu"
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10_000.0
    rope: dict = field(default_factory=dict)  # without the kind's name: {"factor": 2.0}
    rope_kind: str = "default"
    rope_spelling: str = "new"  # "new": rope_parameters; "type" or "rope_type": rope_scaling and rope_theta
    attention_bias: bool = False
    mlp_bias: bool = False
    tied: bool = False
    max_position_embeddings: int = 64
    eos: list[int] = field(default_factory=list)
    generation_config: bool = True
    dtype: str = "f32"
    shard_bytes: int = 0
    text: bool = False
    sliding_window: int | None = None
    original_outside: bool = False  # the original length stands beside the rotary options, not among them
    head: str = "usual"  # of a tied checkpoint also "own" (stored, and not the table) and "alone" (without a table)
    bare: bool = False  # names without `model.`
    doubles: bool = False  # stored as F64
    dtype_name: str | None = None  # None: the usual one
    architectures: str = "usual"  # or "absent" or a key of ARCHITECTURES
    shards: str = "plain"
    consolidated: bool = False
    gain: float = 1.5  # of the layers' matrices: how far they move a vector, and magnify a rounding

    @property
    def width(self) -> int:
        return self.head_dim or self.hidden_size // self.num_attention_heads

    def describe(self) -> str:
        rope = self.rope_kind + (f" {self.rope}" if self.rope else "") + f" as {self.rope_spelling}"
        switches = ("attention_bias", "mlp_bias", "tied", "text", "original_outside", "bare", "doubles", "consolidated")
        extras = [name for name in switches if getattr(self, name)]
        usual = {"head": "usual", "dtype_name": None, "architectures": "usual", "shards": "plain", "sliding_window": None}
        extras += [f"{name}={getattr(self, name)}" for name in usual if getattr(self, name) != usual[name]]
        return (f"{self.dtype} layers={self.num_hidden_layers} hidden={self.hidden_size} heads={self.num_attention_heads}"
                f"/{self.num_key_value_heads}x{self.width} mlp={self.intermediate_size} {self.hidden_act} "
                f"vocab={self.vocab_size} rope={rope} theta={self.rope_theta:g} context={self.max_position_embeddings} "
                f"eos={self.eos} shards={'yes' if self.shard_bytes else 'no'} {' '.join(extras)}".strip())


def draw(seed: int) -> Options:
    """Any configuration of the family, decided by the seed alone."""
    rng = random.Random(seed)
    heads = rng.choice([1, 2, 3, 4, 6, 8])
    kv_heads = rng.choice([count for count in range(1, heads + 1) if heads % count == 0])
    hidden = heads * rng.choice([4, 6, 8, 10, 12, 16])
    hidden *= 2 if hidden < 24 else 1
    options = Options(
        seed, hidden, rng.randint(1, 3), heads, kv_heads,
        # None leaves the width to hidden / heads, which must then be even for the rotation.
        head_dim=rng.choice([8, 12, 16, 20, 24, 32]) if rng.random() < 0.5 or (hidden // heads) % 2 else None,
        intermediate_size=rng.randint(17, 150), vocab_size=rng.randint(97, 1200),
        hidden_act=rng.choices(["silu", "gelu", "gelu_pytorch_tanh", "relu"], [7, 1, 1, 1])[0],
        rms_norm_eps=rng.choice([1e-6, 1e-5, 1e-3]), rope_theta=rng.choice([100.0, 1234.5, 10_000.0, 500_000.0]),
        rope_kind=rng.choice(["default", "linear", "dynamic", "llama3", "yarn", "longrope", "proportional"]),
        rope_spelling=rng.choice(["new", "type", "rope_type"]),
        attention_bias=rng.random() < 0.3, mlp_bias=rng.random() < 0.3, tied=rng.random() < 0.4,
        max_position_embeddings=rng.choice([32, 64, 100, 256]), generation_config=rng.random() < 0.7,
        dtype=rng.choices(["f32", "bf16", "f16"], [2, 1, 1])[0],
        shard_bytes=rng.choice([0, 0, 20_000, 50_000]), text=rng.random() < 0.15, gain=1.2)
    if options.text:
        options.vocab_size += 260  # every byte has its token, and two are special
    options.rope = draw_rope(rng, options)
    options.eos = rng.sample(range(options.vocab_size), rng.choice([0, 1, 1, 3, 8]))
    draw_layout(rng, options)
    return options


def draw_layout(rng: random.Random, options: Options) -> None:
    options.original_outside = ORIGINAL in options.rope and rng.random() < 0.3
    if options.tied:
        options.head = rng.choices(["usual", "own", "alone"], [3, 2, 2])[0]
    options.bare = rng.random() < 0.2
    options.doubles = options.dtype == "f32" and rng.random() < 0.2
    options.dtype_name = rng.choice(OTHER_NAMES[options.dtype]) if rng.random() < 0.3 else None
    options.architectures = rng.choices(["usual", "absent", "null", "empty", "inner", "other"], [5, 1, 1, 1, 1, 1])[0]
    options.shards = rng.choices(["plain", STALE, TWICE, FOLDERS], [6, 1, 1, 1])[0]
    options.consolidated = rng.random() < 0.1
    options.sliding_window = rng.choice([2, 5, 17, 64]) if rng.random() < 0.12 else None


def draw_rope(rng: random.Random, options: Options) -> dict:
    factor = rng.choice([1.0, 1.5, 2.0, 4.0, 8.0])
    original = rng.choice([16, 32, 64])
    match options.rope_kind:
        case "linear" | "dynamic":
            return {"factor": factor}
        case "llama3":
            return {"factor": factor, "low_freq_factor": 1.0, "high_freq_factor": rng.choice([2.0, 4.0]),
                    ORIGINAL: original}
        case "yarn":
            options.max_position_embeddings = max(original, int(original * factor))
            rope = {"factor": factor, ORIGINAL: original}
            if rng.random() < 0.4:
                rope |= {"beta_fast": rng.choice([4.0, 16.0]), "beta_slow": rng.choice([0.5, 1.0])}
            if rng.random() < 0.3:
                rope["attention_factor"] = rng.choice([0.8, 1.3])
            elif rng.random() < 0.4:
                rope |= {"mscale": rng.choice([0.7, 1.0]), "mscale_all_dim": rng.choice([0.5, 1.0])}
            if rng.random() < 0.3:
                rope["truncate"] = rng.random() < 0.5
            return rope
        case "longrope":
            factors = lambda most: [round(rng.uniform(1, most), 3) for _ in range(options.width // 2)]
            rope = {"short_factor": factors(1.5), "long_factor": factors(8)}
            # Without it the model's positions are the original length.
            if rng.random() < 0.9:
                rope[ORIGINAL] = original
            if rng.random() < 0.4:
                rope["factor"] = factor
            if rng.random() < 0.3:
                rope["attention_factor"] = rng.choice([0.8, 1.3])
            return rope
        case "proportional":
            rope = {"partial_rotary_factor": rng.choice([0.25, 0.5, 0.75, 0.8, 1.0])} if rng.random() < 0.9 else {}
            return rope | ({"factor": factor} if rng.random() < 0.4 else {})
    return {}


@torch.no_grad()
def fill(model: LlamaForCausalLM, options: Options) -> None:
    """Weights that spread the logits, so that greedy paths tell, while f32 rounding stays far below 1e-4."""
    generator = torch.Generator().manual_seed(options.seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if name.endswith("norm.weight"):
            weight.copy_(1 + 0.2 * noise)
        elif name.endswith("bias"):
            weight.copy_(0.3 * noise)
        elif "embed_tokens" in name:
            weight.copy_((0.6 if options.tied else 1.0) * noise)
        elif "lm_head" in name:
            weight.copy_(3.0 / weight.shape[1] ** 0.5 * noise)
        else:
            gain = options.gain * 4 / 3 if "q_proj" in name or "k_proj" in name else options.gain
            weight.copy_(gain / weight.shape[1] ** 0.5 * noise)


def write_checkpoint(folder: Path, options: Options) -> None:
    config = LlamaConfig(
        vocab_size=options.vocab_size, hidden_size=options.hidden_size, intermediate_size=options.intermediate_size,
        num_hidden_layers=options.num_hidden_layers, num_attention_heads=options.num_attention_heads,
        num_key_value_heads=options.num_key_value_heads, head_dim=options.head_dim, hidden_act=options.hidden_act,
        max_position_embeddings=options.max_position_embeddings, rms_norm_eps=options.rms_norm_eps,
        rope_parameters={"rope_type": options.rope_kind, "rope_theta": options.rope_theta, **options.rope},
        attention_bias=options.attention_bias, mlp_bias=options.mlp_bias, tie_word_embeddings=options.tied,
        bos_token_id=None, eos_token_id=stop_ids(options), pad_token_id=None)
    model = LlamaForCausalLM(config).float()
    fill(model, options)
    model = model.to(DTYPES[options.dtype])
    model.generation_config = GenerationConfig(eos_token_id=stop_ids(options))
    model.save_pretrained(folder, max_shard_size=options.shard_bytes or "1GB")
    if not options.generation_config:
        (folder / "generation_config.json").unlink()
    respell(folder / "config.json", options)
    lay_out(folder, options)


def stop_ids(options: Options) -> int | list[int] | None:
    return None if not options.eos else options.eos[0] if len(options.eos) == 1 else options.eos


def respell(path: Path, options: Options) -> None:
    """Writes the rotary options as the drawn generation of checkpoints does."""
    config = json.loads(path.read_text())
    if options.rope_spelling != "new":
        config.pop("rope_parameters", None)
        config["torch_dtype"] = config.pop("dtype", NAMES[options.dtype])
        config["rope_theta"] = options.rope_theta
        config["rope_scaling"] = None
        if options.rope_kind != "default":
            config["rope_scaling"] = {options.rope_spelling: options.rope_kind, **options.rope}
        # Old checkpoints leave the width out when it is hidden / heads.
        if options.head_dim is None:
            config.pop("head_dim", None)
    if options.sliding_window is not None:
        config["sliding_window"] = options.sliding_window
    path.write_text(json.dumps(config, indent=2) + "\n")
