"""Runs `apus launch` and `apus generate` on two processes where little is allowed: memory, open files, processes.

Run: make faults   (or: python Scripts/limits.py [--step KIB] [--repeat N])
Needs a release build. Every run must work or say in a line, and one more for each worker, what is refused: no process may
end by a signal, and no run go on for ever. Prints one line for each run that does not, then a summary; exits 1 on any.
"""

import argparse
import collections
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

BUILD = pathlib.Path(__file__).resolve().parent.parent / ".build" / "release"
APUS = str(BUILD / "apus")
PROGRAMS = {
    "launch": [APUS, "launch", "-n", "2", "/bin/true"],
    "generate": [APUS, "generate", "-n", "2", "--quiet", "--max-new-tokens", "8", "a dog", "a cat"],
}
LIMIT = 60
# Whom the limit on processes binds: root it does not.
NOBODY = 65534


def limits(step):
    """The limits to set, each with how it is called."""
    for kib in range(100_000, 2_000_001, step):
        yield f"ulimit -v {kib}", (resource.RLIMIT_AS, kib << 10)
    for files in [*range(4, 40), *range(40, 100, 10)]:
        yield f"ulimit -n {files}", (resource.RLIMIT_NOFILE, files)
    for processes in range(1, 32):
        yield f"ulimit -u {processes}", (resource.RLIMIT_NPROC, processes)


def run(command, kind, value):
    """How the run ended, and what it wrote to standard error."""
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if kind == resource.RLIMIT_NPROC else {}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        cwd="/", preexec_fn=lambda: resource.setrlimit(kind, (value, value)), **nobody)
    try:
        output, errors = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        return "without end", errors.decode(errors="replace")
    errors = errors.decode(errors="replace")
    lines = [line for line in errors.splitlines() if line.strip()]
    crash = re.search(r"killed by (SIG(?:ILL|TRAP|ABRT|SEGV|BUS|FPE|SYS))", errors)
    if process.returncode < 0:
        return f"by {signal.Signals(-process.returncode).name}", errors
    if crash:
        return f"a process by {crash[1]}", errors
    if process.returncode == 0:
        return "worked" if command[1] == "launch" or len(output.splitlines()) == 2 else "without its results", errors
    if "error while loading shared libraries" in errors:
        return "not loaded", errors
    # A worker says it, and then the one that has lost it.
    named = all(line.startswith(("Error: ", "apus launch: ")) for line in lines)
    return "refused" if lines and len(lines) <= 3 and named else f"with {len(lines)} lines", errors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--step", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", default="", help="only limits with this in them, as -v")
    options = parser.parse_args()
    failed = 0
    for name, command in PROGRAMS.items():
        ends = collections.Counter()
        for text, (kind, value) in limits(options.step):
            if options.only not in text:
                continue
            for _ in range(options.repeat):
                end, errors = run(command, kind, value)
                ends[end] += 1
                if end not in ("worked", "refused", "not loaded"):
                    failed += 1
                    print(f"{text}; apus {name}: ended {end}", *errors.splitlines()[:4], sep="\n    ", flush=True)
        print(f"{name} under limits: {sum(ends.values())} runs: "
              + ", ".join(f"{count} {end}" for end, count in ends.most_common()), flush=True)
    sys.exit(1 if failed else 0)


main()
