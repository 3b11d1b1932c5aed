"""What compare.py asks of an engine, and running one with its memory watched."""

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from peers.work import Work

PARTS = ["decode", "prefill", "batched", "cold", "memory"]
FORMATS = ["bf16", "int8", "int4"]


class EngineError(Exception):
    """One line on why an engine gave no figure."""


class Engine:
    name = ""
    labels: dict[str, str] = {}
    """The engine's own names of the formats that it has."""
    version = ""

    def missing(self, format: str) -> str | None:
        """Why the engine cannot run a format here; None if it can."""
        raise NotImplementedError

    def files(self, format: str) -> list[Path]:
        """What must be in the page cache."""
        raise NotImplementedError

    def measure(self, format: str, parts: list[str], work: Work, scratch: Path) -> dict[str, float]:
        """Figures by part: tokens a second, but seconds for `cold` and bytes for `memory`. Only `cold` and `memory` are
        asked for alone."""
        raise NotImplementedError


def run(command: list[str], environment: dict[str, str] | None = None, watch: bool = False) -> tuple[str, float, int]:
    """Standard output, seconds, and with `watch` the most proportional memory of the process and all below it."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env={**os.environ, **(environment or {})})
    peak = 0
    try:
        while watch and process.poll() is None:
            peak = max(peak, sum(map(proportional_bytes, tree(process.pid))))
            time.sleep(0.1)
        output, errors = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        words = (errors.strip() or output.strip() or "no words").splitlines()[-1]
        raise EngineError(f"{Path(command[0]).name} ended with {process.returncode}: {words[:300]}")
    return output, time.monotonic() - begin, peak


def tree(root: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def proportional_bytes(process: int) -> int:
    """Resident memory, each page divided by the processes that share it (proc(5), smaps_rollup)."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


class PythonEngine(Engine):
    """An engine behind one of the scripts beside this file, run by an interpreter that has it."""
    script = ""

    def __init__(self, interpreter: Path, models: dict[str, Path], install: str):
        self.interpreter, self.models, self.install = interpreter, models, install

    def missing(self, format: str) -> str | None:
        for path in [self.interpreter, self.models[format]]:
            if not path.exists():
                return f"missing, no {path}; {self.install}"
        return None

    def files(self, format: str) -> list[Path]:
        return [path for path in self.models[format].iterdir() if path.suffix in {".safetensors", ".bin"}]

    def measure(self, format: str, parts: list[str], work: Work, scratch: Path) -> dict[str, float]:
        file = scratch / "work.json"
        replace(work, model=str(self.models[format]), parts=parts).write(file)
        script = Path(__file__).parent / self.script
        output, _, peak = run([str(self.interpreter), str(script), str(file), repr(time.monotonic())],
                              watch="memory" in parts)
        try:
            reply = json.loads(output.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise EngineError(f"{self.script} printed no result") from None
        self.version = reply["engine"]
        return {"memory": float(peak)} if "memory" in parts else reply["figures"]


class Transformers(PythonEngine):
    name, script = "transformers", "run_transformers.py"
    labels = {"bf16": "bf16"}


class OpenVINO(PythonEngine):
    name, script = "OpenVINO", "run_openvino.py"
    labels = {"bf16": "bf16", "int8": "int8"}
