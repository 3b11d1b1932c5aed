"""Small random models in GGUF files as llama.cpp's converter writes them, and beside each the same in float32 for transformers.

    python Tests/Parity/quantized_gguf.py TYPE SEED FOLDER                 writes FOLDER/quantized/model.gguf and FOLDER/floats
    python Tests/Parity/quantized_gguf.py --check [--count 5] [--seed S]   against transformers' reader of such files

The package `gguf` quantizes the simple types; of the others valid blocks are drawn, and it says what they stand for. Rows that a
type's blocks do not fill have the type that llama.cpp falls back to.
"""

import random
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy
import torch
import transformers
from gguf import GGMLQuantizationType as Type
from safetensors.torch import load_file, save_file

from apus_command import parsed, script
from families import perturb
from models_reference import model_class
from quantized_checkpoints import Sizes, Written
from quantized_reference import Reading

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL",
         "IQ4_XS", "MXFP4"]
# Where no whole blocks fill a row.
INSTEAD = {"Q2_K": "IQ4_NL", "Q3_K": "IQ4_NL", "IQ4_XS": "IQ4_NL", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
# Of a block: where the scale lies, and where the factor of the offsets does, which centres codes up to the third number.
SCALES = {"Q2_K": (80, 82, 3), "Q3_K": (108, None, 0), "Q4_K": (0, 2, 15), "Q5_K": (0, 2, 31), "Q6_K": (208, None, 0),
          "IQ4_NL": (0, None, 0), "IQ4_XS": (0, None, 0)}
# The numbers that `general.file_type` has for what a file is mostly made of.
FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K": 12, "Q4_K": 15,
              "Q5_K": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30, "BF16": 32, "MXFP4": 38}
NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
OUTER = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}


@dataclass
class Case(Sizes):
    format: str
    seed: int
    family: str
    head: str  # type of the head and the table
    arguments: dict
    eos: list = field(default_factory=list)
    has_experts: bool = False

    @property
    def rest(self) -> str:
        """Other roundings than those of the products' inputs."""
        return {"F16": "f16", "BF16": "bf16"}.get(self.format, "f32")

    @property
    def widened(self) -> bool:
        return self.format in ("F32", "F16", "BF16")

    @property
    def width(self) -> int:
        return self.arguments.get("head_dim") or self.arguments["hidden_size"] // self.arguments["num_attention_heads"]

    def describe(self) -> str:
        return f"{self.family} head={self.head} {self.arguments}"


def draw(kind: str, seed: int) -> Case:
    rng = random.Random(seed)
    family = rng.choice(["llama", "llama", "qwen2"])
    block = gguf.GGML_QUANT_SIZES[Type[kind]][0]
    while True:
        kv = rng.choice([1, 2, 3])
        heads, width = kv * rng.choice([2, 3]), rng.choice([8, 16, 24, 32, 64, 128])
        own = family == "llama" and rng.random() < 0.5
        hidden = 32 * rng.randint(1, 8) if own else heads * width
        rows = [hidden, 32 * rng.randint(1, 8), heads * width]
        if hidden % 32 == hidden % heads == rows[2] % 32 == 0 and any(size % block == 0 for size in rows) and rows[2] <= 512:
            break
    rope = {"rope_theta": rng.choice([10_000.0, 500_000.0])}
    rope |= LLAMA3 if family == "llama" and rng.random() < 0.3 else {"rope_type": "default"}
    arguments = dict(
        vocab_size=rng.randint(270, 400), hidden_size=hidden, intermediate_size=rows[1], num_hidden_layers=rng.randint(1, 2),
        num_attention_heads=heads, num_key_value_heads=kv, max_position_embeddings=256, rms_norm_eps=rng.choice([1e-5, 1e-6]),
        tie_word_embeddings=rng.random() < 0.3, rope_parameters=rope, bos_token_id=0, eos_token_id=1)
    if own:
        arguments["head_dim"] = width
    if family == "llama":
        arguments["attention_bias"] = rng.random() < 0.3
    return Case(kind, seed, family, rng.choice([kind, kind, "Q6_K" if kind in SCALES else kind]), arguments, [1])


def type_of(kind: str, inputs: int) -> Type:
    while inputs % gguf.GGML_QUANT_SIZES[Type[kind]][0]:
        kind = INSTEAD[kind]
    return Type[kind]


def blocks(weight: numpy.ndarray, kind: Type, rng) -> numpy.ndarray:
    """Drawn blocks of about the matrix's size: only the scales are chosen."""
    size, bytes_each = gguf.GGML_QUANT_SIZES[kind]
    scale, offset, top = SCALES[kind.name]
    drawn = rng.integers(0, 256, (weight.shape[0], weight.shape[1] // size, bytes_each), dtype=numpy.uint8)

    def scaled(by: numpy.ndarray) -> numpy.ndarray:
        put = lambda place, values: drawn.__setitem__(
            (..., slice(place, place + 2)), values.astype(numpy.float16)[..., None].view(numpy.uint8))
        put(scale, by)
        if offset is not None:
            put(offset, by * top / 2)
        return gguf.quants.dequantize(drawn.reshape(weight.shape[0], -1), kind)

    made = scaled(numpy.full(drawn.shape[:2], 1 / 64))
    usual = weight.std() / made.std() / 64
    by = usual * rng.uniform(0.5, 1.5, drawn.shape[:2])
    scaled(by if offset is not None else by * rng.choice([-1, 1], drawn.shape[:2]))
    return drawn.reshape(weight.shape[0], -1)


def quantized(weight: torch.Tensor, kind: Type, rng) -> tuple[numpy.ndarray, torch.Tensor]:
    """What the file holds, and what that stands for."""
    values = weight.float().numpy()
    if kind in (Type.F32, Type.F16):
        stored = values.astype(numpy.float32 if kind == Type.F32 else numpy.float16)
        return stored, torch.from_numpy(stored.astype(numpy.float32))
    stored = blocks(values, kind, rng) if kind.name in SCALES else gguf.quants.quantize(values, kind)
    return stored, torch.from_numpy(gguf.quants.dequantize(stored, kind).astype(numpy.float32))


def paired(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows of heads whose halves turn together, so that neighbours do."""
    return tensor.reshape(heads, 2, -1, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)


def unpaired(tensor: torch.Tensor, heads: int) -> torch.Tensor:
    return tensor.reshape(heads, -1, 2, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)


def rope_factors(case: Case) -> torch.Tensor:
    """By what Llama 3 divides the frequencies."""
    rope, width = case.arguments["rope_parameters"], case.width
    lengths = 2 * torch.pi * rope["rope_theta"] ** (torch.arange(0, width, 2) / width)
    share = rope["original_max_position_embeddings"] / lengths
    smooth = ((share - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])).clamp(0, 1)
    return (1 / ((1 - smooth) / rope["factor"] + smooth)).float()


def characters() -> list[str]:
    """What byte-level tokenizers write bytes as."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def add_tokenizer(writer: gguf.GGUFWriter, case: Case) -> None:
    rng, tokens, merges = random.Random(case.seed), ["<|begin|>", "<|end|>"] + characters(), []
    while len(tokens) < case.vocab_size:
        first, second = rng.choice(tokens[2:]), rng.choice(tokens[2:])
        if first + second not in tokens:
            tokens.append(first + second)
            merges.append(f"{first} {second}")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre({"llama": "llama-bpe", "qwen2": "qwen2"}[case.family])
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3] + [1] * (len(tokens) - 2))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)


def add_metadata(writer: gguf.GGUFWriter, case: Case) -> None:
    own = case.arguments
    writer.add_name("a random model")
    writer.add_block_count(own["num_hidden_layers"])
    writer.add_context_length(own["max_position_embeddings"])
    writer.add_embedding_length(own["hidden_size"])
    writer.add_feed_forward_length(own["intermediate_size"])
    writer.add_head_count(own["num_attention_heads"])
    writer.add_head_count_kv(own["num_key_value_heads"])
    writer.add_rope_freq_base(own["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(own["rms_norm_eps"])
    writer.add_file_type(FILE_TYPES[case.format])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    if "head_dim" in own:
        writer.add_key_length(own["head_dim"])
        writer.add_value_length(own["head_dim"])
    if case.family == "llama":
        writer.add_vocab_size(own["vocab_size"])
        writer.add_rope_dimension_count(case.width)


def write(case: Case, folder: Path) -> Written:
    written = Written(folder / "quantized" / "model.gguf", folder / "floats", {})
    config = getattr(transformers, {"llama": "LlamaConfig", "qwen2": "Qwen2Config"}[case.family])(**case.arguments)
    torch.manual_seed(case.seed)
    model = model_class(config).from_config(config).float()
    perturb(model, case.seed)
    model.generation_config = transformers.GenerationConfig(eos_token_id=1)
    model.save_pretrained(written.floats)
    tensors, exact = load_file(written.floats / "model.safetensors"), {}
    written.quantized.parent.mkdir()
    writer, rng = gguf.GGUFWriter(written.quantized, case.family), numpy.random.default_rng(case.seed)
    add_metadata(writer, case)
    add_tokenizer(writer, case)
    if case.arguments["rope_parameters"]["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(case).numpy())
    for name, tensor in tensors.items():
        module, _, part = name.rpartition(".")
        place = module.removeprefix("model.layers.")
        renamed = OUTER.get(module) or "blk." + place.replace(place.partition(".")[2], NAMES.get(place.partition(".")[2], ""))
        heads = {"q_proj": case.arguments["num_attention_heads"], "k_proj": case.arguments["num_key_value_heads"]}.get(
            module.rpartition(".")[2]) if case.family == "llama" else None
        tensor = paired(tensor, heads) if heads else tensor
        kind = Type.F32 if tensor.dim() == 1 else type_of(case.head if module in OUTER else case.format, tensor.shape[1])
        stored, own = quantized(tensor, kind, rng)
        writer.add_tensor(f"{renamed}.{part}", stored, raw_dtype=kind)
        exact[name] = (unpaired(own, heads) if heads else own).contiguous()
        if kind not in (Type.F32, Type.F16, Type.BF16):
            written.orders[module] = Reading()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(exact, written.floats / "model.safetensors", {"format": "pt"})
    return written


def check(case: Case, folder: Path) -> str | None:
    """What transformers' own reader makes of the file; it knows neither biases of Llama nor factors in a tensor (5.24)."""
    case.arguments["rope_parameters"]["rope_type"] = "default"
    if case.family == "llama":
        case.arguments["attention_bias"] = False
    written = write(case, folder)
    load = transformers.AutoModelForCausalLM.from_pretrained
    right = load(written.floats, dtype=torch.float32)
    theirs = load(written.quantized.parent, gguf_file="model.gguf", dtype=torch.float32)
    own = dict(right.named_parameters())
    if own.keys() != dict(theirs.named_parameters()).keys():
        return f"has {sorted(own.keys() ^ dict(theirs.named_parameters()).keys())}"
    for name, parameter in theirs.named_parameters():
        if not torch.equal(parameter, own[name]):
            return f"{name} is off by {(parameter - own[name]).abs().max().item():.2g}"
    tokens = torch.arange(40)[None]
    off = (right(tokens).logits - theirs(tokens).logits).abs().max().item()
    return f"logits are off by {off:.2g}" if off > 1e-4 else None


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--count", type=int, default=5, help="files of each type")
    parser.add_argument("--only", metavar="TYPE:SEED")
    parser.add_argument("what", nargs="*")
    arguments, seed = parsed(parser)
    if not arguments.check:
        kind, own, folder = arguments.what
        Path(folder).mkdir(parents=True)
        case = draw(kind, int(own))
        write(case, Path(folder))
        print(f"seed {own}: {case.describe()}")
        return 0
    rng, failed = random.Random(seed), 0
    cases = [(kind, rng.randrange(1 << 31)) for kind in TYPES for _ in range(arguments.count)]
    if arguments.only:
        kind, own = arguments.only.split(":")
        cases = [(kind, int(own))]
    print(f"seed {seed}, {len(cases)} files", flush=True)
    for kind, own in cases:
        case = draw(kind, own)
        with tempfile.TemporaryDirectory(prefix="apus-gguf-") as folder:
            fault = check(case, Path(folder))
        if fault:
            failed += 1
            print(f"FAIL --only {kind}:{own} [{case.describe()}] {fault}", flush=True)
    print(f"{len(cases) - failed} of {len(cases)} files are the same to transformers {transformers.__version__} (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
