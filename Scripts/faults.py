"""The fault drill: kills ranks and launchers at random moments and looks at what is left.

Run: make faults   (or: python Scripts/faults.py [--seed N] [--ranks 100] [--launchers 50])
Needs a release build. Every run must end within 2 s, name the right rank and cause in at most 3 lines, keep the exit
code, and leave no process and no file. Prints one line for each run that does not, then a summary; exits 1 on any.
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

BUILD = pathlib.Path(__file__).resolve().parent.parent / ".build" / "release"
APUS, RANK = str(BUILD / "apus"), str(BUILD / "apus-test-rank")
LIMIT = 2.0

# How the rank fails: the exit codes that are right, and how the line goes on after "rank N ".
CAUSES = {
    "throw": ((132, 133), "was killed by SIG"),
    "throw-inside": ((132, 133), "failed in splitBetweenProcesses"),
    "exit3": ((3,), "exited with status 3"),
    "exit0": ((1,), "exited with status 0 while rank"),
    "kill": ((137,), "was killed by SIGKILL"),
}


def marked(mark):
    """The processes of a job, grandchildren too: those that inherited its mark."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append((int(entry.name), (entry / "comm").read_text().strip()))
            except OSError:
                pass
    return found


class Job:
    def __init__(self, arguments):
        self.mark = f"APUS_DRILL={uuid.uuid4()}"
        self.scratch = tempfile.mkdtemp(prefix="drill-", dir="/tmp")
        self.errors = tempfile.TemporaryFile()
        name, value = self.mark.split("=")
        self.process = subprocess.Popen(
            [APUS, "launch", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors,
            env={**os.environ, name: value, "TMPDIR": self.scratch})

    def remains(self, since):
        """What is left of the job, waiting until LIMIT after the given moment for it to go."""
        while True:
            left = [f"process {number} ({name})" for number, name in marked(self.mark)]
            left += [f"file {file}" for file in os.listdir(self.scratch)]
            if not left or time.monotonic() - since > LIMIT:
                break
            time.sleep(0.01)
        self.last = time.monotonic() - since
        for number, _ in marked(self.mark):
            os.kill(number, signal.SIGKILL)
        shutil.rmtree(self.scratch)
        return left

    def error_lines(self):
        self.errors.seek(0)
        return [line for line in self.errors.read().decode(errors="replace").split("\n") if line.strip()]


def ready(job, count):
    """Waits until so many ranks of the job run the program itself."""
    for _ in range(2000):
        ranks = [number for number, name in marked(job.mark) if name.startswith("apus-test-rank")]
        if len(ranks) == count or job.process.poll() is not None:
            return ranks
        time.sleep(0.002)
    return []


def killed_from_outside(job, rank, rng):
    """A SIGKILL at a random moment of the rank's life; returns when it was sent."""
    for number in ready(job, 4):
        try:
            environment = pathlib.Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
            if f"RANK={rank}".encode() in environment:
                time.sleep(rng.uniform(0, 0.15))
                os.kill(number, signal.SIGKILL)
                break
        except OSError:
            pass  # the job is over already
    return time.monotonic()


def rank_run(rng):
    how, rank, delay = rng.choice([*CAUSES, "outside"]), rng.randrange(4), rng.randrange(100)
    if how == "outside":
        job = Job(["-n", "4", RANK, "fail", "hang", "9", "0"] if rng.random() < 0.2 else
                  ["-n", "4", RANK, "fail", "hang", str((rank + 1) % 4), "0"])
        failed = killed_from_outside(job, rank, rng)
        codes, cause = CAUSES["kill"]
    else:
        job = Job(["-n", "4", RANK, "fail", how, str(rank), str(delay)])
        failed = time.monotonic()
        codes, cause = CAUSES[how]
    try:
        code = job.process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        job.process.kill()
        return [f"{how} rank {rank}: still running after 10 s"], 10
    duration = time.monotonic() - failed
    lines = job.error_lines()
    faults = []
    if how == "outside" and code == 0:
        job.remains(time.monotonic())
        return [], duration  # the job was over before the signal
    if duration > LIMIT:
        faults.append(f"took {duration:.2f} s")
    if code not in codes:
        faults.append(f"exit code {code}")
    if len(lines) > 3:
        faults.append(f"{len(lines)} lines")
    if not lines or not lines[-1].startswith(f"apus launch: rank {rank} {cause}"):
        faults.append("another cause")
    faults += job.remains(time.monotonic())
    if faults:
        faults = [f"{how} rank {rank}: {', '.join(faults)}"] + ["    " + line for line in lines]
    return faults, duration


def launcher_run(rng):
    program = rng.choice([
        ["-n", "2", "--", "bash", "-c", "sleep 1000; true"],
        ["-n", "3", "--", "bash", "-c", "sleep 1000 & sleep 1000 & wait"],
        ["-n", "2", "--", "bash", "-c", "setsid bash -c 'sleep 1000 & setsid sleep 1000' & sleep 1000"],
        ["-n", "4", RANK, "fail", "hang", "1", "0"],
        ["-n", "4", RANK, "fail", "hang", "1", "0"],
    ])
    job = Job(program)
    time.sleep(rng.uniform(0, 0.3))
    job.process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    job.process.wait()
    left = job.remains(killed)
    return ([f"launcher of {' '.join(program)}: left {', '.join(left)}"] if left else []), job.last


def drill(name, runs, rng, run):
    durations, failed = [], 0
    for _ in range(runs):
        faults, duration = run(rng)
        durations.append(duration)
        failed += bool(faults)
        for line in faults:
            print(line, flush=True)
    durations.sort()
    print(f"{name}: {runs} runs, {failed} failed; until the end: median {durations[runs // 2]:.2f} s, "
          f"longest {durations[-1]:.2f} s", flush=True)
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--ranks", type=int, default=100)
    parser.add_argument("--launchers", type=int, default=50)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    failed = drill("ranks that fail", options.ranks, rng, rank_run) if options.ranks else 0
    failed += drill("launchers that are killed", options.launchers, rng, launcher_run) if options.launchers else 0
    sys.exit(1 if failed else 0)


main()
