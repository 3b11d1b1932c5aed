"""Quantized checkpoints of other tools' formats and GGUF files: apus' answers from them against the float models they stand for.

    python Tests/Parity/quantized.py [--count 20] [--seed S]      draws fresh models of each format
    FORMATS="awq gguf_Q4_K" python Tests/Parity/quantized.py      of some
    python Tests/Parity/quantized.py --only awq:SEED              one again, as named in a failure
    python Tests/Parity/quantized.py --reference-only             makes and loads everything, without apus
    python Tests/Parity/quantized.py --self-test                  puts models with faults in the place of apus: each must be caught

The rules are in README.md beside this file.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch

import quantized_checkpoints as checkpoints
import quantized_gguf as gguf
from apus_command import Command, command, parsed, script
from models_compare import Verdict, compare_rounded, shape_faults
from models_integers import IntegerVerdict, answer_faults
from models_reference import Reference, chosen
from quantized_formats import FORMATS
from quantized_reference import QuantizedReference

NEW_TOKENS = 16
# Of tokens, may be far off since a last bit chose another expert.
LEFT_OUT = 0.1
GGUF = "gguf_"
# Of comparisons over some 230 tokens, in which no last bit decided between two integers: scales of few inputs make many of them.
# Rounding by tokens instead leaves none.
SHARE = 0.25


def names() -> list[str]:
    return list(FORMATS) + [GGUF + kind for kind in gguf.TYPES]


def draw(name: str, seed: int):
    return gguf.draw(name.removeprefix(GGUF), seed) if name.startswith(GGUF) else checkpoints.draw(name, seed)


def write(case, folder: Path):
    return (gguf if isinstance(case, gguf.Case) else checkpoints).write(case, folder)


def prompts_of(case, rng: random.Random) -> list[list[int]]:
    return [[rng.randrange(case.vocab_size) for _ in range(length)]
            for length in (rng.randint(1, 8), rng.randint(18, 40), rng.randint(65, 90))]


@dataclass
class Answers:
    """Of prompts that were continued greedily, and of some whose tokens were drawn: index, prompt, tokens, log-probabilities."""
    greedy: list = field(default_factory=list)
    drawn: list = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def judge(case, own: Reference, full: Reference, answers: Answers, rounded: IntegerVerdict) -> Verdict:
    """Apus' log-probabilities are near those of the float model, as near as its rounding allows, and where nothing else is
    rounded those of the model that rounds the same."""
    whole = answers.greedy + answers.drawn
    verdict = Verdict(answers.faults, prompts=len(whole), tokens=sum(len(tokens) for _, _, tokens, _ in whole))
    compare_rounded(case, own, full, answers.greedy, verdict, LEFT_OUT if case.has_experts else 0)
    ratio = verdict.ratio
    # Drawn tokens are not the best.
    compare_rounded(case, own, full, answers.drawn, verdict, LEFT_OUT if case.has_experts else 1e-9)
    verdict.ratio = max(ratio, verdict.ratio)
    if case.rest == "f32" and not case.has_experts and not verdict.failures:
        mine = [torch.tensor(logprobs).double() for *_, logprobs in whole]
        theirs = lambda reference: [torch.tensor(chosen(reference.follow(prompt, tokens), tokens)).double()
                                    for _, prompt, tokens, _ in whole]
        judged = IntegerVerdict()
        answer_faults(case.format, case.num_hidden_layers, mine, theirs(own), theirs(full), judged)
        verdict.failures += judged.failures
        rounded.add(judged)
    return verdict


def ask(apus: Command, case, folder: Path, prompts: list[list[int]], rng: random.Random, verbose: bool) -> Answers:
    arguments = ["--max-new-tokens", NEW_TOKENS, "--logprobs", "--batch-size", rng.choice([1, 2, 16]),
                 "--threads", rng.choice([1, 2])]
    # Where nothing but the products is rounded, the formula is checked to its last digits.
    arguments += ["--kv-cache", "float32"] if case.rest == "f32" else []
    requests = [{"prompt_token_ids": prompt} for prompt in prompts]
    # Some models repeat themselves, and their best tokens see little.
    requests += [request | {"do_sample": True, "temperature": 3.0} for request in requests[:2]]
    records, answers = apus.generate(folder, requests, *arguments, isa=rng.choice(apus.sets)), Answers()
    if len(records) != len(requests):
        answers.faults.append(f"{len(records)} results for {len(requests)} prompts")
    for index, (request, record) in enumerate(zip(requests, records)):
        prompt = request["prompt_token_ids"]
        answers.faults += shape_faults(case, set(case.eos), prompt, index, record, NEW_TOKENS)
        kind = answers.greedy if index < len(prompts) else answers.drawn
        kind.append((index, prompt, record.get("token_ids"), record.get("logprobs")))
    if verbose:
        print("\n".join(map(json.dumps, records)))
    return answers


def without_apus(case, own: QuantizedReference, prompts: list[list[int]], rng: random.Random) -> Answers:
    """The rounding reference in the place of apus."""
    answers = Answers()
    for index, prompt in enumerate(prompts):
        answer = own.generate(prompt, NEW_TOKENS)
        answers.greedy.append((index, prompt, answer.tokens, answer.logprobs))
    for index, prompt in enumerate(prompts[:2]):
        tokens = [rng.randrange(case.vocab_size) for _ in range(NEW_TOKENS)]
        answers.drawn.append((index, prompt, tokens, chosen(own.follow(prompt, tokens), tokens)))
    return answers


def check(apus: Command | None, name: str, seed: int, rounded: IntegerVerdict, verbose: bool = False) -> tuple[Verdict, str]:
    case, rng = draw(name, seed), random.Random(seed ^ 0x5EED)
    with tempfile.TemporaryDirectory(prefix="apus-quantized-") as folder:
        try:
            made = write(case, Path(folder))
            own, full = QuantizedReference(made.floats, made.orders, case.widened), Reference(made.floats, torch.float32)
            prompts = prompts_of(case, rng)
            answers = (ask(apus, case, made.quantized, prompts, rng, verbose) if apus
                       else without_apus(case, own, prompts, rng))
            verdict = Verdict(answers.faults) if answers.faults else judge(case, own, full, answers, rounded)
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            verdict = Verdict(failures=[str(error)])
    return verdict, case.describe()


@torch.no_grad()
def spoil(own: QuantizedReference, fault: str) -> None:
    """What programs that read a format wrongly make of its matrices."""
    if fault == "scales of tokens":
        own.rounds = lambda x, *_: (x / (step := x.abs().amax(-1, keepdim=True) / 127)).round() * step
    for name in own.orders:
        matrix, part, parts = own.matrix(name)
        rows = matrix.data[matrix.shape[0] // parts * part:][: matrix.shape[0] // parts]
        groups = rows[:, : rows.shape[1] // 32 * 32].unflatten(1, (-1, 32))
        if fault == "zeros off by one of 8 bits":
            rows.add_(rows.abs().amax(1, keepdim=True) / 127)
        elif fault == "inputs swapped":
            rows.copy_(rows[:, (torch.arange(rows.shape[1]) ^ 1).clamp_max(rows.shape[1] - 1)])
        elif fault == "outputs swapped":
            rows.copy_(rows[(torch.arange(rows.shape[0]) ^ 1).clamp_max(rows.shape[0] - 1)])
        elif fault == "scales of the next group":
            largest = groups.abs().amax(-1, keepdim=True)
            groups.mul_((largest.roll(1, 1) / largest).nan_to_num(1).clamp_max(4))


FAULTS = ("zeros off by one of 8 bits", "inputs swapped", "outputs swapped", "scales of the next group", "scales of tokens")


def self_test(cases: list[tuple[str, int]]) -> int:
    missed = 0
    for fault in ("", *FAULTS):
        caught, rounded = 0, IntegerVerdict(share=SHARE)
        for name, seed in cases:
            case, rng = draw(name, seed), random.Random(seed)
            with tempfile.TemporaryDirectory(prefix="apus-quantized-") as folder:
                made = write(case, Path(folder))
                broken, own = (QuantizedReference(made.floats, made.orders, case.widened) for _ in range(2))
                spoil(broken, fault)
                answers = without_apus(case, broken, prompts_of(case, rng), rng)
                verdict = judge(case, own, Reference(made.floats, torch.float32), answers, rounded)
            caught += bool(verdict.failures)
        caught += not rounded.settle()
        wrong = bool(caught) != bool(fault)
        missed += wrong
        print(f"{'FAIL' if wrong else 'ok  '} {fault or 'sound'}: caught in {caught} of {len(cases)} models", flush=True)
    return 1 if missed else 0


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=20, help="of each format")
    parser.add_argument("--only", metavar="FORMAT:SEED")
    parser.add_argument("--reference-only", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    arguments, seed = parsed(parser)
    apus = None if arguments.reference_only or arguments.self_test else command(parser, arguments)
    rng = random.Random(seed)
    chosen_names = os.environ.get("FORMATS", "").split() or names()
    cases = [(name, rng.randrange(1 << 31)) for name in chosen_names for _ in range(arguments.count)]
    if arguments.only:
        name, own = arguments.only.split(":")
        cases = [(name, int(own))]
    print(f"seed {seed}, {len(cases)} models", flush=True)
    if arguments.self_test:
        return self_test(cases)
    totals, failed, start, rounded = {}, 0, time.time(), IntegerVerdict(share=SHARE)
    for name, own in cases:
        verdict, described = check(apus, name, own, rounded, verbose=bool(arguments.only))
        totals.setdefault(name, Verdict()).add(verdict)
        if verdict.failures:
            failed += 1
            print(f"FAIL --only {name}:{own} [{described}] apus {apus.last if apus else 'left out'}")
            for failure in verdict.failures[:3]:
                print(f"     {failure}", flush=True)
    for name, total in totals.items():
        print(f"{name}: {total.tokens} tokens, at {total.ratio:.2f} of the tolerance")
    sound = rounded.settle()
    print(f"{len(cases) - failed} of {len(cases)} agree, {rounded.same} of {rounded.comparisons} answers the formula's, the others at "
          f"{rounded.different:.2f} of the tolerance, {time.time() - start:.0f} s (seed {seed})")
    if not sound:
        print(f"FAIL {rounded.failures[-1]}")
    return 0 if sound and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
