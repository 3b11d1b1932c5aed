"""Random checkpoints of every family: apus' tokens and log-probabilities against transformers'.

    python Tests/Parity/families.py [--count 20] [--seed S]    draws fresh configurations of each family
    FAMILIES="qwen2 mistral" python Tests/Parity/families.py   of some
    python Tests/Parity/families.py --only qwen2:SEED:f32      one again, as named in a failure
    python Tests/Parity/families.py --self-test                takes each switch out of the configuration: it must be caught
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import GenerationConfig
from transformers.pytorch_utils import Conv1D

from apus_command import Command, command, parsed, script
from families_cases import FAMILIES, UNSEEN, Case, draw
from models_checkpoints import DTYPES
from families_integers import RoundingReference, widened
from models_compare import TIE, Verdict, compare, compare_rounded
from models_integers import FORMATS
from models_reference import Reference, chosen, model_class

NEW_TOKENS = 32
# Beyond what is allowed anyway, apus may differ from transformers by so many times what that differs from itself in float64.
OWN_ERRORS = 8


NORMS = ("norm", "ln_")
TABLES = ("embed", "wte", "wpe")
SCORES = ("q_proj", "k_proj", "qkv", "query_key_value", "c_attn")


@torch.no_grad()
def perturb(model, seed: int) -> None:
    """Every parameter: what is 1 or 0 after initialization would hide a norm, a bias, or their absence."""
    generator = torch.Generator().manual_seed(seed)
    transposed = {name + ".weight" for name, module in model.named_modules() if isinstance(module, Conv1D)}
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if any(part in name for part in NORMS) and "embed_tokens" not in name:
            # Some are 1 and some 0 to begin with; what is added to 1 is small.
            usual = 0 if model.config.model_type == "nemotron" else weight.mean().round().clamp(0, 1)
            weight.copy_(usual + 0.2 * noise)
            if name.endswith("q_norm.weight") and model.config.model_type.startswith("gemma4"):
                # Its scores are not divided by anything: sharp ones would magnify every rounding.
                weight.mul_(0.3)
        elif weight.dim() == 1:
            weight.copy_(0.3 * noise)
        elif any(part in name for part in TABLES) and "embed_out" not in name:
            # As its own head, a large table has every token repeat itself, whatever the layers do.
            weight.copy_((0.35 if model.config.tie_word_embeddings else 0.8) * noise)
        elif "lm_head" in name or "embed_out" in name:
            weight.copy_(3.0 / weight.shape[1] ** 0.5 * noise)
        else:
            gain = 1.6 if any(part in name.lower() for part in SCORES) else 1.2
            if not getattr(model.config, "scale_attn_weights", True):
                gain /= 2 if gain > 1.2 else 1
            weight.copy_(gain / weight.shape[0 if name in transposed else 1] ** 0.5 * noise)
    kept = model.state_dict()
    for name, buffer in model.named_buffers():
        if name in kept and buffer.is_floating_point() and buffer.dim() == 1:
            usual = 1 if "scalar" in name else 0
            buffer.copy_(usual + 0.2 * torch.randn(buffer.shape, generator=generator))


def write(folder: Path, case: Case) -> None:
    torch.manual_seed(case.seed)
    model = model_class(case.config()).from_config(case.config()).float()
    perturb(model, case.seed)
    if FAMILIES[case.family].rounds:
        FAMILIES[case.family].rounds(model)
    model = model.to(DTYPES.get(case.dtype, torch.float32))
    model.generation_config = GenerationConfig()
    model.save_pretrained(folder)


def prompts_of(case: Case, rng: random.Random) -> list[list[int]]:
    # One is longer than every window and the context that the model names. What the states of a delta net make of a rounding
    # differs from text to text: their errors are judged by more of them.
    count = 4 if case.has_states and case.dtype != "f32" else 1
    lengths = [rng.randint(1, 8), rng.randint(18, 40), rng.randint(65, 90)] * count
    return [[rng.randrange(case.vocab_size) for _ in range(length)] for length in lengths]


def check(apus: Command, case: Case, undo=None) -> Verdict:
    """`undo` changes the configuration that apus reads, but not the one that transformers does."""
    rng = random.Random(case.seed ^ 0x5EED)
    with tempfile.TemporaryDirectory(prefix="apus-families-") as name:
        folder, family = Path(name) / "model", FAMILIES[case.family]
        write(folder, case)
        given = folder
        if family.published:
            given = Path(name) / "published"
            family.published(folder, given)
            folder = given if family.is_read else folder
        prompts = prompts_of(case, rng)
        path, original = given / "config.json", (given / "config.json").read_text()
        if undo:
            written = json.loads(original)
            undo(written)
            path.write_text(json.dumps(written))
        arguments = ["--max-new-tokens", NEW_TOKENS, "--logprobs", "--batch-size", rng.choice([1, 2, 16]),
                     "--threads", rng.choice([1, 2])]
        # Drawn models repeat themselves, and their best tokens see nothing that keeps the order of logits.
        drawn = [{"prompt_token_ids": prompt, "do_sample": True, "temperature": 3.0} for prompt in prompts[:2]]
        try:
            records = apus.generate(
                given, [{"prompt_token_ids": prompt} for prompt in prompts] + drawn, *arguments,
                isa=rng.choice(apus.sets))
            path.write_text(original)
            if case.dtype in FORMATS:
                return check_integers(apus, case, folder, given, prompts, arguments)
            texts = Texts(prompts, prompts[: len(drawn)], records)
            verdict = compare_floats(case, folder, texts, case.allowed)
            if case.dtype == "f32" and case.left_out and verdict.failures:
                texts = texts.without_ties(Reference(folder, attention=case.attention))
                verdict = compare_floats(case, folder, texts, case.allowed)
            if case.dtype == "f32" and verdict.failures:
                # Some models that are drawn magnify every rounding.
                allowed = OWN_ERRORS * own_error(case, folder, texts)
                if allowed > case.allowed:
                    verdict = compare_floats(case, folder, texts, allowed)
                    verdict.noisy = 1
            verdict.ties += texts.tied
            return verdict
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            return Verdict(failures=[str(error)])


@dataclass
class Texts:
    """Prompts that were continued greedily, then some that were continued at random, and what became of them."""
    prompts: list[list[int]]
    drawn: list[list[int]]
    records: list[dict]
    tied: int = 0

    def without_ties(self, reference: Reference) -> "Texts":
        """Leaves out the texts on whose way two experts, or groups of them, are as good as equal to some router."""
        kept = [place for place, (prompt, record) in enumerate(zip(self.prompts + self.drawn, self.records))
                if least_gap(reference, prompt, record["token_ids"]) > TIE]
        first, rest = ([place for place in kept if (place < len(self.prompts)) == is_first] for is_first in (True, False))
        records = [self.records[place] | {"index": index} for index, place in enumerate(first)]
        return Texts([self.prompts[place] for place in first], [self.drawn[place - len(self.prompts)] for place in rest],
                     records + [self.records[place] for place in rest], len(self.records) - len(kept))


def compare_floats(case: Case, folder: Path, texts: Texts, allowed: float) -> Verdict:
    count = len(texts.prompts)
    verdict = compare(
        case, folder, texts.prompts, texts.records[:count], NEW_TOKENS, case.attention, case.left_out, allowed)
    if case.dtype == "f32" and not verdict.failures:
        compare_given(
            Reference(folder, attention=case.attention), texts.drawn, texts.records[count:], verdict, allowed)
    return verdict


def own_error(case: Case, folder: Path, texts: Texts) -> float:
    """How far the reference is from itself in float64."""
    own, exact = (Reference(folder, dtype, attention=case.attention) for dtype in (torch.float32, torch.float64))
    errors = [abs(mine - right) for prompt, record in zip(texts.prompts + texts.drawn, texts.records)
              for mine, right in zip(*(chosen(reference.follow(prompt, record["token_ids"]), record["token_ids"])
                                       for reference in (own, exact)))]
    return max(errors, default=0)


def least_gap(reference: Reference, prompt, tokens) -> float:
    """Between the last choice of a router and the next, over the standard deviation of its scores."""
    least, topk = float("inf"), torch.topk

    def watched(scores, k, *arguments, **options):
        nonlocal least
        if k < scores.shape[-1]:
            best = scores.sort(-1, descending=True).values
            least = min(least, ((best[..., k - 1] - best[..., k]) / scores.std(-1)).min().item())
        return topk(scores, k, *arguments, **options)

    torch.topk = watched
    try:
        reference.follow(prompt, tokens)
    finally:
        torch.topk = topk
    return least


def compare_given(reference: Reference, prompts, records, verdict: Verdict, allowed: float) -> None:
    """Tokens that were drawn, not the best: the reference follows them."""
    for prompt, record in zip(prompts, records):
        expected = torch.tensor(chosen(reference.follow(prompt, record["token_ids"]), record["token_ids"]))
        difference = (torch.tensor(record["logprobs"]) - expected).abs().max().item()
        verdict.worst = max(verdict.worst, difference)
        if not difference <= allowed:
            verdict.failures.append(f"logprobs of drawn tokens behind {len(prompt)} are off by {difference:.2g}")


def check_integers(apus: Command, case: Case, folder: Path, given: Path, prompts, arguments) -> Verdict:
    """Integers of the checkpoint that apus is given, and of the one that transformers knows: rows are rounded alike."""
    # What a model reads depends on its last bits, which another form of the same weights may not have.
    options = [] if given == folder else ["--calibration", "none"]
    made = [apus.quantize(path, path.parent / f"{path.name}-{case.dtype}", case.dtype, *options)
            for path in dict.fromkeys([given, folder])]
    records = apus.generate(made[0], [{"prompt_token_ids": prompt} for prompt in prompts], *arguments)
    floats = widened(folder, made[-1], folder.parent / "widened")
    verdict = Verdict(prompts=len(prompts), tokens=sum(len(record["token_ids"]) for record in records))
    answers = [(index, prompt, record["token_ids"], record["logprobs"])
               for index, (prompt, record) in enumerate(zip(prompts, records))]
    own, full = RoundingReference(floats, attention=case.attention), Reference(floats, attention=case.attention)
    compare_rounded(case, own, full, answers, verdict, case.left_out)
    return verdict


# Draws of which one has to show that a switch is missing.
TRIES = 5


def self_test(apus: Command, names: list[str], seed: int) -> int:
    missed = 0
    for family in names:
        for switch in FAMILIES[family].switches:
            if switch.name in UNSEEN:
                continue
            # What else is drawn may leave a switch nothing to do: an interval of experts where no layer has any.
            for attempt in range(TRIES):
                case = draw(family, seed + attempt, "f32", forced=switch.name)
                sound, broken = check(apus, case), check(apus, case, switch.undo)
                caught = not sound.failures and bool(broken.failures)
                if caught or sound.failures:
                    break
            missed += not caught
            print(f"{'ok  ' if caught else 'FAIL'} {family}: without {switch.name} {'' if caught else case.arguments}",
                  *sound.failures[:1], flush=True)
    return 1 if missed else 0


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=20, help="of each family in float32")
    parser.add_argument("--rounded", type=int, default=3, help="of each family in bfloat16, int8 and int4")
    parser.add_argument("--only", metavar="FAMILY:SEED:TYPE")
    parser.add_argument("--self-test", action="store_true")
    arguments, seed = parsed(parser)
    apus = command(parser, arguments)
    names = os.environ.get("FAMILIES", "").split() or list(FAMILIES)
    if arguments.self_test:
        return self_test(apus, names, seed)
    rng = random.Random(seed)
    cases = [draw(family, rng.randrange(1 << 31), dtype)
             for family in names for dtype in ["f32"] * arguments.count + ["bf16", *FORMATS] * arguments.rounded]
    if arguments.only:
        family, own, dtype = arguments.only.split(":")
        names, cases = [family], [draw(family, int(own), dtype)]
    failed, start, hits = 0, time.time(), Counter()
    totals = {family: Verdict() for family in names}
    for case in cases:
        verdict = check(apus, case)
        totals.setdefault(case.family, Verdict()).add(verdict)
        hits.update((case.family, switch) for switch in case.switches)
        if verdict.failures:
            failed += 1
            print(f"FAIL --only {case.family}:{case.seed}:{case.dtype} {case.switches} {case.arguments} apus {apus.last}")
            for failure in verdict.failures[:3]:
                print(f"     {failure}", flush=True)
    for family, total in totals.items():
        print(f"{family}: {total.tokens} tokens, {total.ties} ties, log-probabilities within {total.worst:.1e} ({total.noisy} "
              f"noisy models), rounded ones at {total.ratio:.2f} of the tolerance; "
              + ", ".join(f"{s.name} × {hits[family, s.name]}" for s in FAMILIES[family].switches))
    unseen = [(f, s.name) for f in names for s in FAMILIES[f].switches if not hits[f, s.name]]
    if unseen and not arguments.only:
        print(f"FAIL never drawn: {unseen}")
    print(f"{len(cases) - failed} of {len(cases)} agree, {time.time() - start:.0f} s (seed {seed})")
    return 1 if failed or unseen and not arguments.only else 0


if __name__ == "__main__":
    sys.exit(main())
