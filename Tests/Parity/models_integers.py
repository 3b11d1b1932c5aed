"""Checkpoints of integers: their files against the formula, and apus' answers from them, layer by layer.

The rules are in README.md beside this file.
"""

import json
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, DynamicCache

from apus_command import Command
from models_checkpoints import Options, write_checkpoint

FORMATS = ("int8", "int4")
GROUP = 32
ROTATION = 64
NEW_TOKENS = 16
# Of the difference between apus' answers and the formula's over that between the formula's and float32's: at most, and
# below what it lies unless a last bit decided between two integers, as in this share of all comparisons.
DIFFERENT, SAME, SHARE = 3.0, 0.02, 0.7
# Relative root mean square error of what one projection, and one layer, makes of the inputs that it has in float32.
PROJECTION = {"int8": 0.03, "int4": 0.2}
LAYER = {"int8": 0.06, "int4": 0.4}


@dataclass
class IntegerVerdict:
    failures: list[str] = field(default_factory=list)
    runs: int = 0
    comparisons: int = 0
    same: int = 0  # comparisons without any other rounding
    share: float = SHARE  # how many of them have to be
    different: float = 0.0  # largest difference over the tolerance
    projection: dict[str, float] = field(default_factory=lambda: dict.fromkeys(FORMATS, 0.0))
    layer: dict[str, float] = field(default_factory=lambda: dict.fromkeys(FORMATS, 0.0))

    def add(self, other: "IntegerVerdict") -> None:
        self.failures += other.failures
        self.runs += other.runs
        self.comparisons += other.comparisons
        self.same += other.same
        self.different = max(self.different, other.different)
        for format in FORMATS:
            self.projection[format] = max(self.projection[format], other.projection[format])
            self.layer[format] = max(self.layer[format], other.layer[format])


    def settle(self) -> bool:
        """Whether the answers are those of the formula, over a whole run."""
        if self.comparisons < 12 or self.same >= self.share * self.comparisons:
            return not self.failures
        self.failures.append(f"only {self.same} of {self.comparisons} comparisons agree with the formula")
        return False

    def describe(self) -> str:
        shares = lambda values: ", ".join(f"{format} {value:.2f}" for format, value in values.items())
        return (f"{self.same} of {self.comparisons} answers the formula's, the others at {self.different:.2f} of the tolerance, errors of projections at "
                f"{shares(self.projection)} and of layers at {shares(self.layer)} of theirs")


# The files.

def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """By the names that the model gives them, whatever the folder's layout."""
    found = {name: tensor for file in sorted(folder.rglob("model*.safetensors")) for name, tensor in load_file(file).items()}
    return {name if name.startswith(("model.", "lm_head.")) else "model." + name: tensor for name, tensor in found.items()}


def rotated(values: torch.Tensor) -> torch.Tensor:
    """Blocks of 64 of the last dimension times the orthonormal Hadamard matrix, in the order of docs/QUANTIZATION.md; its own
    inverse."""
    count = values.shape[-1] // ROTATION * ROTATION
    blocks, half = values[..., :count].unflatten(-1, (-1, ROTATION)), 1
    while half < ROTATION:
        pairs = blocks.unflatten(-1, (-1, 2, half))
        low, high = pairs[..., 0, :], pairs[..., 1, :]
        blocks, half = torch.stack([low + high, low - high], -2).flatten(-3), half * 2
    return torch.cat([(blocks / 8).flatten(-2), values[..., count:]], -1)


def integers(stored: dict[str, torch.Tensor], name: str, inputs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The integers of a matrix, grids included, and the scales of its rows, as docs/QUANTIZATION.md has them: of inputs
    that were rotated."""
    values, scales = stored[name], stored[name + "_scale"]
    if values.dtype == torch.int8:
        return values.float(), scales
    codes = torch.stack([values & 15, values >> 4], -1).flatten(1)[:, :inputs].float()
    grids = stored[name + "_multiplier"].repeat_interleave(GROUP, 1)[:, :inputs]
    return (codes - (grids >> 4).float()) * (grids & 15).float(), scales


def file_faults(format: str, original: torch.Tensor, stored: dict[str, torch.Tensor], name: str) -> list[str]:
    """Each value is the nearest of its scale; each grid loses no more than the two that span its group."""
    weight, inputs = rotated(original.float()), original.shape[1]
    values, scales = integers(stored, name, inputs)
    eight_bits = stored[name].dtype == torch.int8
    if eight_bits != (format == "int8" or name == "lm_head.weight"):
        return [f"{name} is {stored[name].dtype}"]
    largest = weight.abs().amax(1)
    span = 127 if eight_bits else 7.5 * 15
    if not torch.allclose(scales * span, largest, rtol=1e-5, atol=0):
        return [f"{name}: a scale does not span its row"]
    error = weight - values * scales[:, None]
    if eight_bits:
        return [] if (error.abs() <= scales[:, None] * 0.5001).all() else [f"{name}: not the nearest integers"]
    padding = (0, -inputs % GROUP)
    groups = torch.nn.functional.pad(weight, padding).unflatten(1, (-1, GROUP))
    groups = (groups / scales[:, None, None]).nan_to_num()
    low, high = groups.amin(-1).clamp_max(0), groups.amax(-1).clamp_min(0)
    chosen = torch.nn.functional.pad(error / scales[:, None], padding).nan_to_num().unflatten(1, (-1, GROUP)).square().sum(-1)
    span = (high - low) / 15
    # At half a step, of the multiplier or of the zero, a last bit decides.
    settled = (span % 1 - 0.5).abs() > 1e-3
    for wider in (0, 1):
        step = (span.round().clamp(1, 15) + wider).clamp_max(15)
        exact = -low / step
        decided = settled & ((exact % 1 - 0.5).abs() > 1e-3)
        zero = exact.round().clamp(0, 15)
        zero = zero.maximum(15 - (127 / step).floor()).minimum((128 / step).floor())
        codes = (groups / step[..., None] + zero[..., None]).round().clamp(0, 15)
        off = ((codes - zero[..., None]) * step[..., None] - groups).square().sum(-1)
        if not (chosen <= off * 1.001 + 1e-4)[decided].all():
            return [f"{name}: a group has a worse grid"]
    return []


# The formula.

class IntegerLinear(torch.nn.Module):
    """Inputs rotated, and rounded to 8 bits with a scale for each token; sums of integers are exact in float32 at these sizes."""

    def __init__(self, values: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None):
        super().__init__()
        self.values, self.scales, self.bias = values, scales, bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = rotated(x)
        largest = x.abs().amax(-1, keepdim=True)
        rounded = (x * torch.where(largest > 0, 127 / largest, 0)).round()
        y = rounded @ self.values.T * (largest / 127 * self.scales)
        return y if self.bias is None else y + self.bias


class RoundedCache(DynamicCache):
    """Keys and values as Apus keeps them beside bfloat16 weights."""

    def update(self, keys, values, *arguments, **options):
        return super().update(keys.bfloat16().float(), values.bfloat16().float(), *arguments, **options)


class Model:
    """A checkpoint in float32, cut to some layers; with the integers of another if they are given."""

    def __init__(self, folder: Path, options: Options, stored: dict[str, torch.Tensor] | None = None):
        self.options, self.stored = options, stored
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        self.layers = self.model.model.layers
        self.linears = {name: module for name, module in self.model.named_modules() if isinstance(module, torch.nn.Linear)}
        if stored is not None:
            for name, linear in self.linears.items():
                parent = self.model.get_submodule(name.rpartition(".")[0]) if "." in name else self.model
                integer = IntegerLinear(*integers(stored, name + ".weight", linear.in_features), linear.bias)
                setattr(parent, name.rpartition(".")[2], integer)

    def cut(self, depth: int) -> None:
        self.model.model.layers = self.layers[:depth]
        self.model.config.num_hidden_layers = depth

    @torch.no_grad()
    def logprobs(self, prompt: list[int], tokens: list[int]) -> torch.Tensor:
        """Of the tokens after the prompt, fed as generation feeds them."""
        rotary = self.model.model.rotary_emb
        self.model.model.rotary_emb = type(rotary)(config=self.model.config)
        rounds = self.stored is not None and self.options.dtype == "bf16"
        cache = RoundedCache(config=self.model.config) if rounds else DynamicCache(config=self.model.config)
        # These scalings depend on the length so far, and a window holds for new tokens only.
        feeds = [prompt] + [[token] for token in tokens[:-1]]
        if self.options.rope_kind not in ("dynamic", "longrope") and self.options.sliding_window is None:
            feeds = [prompt + tokens[:-1]]
        rows = []
        for feed in feeds:
            rows.append(self.model(torch.tensor([feed]), cache=cache, use_cache=True).logits[0])
        logits = torch.cat(rows)[len(prompt) - 1:].double().log_softmax(-1)
        return logits[torch.arange(len(tokens)), torch.tensor(tokens)]


def relative(got: torch.Tensor, exact: torch.Tensor) -> float:
    return ((got - exact).square().mean().sqrt() / exact.square().mean().sqrt().clamp_min(1e-9)).item()


@torch.no_grad()
def layer_faults(format: str, exact: Model, formula: Model, tokens: list[int], verdict: IntegerVerdict) -> None:
    """Every projection and every layer over the inputs that it has in float32."""
    calls = {}
    note = lambda name: lambda _, inputs, options, result: calls.__setitem__(name, (inputs, options, result))
    parts = exact.linears | {f"model.layers.{index}": layer for index, layer in enumerate(exact.layers)}
    hooks = [module.register_forward_hook(note(name), with_kwargs=True) for name, module in parts.items()]
    exact.model(torch.tensor([tokens]), use_cache=False)
    for hook in hooks:
        hook.remove()
    for name, (inputs, options, result) in calls.items():
        error = relative(formula.model.get_submodule(name)(*inputs, **options), result)
        kind, bounds = (verdict.projection, PROJECTION) if name in exact.linears else (verdict.layer, LAYER)
        bound = bounds["int8" if name == "lm_head" else format]
        kind[format] = max(kind[format], error / bound)
        if not error <= bound:
            verdict.failures.append(f"{format}: {name} is off by {error:.4f} of its size, allowed {bound}")


def answer_faults(format: str, depth: int, mine, formula, exact, verdict: IntegerVerdict) -> None:
    """Log-probabilities of one prompt list at one depth: apus' are those of the formula."""
    mine, formula, exact = torch.cat(mine), torch.cat(formula), torch.cat(exact)
    rms = lambda error: error.square().mean().sqrt().item()
    ratio = rms(mine - formula) / (DIFFERENT * rms(formula - exact) + 2e-4)
    verdict.comparisons += 1
    verdict.same += rms(mine - formula) <= SAME * rms(formula - exact) + 1e-4
    verdict.different = max(verdict.different, ratio)
    if not ratio <= 1:
        verdict.failures.append(
            f"{format}, {depth} layers: logprobs are {rms(mine - formula):.5f} from the formula's, which are "
            f"{rms(formula - exact):.5f} from float32's")


# The command.

class IntegerCheck:
    def __init__(self, command: Command):
        self.command = command

    def generate(self, model: Path, requests: list[dict], isa: str, batch=1, threads=1, processes=1, *more: str) -> list[dict]:
        return self.command.generate(model, requests, "--max-new-tokens", NEW_TOKENS, "--logprobs", "--batch-size", batch,
                                     "--threads", threads, "-n", processes, *more, isa=isa)

    def __call__(self, folder: Path, options: Options, rng: random.Random) -> IntegerVerdict:
        verdict = IntegerVerdict()
        original, exact = tensors(folder), Model(folder, options)
        short = [[rng.randrange(options.vocab_size) for _ in range(rng.choice([1, 7, 40, 90]))] for _ in range(3)]
        # Longer than what a step takes, so that it is cut, and elsewhere when others run beside it.
        long = [rng.randrange(options.vocab_size) for _ in range(rng.randint(520, 640))]
        requests = [{"prompt_token_ids": ids} for ids in [*short, long, short[0]]]
        for format in FORMATS:
            quantized = folder / format
            self.command.run(["quantize", "--model", str(folder), "--output", str(quantized), "--format", format, "--calibration", "none", "--quiet",
                              "--threads", str(rng.choice([1, 2])), "--max-shard-size", rng.choice(["5GB", "20KB"])], "scalar")
            stored = tensors(quantized)
            formula = Model(folder, options, stored)
            for name in formula.linears:
                source = name + ".weight" if name + ".weight" in original else "model.embed_tokens.weight"
                verdict.failures += file_faults(format, original[source], stored, name + ".weight")
            layer_faults(format, exact, formula, max(short, key=len), verdict)
            self.independence(format, folder, quantized, requests, rng, verdict)
            self.depths(format, quantized, short, exact, formula, rng, verdict)
            exact.cut(options.num_hidden_layers)
        return verdict

    def independence(self, format: str, folder: Path, quantized: Path, requests, rng, verdict: IntegerVerdict) -> None:
        """The same bits from both checkpoints however they run, on every instruction set."""
        for isa in self.command.sets:
            first = self.generate(folder, requests, isa, 1, 1, 1, "--quantize", format)
            settings = (rng.choice([2, 3, 16]), rng.choice([1, 2, 3]), rng.choice([1, 1, 2, 3]))
            second = self.generate(quantized, requests, isa, *settings)
            verdict.runs += 2
            if first != second or len(first) != 5:
                verdict.failures.append(f"{format} on {isa}: batch, threads, processes {settings} give other results")

    def depths(self, format: str, quantized: Path, prompts, exact: Model, formula: Model, rng, verdict) -> None:
        """Apus itself after 1, 2, ... layers, each time on another instruction set."""
        config = json.loads((quantized / "config.json").read_text())
        requests = [{"prompt_token_ids": ids} for ids in prompts]
        for depth in range(1, formula.options.num_hidden_layers + 1):
            (quantized / "config.json").write_text(json.dumps(config | {"num_hidden_layers": depth}))
            isa = rng.choice(self.command.sets)
            records = self.generate(quantized, requests, isa, 3, 2)
            verdict.runs += 1
            exact.cut(depth), formula.cut(depth)
            answers = [(prompt, record["token_ids"]) for prompt, record in zip(prompts, records)]
            answer_faults(
                f"{format} on {isa}", depth, [torch.tensor(record["logprobs"]).double() for record in records],
                [formula.logprobs(*answer) for answer in answers], [exact.logprobs(*answer) for answer in answers], verdict)
        (quantized / "config.json").write_text(json.dumps(config))


# Whether the judge itself can fail.

def spoil(fault: str, formula: Model) -> None:
    for name, module in formula.model.named_modules():
        if isinstance(module, IntegerLinear):
            if fault == "a scale too large":
                module.scales = module.scales * 1.05
            elif fault == "halves swapped":
                order = torch.arange(module.values.shape[1]) ^ 1
                module.values = module.values[:, order.clamp_max(module.values.shape[1] - 1)]
            elif fault == "inputs cut, not rounded":
                module.forward = lambda x, module=module: IntegerLinear.forward(module, x - x.abs().amax(-1, True) / 254)
            elif fault == "a multiplier too small" and module.values.shape[1] > 1:
                module.values = torch.cat([module.values[:, :GROUP] * 0.5, module.values[:, GROUP:]], 1)


def integer_self_test(configurations: list[Options]) -> int:
    """Puts the formula in the place of apus, right and with faults; each fault must be caught. Returns the exit status."""
    status = 0
    for fault in ["none", "a scale too large", "halves swapped", "inputs cut, not rounded", "a multiplier too small"]:
        verdict = IntegerVerdict()
        for options in configurations[:12]:
            with tempfile.TemporaryDirectory(prefix="apus-parity-") as name:
                write_checkpoint(Path(name), options)
                stored, original = {}, tensors(Path(name))
                for key, tensor in original.items():
                    if tensor.dim() == 2 and "embed" not in key:
                        stored[key], stored[key + "_scale"] = nearest(tensor.float())
                key = "lm_head.weight"
                if key not in stored:
                    stored[key], stored[key + "_scale"] = nearest(original["model.embed_tokens.weight"].float())
                exact, formula = Model(Path(name), options), Model(Path(name), options, stored)
                other = Model(Path(name), options, stored)
            spoil(fault, other)
            rng = random.Random(options.seed)
            draw = lambda count: [rng.randrange(options.vocab_size) for _ in range(count)]
            answers = [(draw(40), draw(NEW_TOKENS)) for _ in range(3)]
            mine, right, truth = ([model.logprobs(*answer) for answer in answers] for model in (other, formula, exact))
            answer_faults("int8", options.num_hidden_layers, mine, right, truth, verdict)
        right = verdict.settle() == (fault == "none")
        status |= not right
        print(f"{'ok  ' if right else 'FAIL'} int8, {fault}: {verdict.describe()}", flush=True)
    return status


def nearest(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scales = weight.abs().amax(1) / 127
    return (weight / scales[:, None]).round().to(torch.int8), scales
