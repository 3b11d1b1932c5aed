"""llama.cpp by its own benchmarks."""

import json
from pathlib import Path

from peers.engine import Engine, EngineError, run
from peers.work import Work


class LlamaCpp(Engine):
    name = "llama.cpp"
    labels = {"bf16": "bf16", "int8": "q8_0", "int4": "q4_0"}
    batches = [16, 32, 64]

    def __init__(self, binaries: Path, models: dict[str, Path], version: str, install: str):
        self.binaries, self.models, self.version, self.install = binaries, models, version, install
        self.best: dict[str, int] = {}
        """The best batch of each format, found once."""

    def missing(self, format: str) -> str | None:
        for path in [self.binaries / "llama-bench", self.models[format]]:
            if not path.exists():
                return f"missing, no {path}; {self.install}"
        return None

    def files(self, format: str) -> list[Path]:
        return [self.models[format]]

    def measure(self, format: str, parts: list[str], work: Work, scratch: Path) -> dict[str, float]:
        model, figures = self.models[format], {}
        if "cold" in parts:
            # One token, nothing warmed up, so that it is the model's first.
            figures["cold"] = self.run(
                "llama-completion", model, work, "-c", "512", "-n", "1", "--no-warmup", "-no-cnv", "--temp", "0",
                "--ignore-eos", "-p", "The lighthouse keeper")[1]
        if "memory" in parts:
            figures["memory"] = float(self.batch(model, work, [work.batch], 8, watch=True)[1])
        if "decode" in parts:
            figures["decode"] = self.bench(model, work, 0, work.decode_tokens)
        if "prefill" in parts:
            figures["prefill"] = self.bench(model, work, len(work.long_prompt), 0)
        if "batched" in parts:
            figures["batched"] = self.batched(format, model, work)
        return figures

    def bench(self, model: Path, work: Work, prompt: int, new: int) -> float:
        output = self.run("llama-bench", model, work, "-p", str(prompt), "-n", str(new), "-r", "1", "-o", "jsonl")[0]
        return lines(output)[0]["avg_ts"]

    def batched(self, format: str, model: Path, work: Work) -> float:
        """Tokens a second of whole batches at the best batch. They are timed over their first 32 tokens and prolonged
        to all at that pace, unless every prompt is asked for: what is left out has longer contexts."""
        if format not in self.best:
            rows = self.batch(model, work, self.batches, 8, prompt=1)[0]
            self.best[format] = max(rows, key=lambda row: row["speed_tg"])["pl"]
        count = min(32, work.new_tokens) if work.batches else work.new_tokens
        row = self.batch(model, work, [self.best[format]], count)[0][0]
        seconds = row["t_pp"] + row["t_tg"] * work.new_tokens / count
        return row["pl"] * work.new_tokens / seconds

    def batch(self, model: Path, work: Work, sizes: list[int], new: int, prompt: int | None = None, watch: bool = False):
        """Rows of llama-batched-bench, and its memory if watched."""
        prompt = prompt or round(sum(map(len, work.prompts)) / len(work.prompts))
        output, _, peak = self.run(
            "llama-batched-bench", model, work, "-c", str(max(sizes) * (prompt + new)), "-b", "2048", "-ub", "512",
            "-npp", str(prompt), "-ntg", str(new), "-npl", ",".join(map(str, sizes)), "--output-format", "jsonl",
            watch=watch)
        return lines(output), peak

    def run(self, program: str, model: Path, work: Work, *arguments: str, watch: bool = False):
        path = self.binaries / program
        if not path.exists():
            raise EngineError(f"missing, no {path}; {self.install}")
        return run([str(path), "-m", str(model), "-t", str(work.threads), *arguments],
                   {"LD_LIBRARY_PATH": str(self.binaries)}, watch)


def lines(output: str) -> list[dict]:
    rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    if not rows:
        raise EngineError("llama.cpp's benchmark printed no result")
    return rows
