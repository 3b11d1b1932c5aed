"""What a peer is asked to do. Runs inside the peers' own interpreters, so it needs nothing but Python."""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Work:
    model: str
    threads: int
    parts: list[str]
    prompts: list[list[int]]
    """Token ids."""
    long_prompt: list[int]
    """Of the prefill's length."""
    new_tokens: int
    decode_tokens: int
    in_flight: int
    """Sequences at once, of an engine with continuous batching."""
    batch: int
    """Sequences at once where batches are fixed, and where memory is measured."""
    batches: int
    """Most batches where they are fixed; 0 for all prompts."""
    started: float = 0
    """When the process was started, by the clock that all processes share."""

    @staticmethod
    def from_arguments() -> "Work":
        return Work(**json.loads(Path(sys.argv[1]).read_text()), started=float(sys.argv[2]))

    def write(self, path: Path) -> None:
        fields = asdict(self)
        del fields["started"]
        path.write_text(json.dumps(fields))


def finish(work: Work, engine: str, generate, decode, prefill, batched) -> None:
    """Does the parts in turn, each after a short turn of its own kind, and prints what they gave."""
    figures = {}
    if "cold" in work.parts:
        generate([work.prompts[0]], 1)
        figures["cold"] = time.monotonic() - work.started
    if "memory" in work.parts:
        generate(work.prompts[:work.batch], 8)
    if "decode" in work.parts:
        generate([work.prompts[0]], 4)
        figures["decode"] = decode()
    if "prefill" in work.parts:
        generate([work.long_prompt], 1)
        figures["prefill"] = prefill()
    if "batched" in work.parts:
        generate(work.prompts[:work.batch], 4)
        figures["batched"] = batched(work.batch)
    print(json.dumps({"engine": engine, "figures": figures}), flush=True)
