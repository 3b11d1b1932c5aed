"""Apus by its own commands."""

import json
import subprocess
from pathlib import Path

from peers.engine import Engine, EngineError, run
from peers.work import Work


class Apus(Engine):
    name = "Apus"
    labels = {"bf16": "bf16", "int8": "int8", "int4": "int4"}

    def __init__(self, program: Path, model: Path, quantized: dict[str, Path]):
        self.program, self.model, self.quantized = program, model, quantized
        self.help = ""

    def missing(self, format: str) -> str | None:
        if not self.program.exists():
            return f"no {self.program}; swift build -c release"
        if not self.help:
            self.help = subprocess.run([self.program, "bench", "--help"], capture_output=True, text=True).stdout
        # The one place that knows which formats this build has.
        if format != "bf16" and not self.quantized[format].exists() and "--quantize" not in self.help:
            return f"{self.program} has no {format} yet"
        return None

    def files(self, format: str) -> list[Path]:
        return sorted(self.directory(format).glob("*.safetensors"))

    def directory(self, format: str) -> Path:
        quantized = self.quantized.get(format)
        return quantized if quantized and quantized.exists() else self.model

    def source(self, format: str) -> list[str]:
        """The checkpoint, quantized while it is loaded unless it was quantized before."""
        directory = self.directory(format)
        choice = ["--quantize", format] if format != "bf16" and directory == self.model else []
        return ["--model", str(directory), *choice]

    def measure(self, format: str, parts: list[str], work: Work, scratch: Path) -> dict[str, float]:
        figures = {}
        generate = [str(self.program), "generate", *self.source(format), "--threads", str(work.threads), "--quiet"]
        if "cold" in parts:
            figures["cold"] = run([*generate, "--max-new-tokens", "1", "The lighthouse keeper"])[1]
        if "memory" in parts:
            prompts = scratch / "prompts.txt"
            prompts.write_text("The lighthouse keeper counted the ships every evening, and then there were more.\n"
                               * work.batch)
            figures["memory"] = float(run(
                [*generate, "--batch-size", str(work.batch), "--prompts", str(prompts), "--max-new-tokens", "8",
                 "--min-new-tokens", "8"], watch=True)[2])
        if "decode" in parts or "prefill" in parts:
            report = self.report(
                scratch, *self.source(format), "--threads", str(work.threads), "--batch-size", "1", "--prompts", "1",
                "--new-tokens", str(work.decode_tokens if "decode" in parts else 1),
                "--prefill", str(len(work.long_prompt) if "prefill" in parts else 0))
            result, limits = report["runs"][0], self.limits(report)
            figures["read bandwidth"] = result["read_bytes_per_second"]
            figures["peak"] = result["peak_operations_per_second"]
            if "decode" in parts:
                figures["decode"] = 1 / result["decode_step_seconds"]["mean"]
                figures["decode share"] = figures["decode"] * max(limits)
            if "prefill" in parts:
                figures["prefill"] = result["prefill_tokens_per_second"]
                figures["prefill share"] = figures["prefill"] * limits[1]
        if "batched" in parts:
            report = self.report(
                scratch, *self.source(format), "--threads", str(work.threads), "--batch-size", str(work.in_flight),
                "--prompts", str(len(work.prompts)), "--new-tokens", str(work.new_tokens), "--prefill", "0")
            figures["batched"] = report["runs"][0]["tokens_per_second"]
            figures["batched share"] = report["runs"][0]["share_of_limit"]
        return figures

    @staticmethod
    def limits(report: dict) -> tuple[float, float]:
        """Seconds that reading the weights once takes at least, and the arithmetic of one token."""
        result = report["runs"][0]
        return (result["weight_bytes_per_step"] / result["read_bytes_per_second"],
                2 * report["model"]["parameters_in_products"] / result["peak_operations_per_second"])

    def report(self, scratch: Path, *arguments: str) -> dict:
        """One round of `apus bench`, as it reports it."""
        file = scratch / "bench.json"
        run([str(self.program), "bench", "--rounds", "1", "--json", str(file), *arguments])
        try:
            return json.loads(file.read_text())
        except (OSError, ValueError) as error:
            raise EngineError(f"apus bench wrote no report: {error}") from None
