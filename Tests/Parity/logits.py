"""Logits that are no numbers: an error for the prompts that meet them, the same however they run, and nothing else.

    python Tests/Parity/logits.py [--seed S]      every kind of damage, on every instruction set
    python Tests/Parity/logits.py --only SEED:DAMAGE

A weight of the head or of the table is NaN or infinite. Where transformers' raw logits have a NaN or +inf, the prompt's
result is an error; -inf is a token that never comes. A result one token shorter shows the path to an error.
"""

import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from apus_command import Command, command, parsed, script
from models_checkpoints import Options, write_checkpoint
from models_compare import LOGPROB, TIE
from models_layouts import HEAD, TABLE
from models_reference import Reference

# Name: tensor, value, whether all of its row has it. A single infinite weight makes infinities of both signs.
DAMAGES = {
    "nan row": (HEAD, math.nan, True), "nan weight": (HEAD, math.nan, False),
    "+inf row": (HEAD, math.inf, True), "+inf weight": (HEAD, math.inf, False),
    "-inf row": (HEAD, -math.inf, True), "-inf weight": (HEAD, -math.inf, False),
    # Only prompts with this token meet it, and whoever comes to say it.
    "nan token": (TABLE, math.nan, True), "inf token": (TABLE, math.inf, False),
}
NEW_TOKENS, VOCABULARY = 5, 90
MODES = {
    "greedy": {}, "sampled": {"do_sample": True, "temperature": 1.5},
    "drawn from few": {"do_sample": True, "top_k": 20, "top_p": 0.9},
    "penalty": {"repetition_penalty": 1.3},
}
SETTINGS = [(1, 1), (2, 1), (64, 1), (2, 2), (64, 2)]  # prompts at once, processes


def damage(folder: Path, name: str, rng: random.Random) -> int:
    tensor, value, whole = DAMAGES[name]
    path = folder / "model.safetensors"
    tensors = load_file(path)
    # The last row is beside the padding of a kernel's last block of rows.
    row = rng.choice([0, VOCABULARY - 1, rng.randrange(VOCABULARY)])
    columns = slice(None) if whole else rng.randrange(tensors[tensor].shape[1])
    tensors[tensor][row, columns] = value
    save_file(tensors, path, metadata={"format": "pt"})
    return row


def draw_requests(row: int, rng: random.Random) -> list[dict]:
    requests = []
    for number in range(6):
        prompt = [rng.randrange(VOCABULARY) for _ in range(rng.choice([1, 3, 9, 30]))]
        prompt = [token if token != row else (row + 1) % VOCABULARY for token in prompt]
        if number % 3 == 2:
            prompt[rng.randrange(len(prompt))] = row
        requests += [{"prompt_token_ids": prompt, **mode} for mode in MODES.values()]
    return requests


def bad(logits: torch.Tensor) -> bool:
    return bool(logits.isnan().any() or (logits == math.inf).any())


def judge(reference: Reference, request: dict, by_length: list[dict]) -> list[str]:
    """`by_length`: the records of one prompt with 1, 2, ... new tokens."""
    sound = [record for record in by_length if "error" not in record]
    path = sound[-1]["token_ids"] if sound else []
    for length, record in enumerate(by_length, 1):
        if ("error" in record) != (length > len(path)):
            return [f"{str(record)[-100:]} with {length} new tokens, though {len(path)} are a result"]
        if "error" not in record and record["token_ids"] != path[:length]:
            return [f"{record['token_ids']} with {length} new tokens, {path} with more"]
    # One step more than the path, to see what follows; which token is fed last doesn't matter there.
    rows = reference.follow(request["prompt_token_ids"], path + [0])
    for step in range(min(len(path) + 1, len(by_length))):
        if bad(rows[step]) != (step == len(path)):
            if bad(rows[step]):
                return [f"a result at token {step}, whose logits are no numbers"]
            return [f"{by_length[step]['error'][:80]!r} at token {step}, whose logits are sound"]
    faults = []
    logprobs = rows.double().log_softmax(-1)
    for step, token in enumerate(path):
        if rows[step, token] == -math.inf:
            faults.append(f"token {step} is {token}, whose logit is -inf")
        if not set(request) - {"prompt_token_ids"} and not rows[step].max() - rows[step, token] <= TIE:
            faults.append(f"token {step} is {token}, {rows[step].max() - rows[step, token]:.3g} below the best")
        if "logprobs" in sound[-1] and not abs(sound[-1]["logprobs"][step] - logprobs[step, token].item()) <= LOGPROB:
            faults.append(f"logprob of token {step} is {sound[-1]['logprobs'][step]}")
    return faults


def apart(record: dict) -> dict:
    """What is the same on every instruction set."""
    return {key: value for key, value in record.items() if key != "logprobs"}


def check(apus: Command, seed: int, name: str, counts: dict) -> list[str]:
    rng = random.Random(f"{seed} {name}")
    options = Options(rng.randrange(1 << 31), 32, 2, vocab_size=VOCABULARY, gain=1.2)
    faults = []
    with tempfile.TemporaryDirectory(prefix="apus-parity-") as folder_name:
        folder = Path(folder_name)
        write_checkpoint(folder, options)
        requests = draw_requests(damage(folder, name, rng), rng)
        reference = Reference(folder, torch.float32)

        def run(length: int, isa: str, batch: int, processes: int, *more: str) -> list[dict]:
            counts["runs"] += 1
            return apus.generate(folder, requests, "--max-new-tokens", length, "--batch-size", batch, "-n", processes,
                                 *more, isa=isa, statuses=(0, 1))

        try:
            for more in (["--logprobs"], []):
                first = run(NEW_TOKENS, apus.sets[0], 1, 1, *more)
                shorter = [run(length, apus.sets[0], 64, 1, *more) for length in range(1, NEW_TOKENS)]
                for index, (request, *by_length) in enumerate(zip(requests, *shorter, first, strict=True)):
                    counts["errors"] += "error" in by_length[-1]
                    counts["results"] += "error" not in by_length[-1]
                    mode = list(MODES)[index % len(MODES)]
                    faults += [f"prompt {index} ({mode}): {fault}" for fault in judge(reference, request, by_length)]
                for isa in apus.sets:
                    alone = run(NEW_TOKENS, isa, *SETTINGS[0], *more)
                    for settings in SETTINGS[1:]:
                        for record, other in zip(alone, run(NEW_TOKENS, isa, *settings, *more), strict=True):
                            if record != other:
                                faults.append(f"{isa}: {str(other)[:90]} with {settings} at once and processes, "
                                              f"{str(record)[:90]} alone")
                    for record, other in zip(first, alone, strict=True):
                        if apart(record) != apart(other):
                            faults.append(f"{str(other)[:90]} on {isa}, {str(record)[:90]} on {apus.sets[0]}")
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            faults.append(str(error))
    return faults


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--only", metavar="SEED:DAMAGE")
    arguments, seed = parsed(parser)
    cases = [(seed, name) for name in DAMAGES]
    if arguments.only:
        own, _, name = arguments.only.partition(":")
        cases = [(int(own), name)]
    print(f"seed {seed}, {len(cases)} kinds of damage", flush=True)
    apus, failed, start = command(parser, arguments), 0, time.time()
    counts = dict.fromkeys(("runs", "errors", "results"), 0)
    for own, name in cases:
        faults = check(apus, own, name, counts)
        if faults:
            failed += 1
            print(f"FAIL --only '{own}:{name}': {len(faults)} faults")
            for fault in faults[:6]:
                print(f"     {fault}", flush=True)
    print(f"{len(cases) - failed} of {len(cases)} kinds of damage give errors where logits are no numbers, only there: "
          f"{counts['errors']} errors and {counts['results']} results judged, {counts['runs']} runs on "
          f"{', '.join(apus.sets)}, {time.time() - start:.0f} s (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
