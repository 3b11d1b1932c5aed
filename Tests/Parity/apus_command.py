"""Runs the command under test, and what the scripts that do it have in common."""

import argparse
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "Tests/Fixtures/Models/mha"


class Command:
    def __init__(self, path: str):
        self.path = path
        self.sets = self.instruction_sets()
        self.last = ""  # what to type to see the last run again

    def run(self, arguments: list[str], isa: str = "", text: str = "", statuses=(0,)) -> subprocess.CompletedProcess:
        self.last = " ".join(([f"APUS_ISA={isa}"] if isa else []) + arguments)
        environment = os.environ | ({"APUS_ISA": isa} if isa else {})
        done = subprocess.run([self.path, *arguments], capture_output=True, text=True, timeout=300, input=text,
                              env=environment)
        if done.returncode not in statuses:
            raise RuntimeError(f"{self.last} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done

    def generate(self, folder: Path, requests: list[dict], *arguments, isa="", statuses=(0,)) -> list[dict]:
        """The records of prompts, without the number of the process."""
        with tempfile.TemporaryDirectory(prefix="apus-parity-") as name:
            source, target = Path(name) / "prompts.jsonl", Path(name) / "results.jsonl"
            source.write_text("".join(json.dumps(request) + "\n" for request in requests))
            files = ["--model", str(folder), "--prompts", str(source), "--output", str(target)]
            done = self.run(["generate", *files, "--quiet", *map(str, arguments)], isa, statuses=statuses)
            if not target.exists():
                raise RuntimeError(f"{self.last} wrote no results: {done.stderr.strip()[-300:]}")
            records = [json.loads(line) for line in target.read_text().split("\n") if line]
        return [{key: value for key, value in record.items() if key != "rank"} for record in records]

    def quantize(self, folder: Path, target: Path, format: str, *options: str) -> Path:
        self.run(["quantize", "--model", str(folder), "--output", str(target), "--format", format, *options])
        return target

    def instruction_sets(self) -> list[str]:
        """Those that this machine runs: the command names them when it is asked for another."""
        done = self.run(["generate", "--model", str(SMALL), "--prompts", "-", "--quiet"], "none",
                        '{"prompt_token_ids": [1]}\n', statuses=(1,))
        _, found, names = done.stderr.strip().partition("instruction sets: ")
        if not found:
            raise RuntimeError(f"{self.path} names no instruction set that it runs on: {done.stderr.strip()[-300:]}")
        return names.split(", ")


def script(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="of the whole run; fresh and printed when left out")
    parser.add_argument("--apus", default=os.environ.get("APUS", str(ROOT / ".build/release/apus")))
    return parser


def parsed(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, int]:
    """The arguments and the seed of a run, with the libraries quiet and on one thread."""
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    arguments = parser.parse_args()
    return arguments, arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 31)


def command(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Command:
    if not os.access(arguments.apus, os.X_OK):
        parser.exit(1, f"{arguments.apus} is not there: build it (make build) or name it with --apus\n")
    return Command(arguments.apus)
