"""The drill of runs: workers, coordinators and files are harmed at random, and the bytes must come out the same.

Run: make runs   (or: python Scripts/runs.py [--seed N] [--only NAME] [--trials N])
Needs a release build (or APUS_PROGRAM, another program) and the demo model. Each part prints a line on what it saw, and a line for each trial that went
wrong; exits 1 on any. Parts: workers (killed, stopped, out of memory), coordinator (killed, with and without its group,
then resumed), cuts (output and journal cut at every byte of their last records), disk (a small tmpfs fills up; root),
slow (a worker four times slower), million (a worker that answers at once), shards (an array of tasks, some killed),
startup (to the first prompt handed out).
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
APUS = os.environ.get("APUS_PROGRAM", str(ROOT / ".build" / "release" / "apus"))
WORDS = "the a dog cat king bird old little once there was sun moon tree house ran saw".split()


class Drill:
    def __init__(self, seed, trials):
        self.random = random.Random(seed)
        self.trials = trials
        self.failures = 0
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="runs-"))

    def fail(self, text):
        self.failures += 1
        print("  WRONG: " + text, flush=True)

    def prompts(self, count, longest=30, most=60):
        path = self.place / f"prompts-{count}-{most}.jsonl"
        if not path.exists():
            own = random.Random(count)
            with open(path, "w") as file:
                for index in range(count):
                    text = " ".join(own.choice(WORDS) for _ in range(own.randint(1, longest)))
                    file.write(json.dumps({"prompt": text, "id": index, "max_new_tokens": own.randint(5, most)}) + "\n")
        return path

    def reference(self, prompts):
        path = prompts.with_suffix(".reference")
        if not path.exists():
            run(["--prompts", prompts, "--output", path, "-q"])
        return path.read_bytes()

    def scratch(self):
        return pathlib.Path(tempfile.mkdtemp(dir=self.place))


def start(arguments, environment=None, **more):
    return subprocess.Popen(
        [APUS, "generate", *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, env={**os.environ, **(environment or {})}, text=True, **more)


def run(arguments, environment=None, limit=300):
    process = start(arguments, environment)
    try:
        _, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None, "took too long"
    return process.returncode, errors


def children(pid, name="_worker"):
    """Processes below a process whose command line has the name."""
    found, parents = [], {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            pass
    for candidate in parents:
        above = candidate
        while above in parents and above != pid:
            above = parents[above]
        if above != pid or candidate == pid:
            continue
        try:
            words = pathlib.Path(f"/proc/{candidate}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if name.encode() in words:
            found.append(candidate)
    return found


def lines_of(journal):
    try:
        return [line for line in journal.read_bytes().split(b"\n")[:-1] if line[17:18] == b"r"]
    except OSError:
        return []


def workers(drill):
    prompts = drill.prompts(500)
    expected = drill.reference(prompts)
    harms = 0
    for trial in range(drill.trials or 200):
        out = drill.scratch() / "out.jsonl"
        environment = {"APUS_HANG_SECONDS": "1.5"}
        kind = drill.random.choice(["kill", "kill", "stop", "memory"])
        if kind == "memory":
            index = drill.random.randrange(500)
            environment["APUS_FAULTS"] = f"once-exhaust@{index}"
        process = start(["--prompts", prompts, "--output", out, "-n", 3, "--threads", 1], environment)
        harmed = 1 if kind == "memory" else 0
        time.sleep(drill.random.uniform(0.02, 1.6))
        for _ in range(drill.random.randint(1, 3) if kind != "memory" else 0):
            found = children(process.pid)
            if process.poll() is None and found:
                try:
                    os.kill(drill.random.choice(found), signal.SIGKILL if kind == "kill" else signal.SIGSTOP)
                    harmed += 1
                except ProcessLookupError:
                    pass
            time.sleep(drill.random.uniform(0, 0.3))
        try:
            _, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            drill.fail(f"workers, trial {trial} ({kind}): did not end")
            continue
        said = [line for line in errors.split("\n") if line.startswith("rank ")]
        harms += len(said)
        if process.returncode != 0 or out.read_bytes() != expected:
            drill.fail(f"workers, trial {trial} ({kind}): exit {process.returncode}, {errors[-600:]}")
        elif len(said) > harmed:
            drill.fail(f"workers, trial {trial} ({kind}): {len(said)} lines on {harmed} events: {said}")
        shutil.rmtree(out.parent)
    print(f"workers: {drill.trials or 200} trials, {harms} deaths and hangs, each in a line")


def coordinator(drill):
    prompts = drill.prompts(500)
    expected = drill.reference(prompts)
    again = left = 0
    for trial in range(drill.trials or 100):
        out = drill.scratch() / "out.jsonl"
        journal = pathlib.Path(str(out) + ".journal")
        arguments = ["--prompts", prompts, "--output", out, "-n", 2, "--threads", 1, "--resume", "-q"]
        for _ in range(drill.random.randint(1, 3)):
            process = start(arguments, start_new_session=True)
            moment = time.monotonic() + drill.random.uniform(0.05, 1.5)
            before = []
            while time.monotonic() < moment and process.poll() is None:
                before.append((time.monotonic(), len(lines_of(journal))))
                time.sleep(0.02)
            mine = children(process.pid)
            if drill.random.random() < 0.5 and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            killed = time.monotonic()
            process.communicate()
            kept = len(lines_of(journal))
            finished = max([count for at, count in before if at < killed - 1], default=0)
            if kept < finished:
                again += 1
                drill.fail(f"coordinator, trial {trial}: {finished - kept} results of more than a second ago are gone")
            while time.monotonic() < killed + 2 and any(os.path.exists(f"/proc/{pid}") for pid in mine):
                time.sleep(0.01)
            rest = [pid for pid in mine if os.path.exists(f"/proc/{pid}")]
            left += len(rest)
            if rest:
                drill.fail(f"coordinator, trial {trial}: processes {rest} are left after 2 s")
        code, errors = run(arguments)
        if code != 0 or out.read_bytes() != expected:
            drill.fail(f"coordinator, trial {trial}: exit {code}, {errors[-300:]}")
        counts = [line.split()[2] for line in lines_of(journal)]
        if len(counts) != len(set(counts)):
            drill.fail(f"coordinator, trial {trial}: {len(counts) - len(set(counts))} prompts were computed twice")
        shutil.rmtree(out.parent)
    print(f"coordinator: {drill.trials or 100} trials, {again} lost results, {left} processes left")


def cuts(drill):
    prompts = drill.prompts(12, most=6)
    expected = drill.reference(prompts)
    home = drill.scratch()
    out = home / "out.jsonl"
    arguments = ["--prompts", prompts, "--output", out, "--resume", "-q", "--threads", 1]
    process = start(arguments + ["--batch-size", 1], {"APUS_FAULTS": "slow=50"})
    journal = pathlib.Path(str(out) + ".journal")
    while len(lines_of(journal)) < 7:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    partial = pathlib.Path(str(out) + ".partial")
    states = [("killed", {journal: journal.read_bytes(), partial: partial.read_bytes()})]
    run(arguments)
    states.append(("finished", {journal: journal.read_bytes(), out: out.read_bytes()}))
    count = 0
    for name, files in states:
        for cut in files:
            whole = files[cut]
            lines = whole.split(b"\n")[:-1]
            tail = sum(len(line) + 1 for line in lines[-2:])
            places = list(range(len(whole) - tail, len(whole) + 1))
            if drill.trials:
                places = drill.random.sample(places, min(drill.trials, len(places)))
            for place in places:
                for path in home.iterdir():
                    path.unlink()
                for path, content in files.items():
                    path.write_bytes(content[:place] if path == cut else content)
                code, errors = run(arguments)
                count += 1
                if code != 0 or out.read_bytes() != expected:
                    drill.fail(f"cuts, {name}, {cut.name} at {place} of {len(whole)}: exit {code}, {errors[-300:]}")
    print(f"cuts: {count} places")


def disk(drill):
    prompts = drill.prompts(500)
    expected = drill.reference(prompts)
    mount = drill.scratch()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", mount], stderr=subprocess.DEVNULL).returncode:
        print("disk: skipped, a tmpfs cannot be mounted here")
        return
    try:
        out = mount / "out.jsonl"
        arguments = ["--prompts", prompts, "--output", out, "-n", 2, "--threads", 1, "--resume", "-q"]
        sizes, codes = 256, []
        while True:
            code, errors = run(arguments)
            codes.append(code)
            if code != 75:
                break
            lines = [line for line in errors.split("\n") if line]
            if len(lines) != 1 or "No space left" not in lines[0]:
                drill.fail(f"disk: {lines}")
            sizes += 128
            subprocess.run(["mount", "-o", f"remount,size={sizes}k", mount], check=True)
        if code != 0 or out.read_bytes() != expected:
            drill.fail(f"disk: exit {code}, {errors[-300:]}")
        print(f"disk: full {codes.count(75)} times, done with {sizes} KiB")
    finally:
        subprocess.run(["umount", mount])


def slow(drill):
    prompts = drill.prompts(2000, most=60)
    out = drill.scratch()

    def timed(name, arguments, environment=None):
        summary = out / "summary.json"
        begin = time.monotonic()
        code, errors = run(
            ["--prompts", prompts, "--output", out / name, "--threads", 1, "--summary", summary, *arguments], environment)
        if code != 0:
            drill.fail(f"slow: exit {code}, {errors[-300:]}")
        record = json.loads(summary.read_text())
        return record, time.monotonic() - begin

    alone, _ = timed("alone", [])
    ratios = []
    for _ in range(5):
        both, _ = timed("both", ["-n", 2, "--force"], {"APUS_FAULTS": "1:slow=4"})
        # What each makes a second, from when it had its first prompt until neither had to wait for the other.
        start = both["first_dispatch_seconds"]
        middle = [sample for sample in both["samples"] if sample["seconds"] < 0.8 * both["seconds"]][-1]
        rates = [tokens / (middle["seconds"] - start) for tokens in middle["tokens"]]
        ideal = alone["tokens"] / sum(rates)
        took = both["seconds"] - start
        shares = max(alone["tokens"] / 2 / rate for rate in rates)
        ratios.append(took / ideal)
        print(
            f"slow: {took:.2f} s, ideal split {ideal:.2f} s ({took / ideal:.3f}), static shares {shares:.2f} s "
            f"({shares / ideal:.2f}); tokens {[rank['tokens'] for rank in both['ranks']]} of {alone['tokens']}")
    if sorted(ratios)[2] > 1.05:
        drill.fail(f"slow: {sorted(ratios)[2]:.3f} of the ideal split (median of 5)")


def million(drill):
    path = drill.place / "million.jsonl"
    count = 1_000_000
    with open(path, "w") as file:
        for index in range(count):
            file.write('{"prompt": "a dog", "id": %d}\n' % index)
    out = drill.scratch() / "out.jsonl"
    process = start(["--prompts", path, "--output", out, "-n", 1], {"APUS_STAND_IN": "1"})
    begin, peaks, first = time.monotonic(), [], None
    journal = pathlib.Path(str(out) + ".journal")
    partial = pathlib.Path(str(out) + ".partial")
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peaks.append(int(status.split("VmRSS:")[1].split()[0]))
        except (OSError, IndexError):
            pass
        if first is None and partial.exists() and partial.stat().st_size > 0:
            first = time.monotonic() - begin
        time.sleep(0.02 if first is None else 0.2)
    seconds = time.monotonic() - begin
    errors = process.communicate()[1]
    quarter = len(peaks) // 4
    growth = max(peaks[3 * quarter:]) - max(peaks[: quarter + 1])
    with open(out) as file:
        order = all(line.startswith('{"index":%d,"id":%d,' % (index, index)) for index, line in enumerate(file))
    print(
        f"million: {count / seconds:.0f} results a second, first after {first:.2f} s, resident at most "
        f"{max(peaks) / 1024:.0f} MiB, {growth / 1024:+.0f} MiB from the first quarter to the last, order kept: {order}")
    if process.returncode != 0 or not order or count / seconds < 50_000 or first > 1 or growth > 30 * 1024:
        drill.fail(f"million: exit {process.returncode}, {errors[-300:]}")
    journal.unlink(missing_ok=True)


def shards(drill):
    total = drill.trials or 1000
    prompts = drill.prompts(1500, most=8)
    expected = drill.reference(prompts)
    home = drill.scratch()
    parts, merged = home / "parts", home / "merged.jsonl"
    todo, rounds = list(range(total)), 0
    while todo:
        rounds += 1
        drill.random.shuffle(todo)
        running, waiting = {}, list(todo)
        while waiting or running:
            while waiting and len(running) < 8:
                task = waiting.pop()
                running[task] = start(
                    ["--prompts", prompts, "--output", parts, "--shard", f"auto/{total}", "--threads", 1, "-q"],
                    {"SLURM_ARRAY_TASK_ID": str(task)}, start_new_session=True)
            for task, process in list(running.items()):
                if rounds == 1 and drill.random.random() < 0.01:
                    os.killpg(process.pid, signal.SIGKILL)
                if process.poll() is not None:
                    errors = process.communicate()[1]
                    if process.returncode not in (0, -9, 75):
                        drill.fail(f"shards, task {task}: exit {process.returncode}, {errors[-300:]}")
                    del running[task]
            time.sleep(0.005)
        merge = subprocess.run([APUS, "merge", parts, "--output", merged], capture_output=True, text=True)
        todo = []
        if merge.returncode == 75:
            for part in merge.stderr.split("--array=")[1].split(")")[0].split(","):
                ends = [int(number) for number in part.split("-")]
                todo += range(ends[0], ends[-1] + 1)
        elif merge.returncode != 0:
            drill.fail(f"shards: merge exit {merge.returncode}, {merge.stderr}")
            return
        if rounds == 1 and merged.exists() and todo:
            drill.fail("shards: merge wrote although shards are missing")
    if merged.read_bytes() != expected:
        drill.fail("shards: other bytes")
    print(f"shards: {total} shards by 8 tasks at once, {rounds} rounds")


def startup(drill):
    home = drill.scratch()
    times = []
    for trial in range(10):
        summary = home / "summary.json"
        run(["a dog", "--output", home / f"out-{trial}.jsonl", "--summary", summary, "-n", 4, "--max-new-tokens", 2]
            + ["a cat", "a cow", "a bird"])
        times.append(json.loads(summary.read_text())["first_dispatch_seconds"])
    times.sort()
    print(f"startup: first prompt handed out after {times[5]:.3f} s (median), {times[-1]:.3f} s (longest)")
    if times[5] > 0.5:
        drill.fail("startup: more than 0.5 s")


PARTS = [workers, coordinator, cuts, disk, slow, million, shards, startup]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, help="instead of each part's own number")
    parser.add_argument("--only", action="append", choices=[part.__name__ for part in PARTS])
    arguments = parser.parse_args()
    drill = Drill(arguments.seed, arguments.trials)
    for part in PARTS:
        if not arguments.only or part.__name__ in arguments.only:
            part(drill)
    shutil.rmtree(drill.place, ignore_errors=True)
    sys.exit(1 if drill.failures else 0)


if __name__ == "__main__":
    main()
