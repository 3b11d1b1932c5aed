"""Apus and its peers on one checkpoint, in turn, several rounds: the table of medians and ratios.

    python3 Benchmarks/compare.py --model DIR --peers DIR                    everything, about 20 minutes
    python3 Benchmarks/compare.py --model DIR --peers DIR --parts decode,prefill --formats bf16 --rounds 5

Benchmarks/install_peers.sh DIR CHECKPOINT installs the peers; those that are missing are said to be. Run nothing else
meanwhile. Every engine has the same threads, a warm page cache, greedy choice, and prompts that all run to full length.
A ratio is the median over the rounds, each against the figure of the same round.
"""

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers.apus import Apus
from peers.engine import FORMATS, PARTS, Engine, EngineError, OpenVINO, Transformers
from peers.llama_cpp import LlamaCpp
from peers.report import Report
from peers.work import Work

ROOT = Path(__file__).parents[1]
# By the name that --only and install_peers.sh know an engine by.
ENGINES = ["apus", "llama.cpp", "openvino", "transformers"]


def choices(known: list[str]):
    def parse(text: str) -> list[str]:
        values = text.split(",")
        if unknown := [value for value in values if value not in known]:
            raise argparse.ArgumentTypeError(f"'{unknown[0]}' is none of {', '.join(known)}")
        return [value for value in known if value in values]
    return parse


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="the checkpoint's directory")
    parser.add_argument("--peers", type=Path, default=Path("peers"), help="where install_peers.sh put them")
    parser.add_argument("--apus", type=Path, default=ROOT / ".build/release/apus")
    parser.add_argument("--parts", type=choices(PARTS), default=PARTS, help=f"some of {','.join(PARTS)}")
    parser.add_argument("--formats", type=choices(FORMATS), default=FORMATS, help=f"some of {','.join(FORMATS)}")
    parser.add_argument("--only", type=choices(ENGINES), default=ENGINES, help=f"some of {','.join(ENGINES)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch-size", type=int, default=100, help="of the engines with continuous batching")
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--new-tokens", type=int, default=100)
    parser.add_argument("--decode-tokens", type=int, default=64)
    parser.add_argument("--prefill", type=int, default=512)
    parser.add_argument("--whole", action="store_true",
                        help="every prompt and token also where batches are fixed (otherwise transformers runs 3 whole "
                             "batches, and llama.cpp's batch is timed over 32 tokens and prolonged; both favour them)")
    parser.add_argument("--json", type=Path, help="file for all figures, written after each")
    parser.add_argument("--page", type=Path, help="file for the table as a page")
    parser.add_argument("--from", dest="source", type=Path, help="print the table of such a file and measure nothing")
    values = parser.parse_args()
    if not values.model and not values.source:
        parser.error("give --model")
    return values


def engines(options: argparse.Namespace) -> dict[str, Engine]:
    peers, name = options.peers, options.model.resolve().name
    install = f"installed by Benchmarks/install_peers.sh {peers} {options.model}"
    version = peers / "llama.cpp/version"
    found = {
        "apus": Apus(options.apus, options.model, {form: peers / f"{name}-apus-{form}" for form in ("int8", "int4")}),
        "llama.cpp": LlamaCpp(
            (peers / "llama.cpp/build/bin").absolute(),
            {form: peers / f"{name}-{label}.gguf" for form, label in LlamaCpp.labels.items()},
            version.read_text().strip() if version.exists() else "llama.cpp", f"{install} llama.cpp"),
        "openvino": OpenVINO(
            peers / "openvino/bin/python",
            {"bf16": peers / f"{name}-ov-fp16", "int8": peers / f"{name}-ov-int8"}, f"{install} openvino"),
        "transformers": Transformers(
            peers / "transformers/bin/python", {"bf16": options.model}, f"{install} transformers"),
    }
    return {key: found[key] for key in options.only}


def warm(files: list[Path]) -> None:
    """Brings files into the page cache."""
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def make_work(options: argparse.Namespace, apus: Apus, scratch: Path, report: Report) -> Work:
    """The work, whose prompts are the token ids of Apus's own benchmark."""
    facts = apus.report(scratch, "--model", str(options.model), "--threads", str(options.threads), "--batch-size",
                        "10", "--prompts", "10", "--new-tokens", "1", "--prefill", "0")
    report.machine, ids = facts["machine"], facts["prompt_token_ids"]
    draw = random.Random(0)
    return Work(
        model="", threads=options.threads, parts=[], prompts=[ids[n % len(ids)] for n in range(options.prompts)],
        long_prompt=[draw.randrange(facts["model"]["vocab_size"]) for _ in range(options.prefill)],
        new_tokens=options.new_tokens, decode_tokens=options.decode_tokens, in_flight=options.batch_size,
        batch=16, batches=0 if options.whole else 3)


def groups(parts: list[str], round: int) -> list[list[str]]:
    """Parts that one process does together, and those that need their own. Memory does not vary between rounds."""
    alone = [[part] for part in ("cold", "memory") if part in parts and (part != "memory" or round == 0)]
    together = [part for part in ("decode", "prefill", "batched") if part in parts]
    return ([together] if together else []) + alone


def compare(options: argparse.Namespace, report: Report) -> None:
    found = engines(options)
    apus = found.get("apus") or Apus(options.apus, options.model, {})
    if reason := apus.missing("bf16"):
        sys.exit(f"Apus: {reason}")
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        work = make_work(options, apus, scratch, report)
        for number in range(options.rounds):
            for form in options.formats:
                # Another one begins each round, so that none always runs after the same neighbour.
                turn = list(found)[number % len(found):] + list(found)[:number % len(found)]
                for key in turn:
                    measure(found[key], form, number, options, work, scratch, report)


def measure(engine: Engine, form: str, number: int, options: argparse.Namespace, work: Work, scratch: Path,
            report: Report) -> None:
    if form not in engine.labels:
        return
    if reason := engine.missing(form):
        report.say_missing(engine.name, reason)
        return
    warm(engine.files(form))
    for parts in groups(options.parts, number):
        begin, load = time.monotonic(), Load()
        try:
            figures = engine.measure(form, parts, work, scratch)
        except EngineError as error:
            report.say_missing(engine.name, f"{form}, {', '.join(parts)}: {error}")
            continue
        report.add(engine, form, number, figures)
        others = load.of_others()
        report.busiest = max(report.busiest, others)
        print(f"round {number + 1}, {engine.name} {engine.labels[form]}, {time.monotonic() - begin:.0f} s: "
              + ", ".join(f"{part} {report.written(part, value)}" for part, value in figures.items() if part in PARTS)
              + (f" (others took {others:.0%} of the processors)" if others > 0.1 else ""), file=sys.stderr, flush=True)
        if options.json:
            report.write(options.json)


class Load:
    """What other programs take of the processors, from now on: with two cores, a busy one spoils every figure."""

    def __init__(self):
        self.begin = self.now()

    @staticmethod
    def now() -> tuple[float, float, float]:
        """Seconds of all processors, the busy ones of them, and those of this process and its children."""
        words = Path("/proc/stat").read_text().split("\n")[0].split()[1:9]
        ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in words]
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        # Idle and waiting for a disk are the fourth and fifth.
        return sum(ticks), sum(ticks) - ticks[3] - ticks[4], sum(use.ru_utime + use.ru_stime for use in own)

    def of_others(self) -> float:
        total, busy, own = (end - begin for begin, end in zip(self.begin, self.now()))
        # The system counts in hundredths of a second, too coarsely for short measurements.
        return max(busy - own, 0) / total if total > 4 else 0


def commit() -> str:
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()


def main() -> None:
    options = arguments()
    if options.source:
        report = Report.read(options.source)
    else:
        names = ("rounds", "threads", "batch_size", "prompts", "new_tokens", "decode_tokens", "prefill", "whole")
        report = Report({name: getattr(options, name) for name in names} | {"commit": commit()})
        # A run that is ended early still prints what it has.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            compare(options, report)
        except KeyboardInterrupt:
            print("interrupted; what was measured follows", file=sys.stderr)
        if options.json:
            report.write(options.json)
    print(report.table())
    if options.page:
        options.page.write_text(report.page())


if __name__ == "__main__":
    main()
