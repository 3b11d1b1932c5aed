"""Prompts below, across and far beyond the length that a model was trained for: apus against transformers.

    python Tests/Parity/context.py [--count 2] [--seed S]     so many models of each size, their scalings drawn
    python Tests/Parity/context.py --only SEED:POSITIONS:KIND one model again, as named in a failure

Every prompt is compared with transformers' answer from a model object of its own, since a scaling that depends on the
length leaves its traces in the object. Then apus must give the same bytes however the prompts run.
"""

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import transformers

from apus_command import Command, command, parsed, script
from models_checkpoints import ORIGINAL, Options, write_checkpoint
from models_compare import LOGPROB, Verdict, compare_exact
from models_reference import Answer, Reference

SIZES = (32, 64, 200, 512, 1024, 2048)
KINDS = ("dynamic", "linear", "yarn", "longrope", "llama3", "default")
SHARES = (0.5, 1, 1.5, 4)
LEAST = 2048  # a context is never shorter by default
NEW, CROSSING = 12, 80
ANGLE = 2.0**-24  # of a turn's frequency: its rounding to a float moves an angle by this much for each position
SETTINGS = [(1, 1, 1), (3, 1, 2), (16, 2, 1)]  # prompts at once, processes, threads


class FreshReference:
    def __init__(self, folder: Path):
        self.folder = folder

    def generate(self, prompt: list[int], count: int) -> Answer:
        return Reference(self.folder, attention="sdpa").generate(prompt, count)


def draw_model(seed: int, trained: int, kind: str) -> Options:
    """`trained`: the positions of the model, or the original ones where the scaling says them."""
    rng = random.Random(f"{seed} {trained} {kind}")
    factor = rng.choice([1.5, 2.0, 4.0, 8.0])
    heads = rng.choice([2, 4])
    options = Options(
        rng.randrange(1 << 31), 32, rng.randint(1, 2), heads, rng.choice([1, 2]), head_dim=rng.choice([8, 16]),
        vocab_size=300, rope_kind=kind, rope_spelling=rng.choice(["new", "type"]), max_position_embeddings=trained,
        rope_theta=rng.choice([10_000.0, 500_000.0]), gain=1.2)
    match kind:
        case "dynamic" | "linear":
            options.rope = {"factor": factor}
        case "yarn":
            options.rope = {"factor": factor, ORIGINAL: trained}
            options.max_position_embeddings = rng.choice([trained, int(trained * factor)])
        case "llama3":
            options.rope = {"factor": factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0, ORIGINAL: trained}
            options.max_position_embeddings = rng.choice([trained, 4 * trained])
        case "longrope":
            factors = lambda most: [round(rng.uniform(1, most), 3) for _ in range(options.width // 2)]
            options.rope = {"short_factor": factors(1.5), "long_factor": factors(8), ORIGINAL: trained}
            options.max_position_embeddings = rng.choice([trained, 4 * trained])
            options.original_outside = rng.random() < 0.5
    return options


def context(options: Options) -> int:
    """What a prompt and its answer may fill without being asked for more."""
    positions, rope = options.max_position_embeddings, options.rope
    match options.rope_kind:
        case "linear" | "dynamic":
            positions = int(positions * rope["factor"])
        case "yarn":
            positions = max(positions, int(rope[ORIGINAL] * rope["factor"]))
        case "default":
            positions *= 2
    return max(LEAST, positions)


def draw_requests(options: Options, trained: int) -> list[dict]:
    rng = random.Random(options.seed)
    lengths = [(max(1, int(trained * share)), NEW) for share in SHARES]
    # Crosses the trained length as it goes on.
    lengths.append((max(int(trained * 0.9), trained - CROSSING + 16), CROSSING))
    lengths.append((trained - 1, 3))
    # Several prompts beside each other that are cut into steps.
    lengths.append((rng.randint(513, 1100), NEW))
    return [{"prompt_token_ids": [rng.randrange(options.vocab_size) for _ in range(length)], "max_new_tokens": new}
            for length, new in lengths]


def size(request: dict) -> int:
    """The places that a prompt and its answer take: the last new token is never looked back at."""
    return len(request["prompt_token_ids"]) + request["max_new_tokens"] - 1


def check(apus: Command, options: Options, trained: int) -> Verdict:
    rng = random.Random(options.seed)
    requests, most, verdict = draw_requests(options, trained), context(options), Verdict()
    verdict.prompts = len(requests)
    isa = rng.choice(apus.sets)
    with tempfile.TemporaryDirectory(prefix="apus-parity-") as name:
        folder = Path(name)
        write_checkpoint(folder, options)

        def run(settings, asked: list[dict], *more, statuses=(0,)) -> list[dict]:
            batch, processes, threads = settings
            return apus.generate(folder, asked, "--logprobs", "--batch-size", batch, "-n", processes, "--threads",
                                 threads, *more, isa=isa, statuses=statuses)

        longest = max(map(size, requests))
        raised = ["--context-length", longest] if longest > most else []
        try:
            records = run(SETTINGS[0], requests, *raised)
            for settings in SETTINGS[1:]:
                for other, record in zip(run(settings, requests, *raised), records, strict=True):
                    if other != record:
                        verdict.failures.append(f"prompt {record['index']}: another result {apus.last}")
            verdict.failures += bound_faults(run, requests, records, options, rng)
            compare_all(folder, requests, records, verdict)
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            verdict.failures.append(str(error))
    return verdict


def bound_faults(run, requests: list[dict], records: list[dict], options: Options, rng: random.Random) -> list[str]:
    """The context that holds by default, and the one asked for: a result up to it, an error beyond it."""
    most, faults = context(options), []
    full = rng.choices(range(options.vocab_size), k=most - 2)
    asked = requests + [{"prompt_token_ids": full, "max_new_tokens": new} for new in (3, 4)]
    outcome = lambda record: repr(str(record.get("error", "a result"))[:80])
    for request, record in zip(asked, run((3, 1, 1), asked, statuses=(0, 1)), strict=True):
        if ("error" in record) != (size(request) > most):
            faults.append(f"context {most}: {size(request)} places give {outcome(record)}")
        elif "error" not in record and record["index"] < len(records) and record != records[record["index"]]:
            faults.append(f"prompt {record['index']}: another result without --context-length")
    lowered = sorted(map(size, requests))[2]
    answers = run((3, 1, 1), requests, "--context-length", lowered, statuses=(0, 1))
    for request, record in zip(requests, answers, strict=True):
        if ("error" in record) != (size(request) > lowered):
            faults.append(f"--context-length {lowered}: {size(request)} places give {outcome(record)}")
        elif "error" not in record and record != records[record["index"]]:
            faults.append(f"prompt {record['index']}: another result with --context-length {lowered}")
    return faults


def compare_all(folder: Path, requests: list[dict], records: list[dict], verdict: Verdict) -> None:
    for index, (request, record) in enumerate(zip(requests, records, strict=True)):
        tokens, limit = record.get("token_ids"), request["max_new_tokens"]
        if not tokens or len(tokens) != limit or len(record["logprobs"]) != limit:
            verdict.failures.append(f"prompt {index} ({len(request['prompt_token_ids'])} tokens): {str(record)[-120:]}")
            continue
        verdict.tokens += len(tokens)
        answer = (index, request["prompt_token_ids"], tokens, record["logprobs"])
        compare_exact(FreshReference(folder), [answer], limit, verdict, LOGPROB + ANGLE * size(request))


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--only", metavar="SEED:POSITIONS:KIND")
    arguments, seed = parsed(parser)
    rng = random.Random(seed)
    kinds = [(trained, kind) for trained in SIZES for kind in KINDS]
    cases = [(rng.randrange(1 << 31), *kind) for _ in range(arguments.count) for kind in kinds]
    if arguments.only:
        own, trained, kind = arguments.only.split(":")
        cases = [(int(own), int(trained), kind)]
    print(f"seed {seed}, {len(cases)} models", flush=True)
    apus, total, failed, start = command(parser, arguments), Verdict(), 0, time.time()
    for own, trained, kind in cases:
        options = draw_model(own, trained, kind)
        verdict = check(apus, options, trained)
        total.add(verdict)
        if verdict.failures:
            failed += 1
            print(f"FAIL --only {own}:{trained}:{kind} [{options.describe()}] context {context(options)}")
            for failure in verdict.failures[:6]:
                print(f"     {failure}", flush=True)
    print(f"{len(cases) - failed} of {len(cases)} models agree with transformers {transformers.__version__} up to 4 "
          f"times their length: {total.prompts} prompts, {total.tokens} tokens, {total.ties} ties, log-probabilities "
          f"within {total.worst:.1e}, {time.time() - start:.0f} s (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
