"""Small random models in every format of `quantized_formats.py`, and beside each the same in float32, which transformers loads.

    python Tests/Parity/quantized_checkpoints.py FORMAT SEED FOLDER    writes FOLDER/quantized and FOLDER/floats

Groups have tails where the format takes them, rows are any number, heads are not key-value heads, and some modules are left as
they are or have options of their own.
"""

import json
import random
import re
import sys
from dataclasses import dataclass, field
from math import lcm
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from families import perturb
from models_reference import model_class
from quantized_formats import FORMATS, draw_apart, draw_options, store
from quantized_reference import Reading, reading
from quantized_stored import FLOATS, Plan

NAMES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
WINDOW = {"sliding_window": 9, "query_pre_attn_scalar": 16}
EXPERTS = {"num_experts_per_tok": 2}
# Class of the configuration, what each draw has of it, and whether heads fill the hidden size.
FAMILIES = {
    "llama": ("LlamaConfig", {"attention_bias": True}, False),
    "qwen2": ("Qwen2Config", {}, True),
    "qwen3": ("Qwen3Config", {}, False),
    "gemma3_text": ("Gemma3TextConfig", WINDOW, False),
    "phi3": ("Phi3Config", {"pad_token_id": None}, True),
    "gpt_neox": ("GPTNeoXConfig", {}, True),
    "qwen3_moe": ("Qwen3MoeConfig", EXPERTS | {"num_experts": 4}, False),
    "mixtral": ("MixtralConfig", EXPERTS | {"num_local_experts": 4}, False),
}
TABLES = ("embed_tokens", "embed_in")
HEADS = ("lm_head", "embed_out")
ROUTER = re.compile(r".*\.(mlp|block_sparse_moe)\.gate$")
EXPERT = re.compile(r"(.*)\.experts\.(\d+)\.(\w+)$")
# What mlx-lm calls an expert's matrices.
SWITCHED = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}


class Sizes:
    """What the comparisons ask of every case, by its arguments."""

    @property
    def dtype(self) -> str:
        return "bf16" if self.widened else "int8"

    @property
    def vocab_size(self) -> int:
        return self.arguments["vocab_size"]

    @property
    def num_hidden_layers(self) -> int:
        return self.arguments["num_hidden_layers"]


@dataclass
class Case(Sizes):
    format: str
    seed: int
    family: str
    options: dict
    apart: dict | None  # options of one module
    skips: str | None  # what is left as it is
    rest: str  # type of all other tensors
    arguments: dict
    sharded: bool
    # What the comparisons ask of a case.
    eos: list = field(default_factory=list)

    @property
    def widened(self) -> bool:
        return FORMATS[self.format].widened or self.options.get("class") == "Float8WeightOnlyConfig"

    @property
    def has_experts(self) -> bool:
        return "num_experts_per_tok" in self.arguments

    def describe(self) -> str:
        return (f"{self.family} {self.options} apart={self.apart} skips={self.skips} rest={self.rest} "
                f"sharded={self.sharded} {self.arguments}")


def sizes(family: str, rng: random.Random, inputs: int, outputs: int, head: bool) -> dict | None:
    """None if these do not fit."""
    both = lcm(inputs, outputs)
    any_multiple = lambda of, least, most: of * rng.randint(-(-least // of), max(most // of, -(-least // of)))
    kv = rng.choice([1, 2, 3])
    heads, width = kv * rng.choice([2, 3]), rng.choice([8, 10, 16, 20, 24, 32, 48, 64, 96, 128])
    hidden = heads * width if FAMILIES[family][2] else any_multiple(both, 24, 200)
    if hidden % heads or heads * width % both or kv * width % outputs or hidden % both or heads * width > 400:
        return None
    drawn = dict(
        vocab_size=any_multiple(outputs if head else 1, 97, 300), hidden_size=hidden, num_hidden_layers=rng.randint(1, 2),
        intermediate_size=any_multiple(both, 33, 220), num_attention_heads=heads, num_key_value_heads=kv, head_dim=width,
        max_position_embeddings=256, tie_word_embeddings=False, bos_token_id=None, eos_token_id=None)
    if family == "gpt_neox":
        del drawn["num_key_value_heads"], drawn["head_dim"]
        return drawn | {"rotary_pct": 0.5} if width % 4 == 0 else None
    if family in ("phi3", "qwen2"):
        del drawn["head_dim"]
    if family == "qwen3_moe":
        drawn["moe_intermediate_size"] = any_multiple(both, 17, 130)
    if family == "gemma3_text" and rng.random() < 0.7 or family in ("llama", "qwen2", "qwen3") and rng.random() < 0.2:
        drawn["tie_word_embeddings"] = True
    return drawn


def draw(name: str, seed: int) -> Case:
    rng = random.Random(seed)
    format = FORMATS[name]
    options = draw_options(format, rng)
    apart = draw_apart(format, options, rng) if format.apart and rng.random() < 0.35 else None
    if apart and options.get("label") == "mislabelled":
        apart = format.settle(apart | {"sym": True})
    inputs, outputs = (lcm(*(multiple(each) for each in (options, apart) if each)) for multiple in (format.inputs, format.outputs))
    head = format.head(options)
    # mlx-lm calls the parts of GPT-NeoX otherwise.
    family = rng.choice([each for each in FAMILIES if not (format.stacked and each == "gpt_neox")
                         and (format.experts or "num_experts_per_tok" not in FAMILIES[each][1])])
    arguments = None
    while arguments is None:
        arguments = sizes(family, rng, inputs, outputs, head)
    if head and not format.tables:
        arguments["tie_word_embeddings"] = False
    return Case(name, seed, family, options, apart, rng.choice([None, None, None, "layer", "name"]),
                rng.choice(["f32", "f32", "bf16", "f16"]), FAMILIES[family][1] | arguments, rng.random() < 0.3)


@dataclass
class Written:
    quantized: Path
    floats: Path
    # The quantized modules whose products are of integers or bfloat16, and the order of the inputs of each.
    orders: dict[str, Reading]


def random_model(case: Case, folder: Path) -> dict[str, torch.Tensor]:
    """A plain checkpoint, all parameters of which are drawn: its tensors by the names that files have."""
    config = getattr(transformers, FAMILIES[case.family][0])(**case.arguments)
    torch.manual_seed(case.seed)
    model = model_class(config).from_config(config).float()
    perturb(model, case.seed)
    if case.family == "gemma3_text" and case.arguments["tie_word_embeddings"]:
        # Rows are multiplied by the root of their length: larger ones would have every token repeat itself.
        model.get_input_embeddings().weight.data.mul_(0.2)
    model.generation_config = transformers.GenerationConfig()
    model.save_pretrained(folder)
    path = folder / "model.safetensors"
    tensors = load_file(path)
    path.unlink()
    return tensors


def plan_of(case: Case, modules: list[str], rng: random.Random) -> Plan:
    format = FORMATS[case.format]
    patterns = []
    if case.skips == "layer" and case.num_hidden_layers > 1:
        patterns.append(rf".*layers\.{case.num_hidden_layers - 1}\..*")
    elif case.skips == "name":
        # All experts or none, and one name for whatever is one matrix in some program.
        names = sorted({module.rpartition(".")[2] for module in modules
                        if not EXPERT.match(module) and not ROUTER.match(module) and module not in HEADS})
        patterns.append(rf".*\.{rng.choice(names)}$")
    routers = [module for module in modules if ROUTER.match(module)]
    if routers and not format.stacked:
        patterns.append(r".*\.gate$")
    skipped = [module for module in modules if any(re.match(pattern, module) for pattern in patterns)]
    plan = Plan(case.options, [module for module in modules if module not in skipped], skipped, patterns)
    if case.apart:
        single = [module for module in plan.quantized if not EXPERT.match(module) and not ROUTER.match(module)]
        if single:
            plan.apart[rng.choice(single)] = case.apart
    return plan


def write(case: Case, folder: Path) -> Written:
    format, rng = FORMATS[case.format], random.Random(case.seed ^ 0xF0)
    generator = torch.Generator().manual_seed(case.seed)
    written = Written(folder / "quantized", folder / "floats", {})
    tensors = random_model(case, written.floats)
    is_head = lambda name: name.removesuffix(".weight") in HEADS
    matrices = [name.removesuffix(".weight") for name, tensor in tensors.items()
                if name.endswith(".weight") and tensor.dim() == 2 and not any(table in name for table in TABLES)
                and (format.head(case.options) or not is_head(name))]
    plan = plan_of(case, sorted(matrices), rng)
    stored, exact = {}, {name: tensor.to(FLOATS[case.rest]) for name, tensor in tensors.items()}
    tables = [name.removesuffix(".weight") for name in tensors if format.tables and any(table in name for table in TABLES)]
    for module in plan.quantized + tables:
        made = store(format, tensors[module + ".weight"], plan.of(module), generator)
        stored |= {f"{module}.{name}": tensor for name, tensor in made.tensors.items()}
        exact[module + ".weight"] = made.exact
        if not ROUTER.match(module):
            written.orders[module] = reading(made.order, plan.of(module))
    for name, tensor in exact.items():
        if name.removesuffix(".weight") not in plan.quantized + tables:
            stored[name] = tensor
    if format.stacked:
        stored = stack_experts(stored)
        plan.skipped = list(dict.fromkeys(switched(module) for module in plan.skipped))
    save(written.quantized, stored, case, format.header(exact, plan))
    save_file({name: tensor.float().contiguous() for name, tensor in exact.items()}, written.floats / "model.safetensors",
              {"format": "pt"})
    config = json.loads((written.floats / "config.json").read_text())
    config |= {"dtype": NAMES[case.rest], format.key: format.config(plan)}
    for path, own in ({"config.json": config} | format.files(plan)).items():
        (written.quantized / path).write_text(json.dumps(own, indent=2) + "\n")
    return written


def switched(module: str) -> str:
    found = EXPERT.match(module)
    return f"{found[1]}.switch_mlp.{SWITCHED.get(found[3], found[3])}" if found else module


def stack_experts(stored: dict) -> dict:
    """One tensor of all experts of a layer, as mlx-lm stores them."""
    result, experts = {}, {}
    for name, tensor in stored.items():
        module, _, kind = name.rpartition(".")
        if EXPERT.match(module):
            experts.setdefault(f"{switched(module)}.{kind}", {})[int(EXPERT.match(module)[2])] = tensor
        else:
            result[name] = tensor
    return result | {name: torch.stack([each[place] for place in sorted(each)]) for name, each in experts.items()}


def save(folder: Path, tensors: dict, case: Case, header: dict[str, str]) -> None:
    folder.mkdir()
    header = {"format": "pt"} | header
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    if not case.sharded:
        save_file(tensors, folder / "model.safetensors", header)
        return
    # The parts of a module in any of them.
    rng, files = random.Random(case.seed), {}
    for name in tensors:
        files.setdefault(f"model-0000{rng.choice([1, 2])}-of-00002.safetensors", []).append(name)
    for file, names in files.items():
        save_file({name: tensors[name] for name in names}, folder / file, header)
    index = {"metadata": {}, "weight_map": {name: file for file, names in files.items() for name in names}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__)
        return 1
    name, seed, folder = sys.argv[1:]
    case = draw(name, int(seed))
    Path(folder).mkdir(parents=True)
    write(case, Path(folder))
    print(f"seed {seed}: {case.describe()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
