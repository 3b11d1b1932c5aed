"""Figures by part, format and engine, one a round; their table of medians and ratios."""

import json
import sys
from pathlib import Path
from statistics import median

TITLES = {
    "decode": "one sequence, tokens/s", "prefill": "prefill of {prefill}, tokens/s",
    "batched": "{prompts} prompts × {new_tokens}, tokens/s", "cold": "first token of a cold process, s",
    "memory": "peak memory with 16 prompts, GB",
}
# Of these less is better.
COSTS = {"cold", "memory"}
APUS = "Apus"
ORDER = [APUS, "llama.cpp", "OpenVINO", "transformers"]


class Report:
    def __init__(self, settings: dict):
        self.settings = settings
        self.machine: dict = {}
        self.versions: dict[str, str] = {}
        self.labels: dict[str, dict[str, str]] = {}
        """What an engine calls a format."""
        self.figures: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
        """By part, format, engine and round (from "1")."""
        self.gaps: list[str] = []
        self.busiest = 0.0
        """The largest share of the processors that others took during a measurement."""

    @staticmethod
    def read(path: Path) -> "Report":
        try:
            fields = json.loads(path.read_text())
            report = Report(fields["settings"])
        except (OSError, ValueError, KeyError) as error:
            sys.exit(f"{path} is no file of compare.py: {error}")
        vars(report).update(fields)
        return report

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(vars(self), indent=1) + "\n")

    def add(self, engine, form: str, number: int, figures: dict[str, float]) -> None:
        if engine.version:
            self.versions[engine.name] = engine.version
        self.labels.setdefault(engine.name, {})[form] = engine.labels[form]
        for part, value in figures.items():
            by_engine = self.figures.setdefault(part, {}).setdefault(form, {})
            by_engine.setdefault(engine.name, {})[str(number + 1)] = value

    def say_missing(self, engine: str, reason: str) -> None:
        """Says once in the table, and at once on standard error, what there are no figures of."""
        line = f"{engine}: {reason}"
        if line not in self.gaps:
            self.gaps.append(line)
            print(line, file=sys.stderr, flush=True)

    @staticmethod
    def written(part: str, value: float) -> str:
        if part.endswith("share"):
            return f"{value * 100:.0f} %"
        if part == "memory":
            value /= 1e9
        return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"

    def rows(self) -> list[tuple[str, str, dict[str, dict[str, float]]]]:
        """Part, format and the figures of each engine."""
        return [(part, form, by_engine) for part in TITLES for form, by_engine in self.figures.get(part, {}).items()]

    def engines(self) -> list[str]:
        return [name for name in ORDER if any(name in by_engine for _, _, by_engine in self.rows())]

    def ratio(self, part: str, by_engine: dict, peer: str) -> float | None:
        """How many times Apus is better, by the median over rounds that both have."""
        ours, theirs = by_engine.get(APUS, {}), by_engine.get(peer, {})
        ratios = [theirs[number] / ours[number] if part in COSTS else ours[number] / theirs[number]
                  for number in ours if number in theirs]
        return median(ratios) if ratios else None

    def cells(self) -> list[list[str]]:
        engines = self.engines()
        peers = [name for name in engines if name != APUS] if APUS in engines else []
        table = [["", "format", *engines, *[f"× {peer}" for peer in peers], "share of the limit"]]
        last = None
        for part, form, by_engine in self.rows():
            title = TITLES[part].format(**self.settings) if part != last else ""
            last = part
            row = [title, form]
            for name in engines:
                values = list(by_engine.get(name, {}).values())
                label = self.labels.get(name, {}).get(form, form)
                suffix = "" if label == form else f" ({label})"
                row.append(self.written(part, median(values)) + suffix if values else "")
            for peer in peers:
                ratio = self.ratio(part, by_engine, peer)
                row.append(f"{ratio:.2f}" if ratio else "")
            shares = list(self.figures.get(f"{part} share", {}).get(form, {}).get(APUS, {}).values())
            row.append(self.written("share", median(shares)) if shares else "")
            table.append(row)
        return table

    def facts(self) -> list[str]:
        machine, settings = self.machine, self.settings
        lines = [f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_bytes'] / 2**30:.1f} GiB; "
                 f"{settings['threads']} threads; Apus {settings['commit']}, {machine['instruction_set']}"]
        for key, name, unit in [("read bandwidth", "Read bandwidth", "GB/s"), ("peak", "Peak", "GFLOP/s")]:
            for form, by_engine in self.figures.get(key, {}).items():
                values = [value / 1e9 for value in by_engine[APUS].values()]
                lines.append(f"{name} around the rounds of {form}: {min(values):.4g} to {max(values):.4g} {unit}")
        versions = "; ".join(self.versions.values())
        lines.append(f"Others took at most {self.busiest:.0%} of the processors during a measurement")
        return lines + ([f"Peers: {versions}"] if versions else [])

    def rounds(self) -> int:
        return max((int(number) for _, _, by_engine in self.rows() for by_round in by_engine.values()
                    for number in by_round), default=0)

    def table(self) -> str:
        cells = self.cells()
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
        lines = ["  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                           for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in cells]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*self.facts(), "", *lines, *([""] if self.gaps else []), *self.gaps])

    def page(self) -> str:
        cells = self.cells()
        table = ["| " + " | ".join(row) + " |" for row in cells]
        table.insert(1, "|" + "---|" * len(cells[0]))
        settings = self.settings
        how = (f"Medians of {self.rounds()} rounds, the engines in turn; × is how many times better Apus is, by the median "
               "of the rounds' own ratios. Written by `Benchmarks/compare.py`.")
        if not settings["whole"]:
            how += (" transformers ran 3 whole batches of 16, and llama.cpp's best batch was timed over its first 32 "
                    "tokens and prolonged to all at that pace: both favour them.")
        return "\n".join(["# Apus beside its peers", "", *[line + "  " for line in self.facts()], "", how, "", *table, "",
                          *[f"- {gap}" for gap in self.gaps]]).rstrip() + "\n"
