"""Random Llama checkpoints and prompts: apus' tokens and log-probabilities against transformers'.

    python Tests/Parity/models.py [--count 50] [--seed S]      draws fresh configurations
    python Tests/Parity/models.py --only SEED                  one configuration again, as named in a failure
    python Tests/Parity/models.py --self-test                  checks the judge itself, without apus
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import transformers

from apus_command import Command, command, parsed, script
from models_checkpoints import Options, draw, write_checkpoint
from models_compare import Verdict, compare
from models_integers import IntegerCheck, IntegerVerdict, integer_self_test
from models_selftest import self_test
from models_text import draw_text, text_faults, write_tokenizer

NEW_TOKENS = 64


class Apus:
    """Runs the command on a checkpoint, with an instruction set, a batch size, threads and processes drawn at random."""

    def __init__(self, command: Command):
        self.command = command
        self.last = ""

    def __call__(self, folder: Path, options: Options, prompts: list, limit: int, rng: random.Random) -> list[dict]:
        key = lambda prompt: "prompt" if isinstance(prompt, str) else "prompt_token_ids"
        arguments = ["--max-new-tokens", limit, "--logprobs", "--batch-size", rng.choice([1, 2, 3, 16]),
                     "--threads", rng.choice([1, 2])]
        processes = rng.choice([1, 1, 2, 3])
        arguments += ["-n", processes] if processes > 1 else []
        try:
            return self.command.generate(
                folder, [{key(prompt): prompt} for prompt in prompts], *arguments, isa=rng.choice(self.command.sets))
        finally:
            self.last = self.command.last


def draw_prompts(options: Options, rng: random.Random) -> list[list[int]]:
    # Half the prompts are short; at least one of them goes beyond the shorter contexts.
    lengths = [rng.randint(1, 12) if rng.random() < 0.5 else rng.randint(13, 100) for _ in range(rng.randint(2, 4))]
    lengths.append(rng.randint(65, 100))
    rng.shuffle(lengths)
    return [[rng.randrange(options.vocab_size) for _ in range(length)] for length in lengths]


def check_integers(options: Options, check: IntegerCheck, seed: int) -> IntegerVerdict:
    torch.manual_seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="apus-parity-") as name:
        write_checkpoint(Path(name), options)
        try:
            return check(Path(name), options, random.Random(seed))
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            return IntegerVerdict(failures=[str(error)])


def check(options: Options, run, verbose: bool = False) -> Verdict:
    rng = random.Random(options.seed ^ 0x5EED)
    torch.manual_seed(options.seed)
    with tempfile.TemporaryDirectory(prefix="apus-parity-") as name:
        folder = Path(name)
        write_checkpoint(folder, options)
        prompts = given = draw_prompts(options, rng)
        if options.text:
            tokenizer = write_tokenizer(folder, options)
            given = draw_text(rng)
            prompts = [tokenizer.encode(text).ids for text in given]
        try:
            records = run(folder, options, prompts if not isinstance(run, Apus) else given, NEW_TOKENS, rng)
            verdict = compare(options, folder, prompts, records, NEW_TOKENS, rng.choice(["eager", "sdpa"]))
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            return Verdict(failures=[str(error)])
        if options.text and isinstance(run, Apus):
            verdict.failures += text_faults(tokenizer, given, records)
        if verbose:
            for record in records:
                print(json.dumps(record))
    return verdict


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--only", type=int, metavar="SEED", help="one configuration, by its own seed")
    parser.add_argument("--self-test", action="store_true")
    arguments, seed = parsed(parser)
    rng = random.Random(seed)
    seeds = [arguments.only] if arguments.only is not None else [rng.randrange(1 << 31) for _ in range(arguments.count)]
    print(f"seed {seed}, {len(seeds)} configurations", flush=True)
    if arguments.self_test:
        return self_test(check, [draw(own) for own in seeds]) | integer_self_test([draw(own) for own in seeds])
    apus, total, failed, start = Apus(command(parser, arguments)), Verdict(), 0, time.time()
    integers, rounded = IntegerCheck(apus.command), IntegerVerdict()
    for own in seeds:
        options = draw(own)
        verdict = check(options, apus, verbose=arguments.only is not None)
        total.add(verdict)
        whole = check_integers(options, integers, own)
        rounded.add(whole)
        verdict.failures += whole.failures
        if verdict.failures:
            failed += 1
            print(f"FAIL --only {own} [{options.describe()}] apus {apus.last}")
            for failure in verdict.failures[:4]:
                print(f"     {failure}", flush=True)
    print(f"{len(seeds) - failed} of {len(seeds)} configurations agree with transformers {transformers.__version__}: "
          f"{total.prompts} prompts, {total.tokens} tokens, {total.ties} ties, f32 log-probabilities within "
          f"{total.worst:.1e}, rounded ones at {total.ratio:.2f} of the tolerance, {time.time() - start:.0f} s "
          f"(seed {seed})")
    sound = rounded.settle()
    print(f"int8 and int4 on {', '.join(apus.command.sets)}: {rounded.runs} runs, {rounded.describe()}")
    if not sound:
        print(f"FAIL int8 and int4: {rounded.failures[-1]}")
    return 0 if sound and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
