"""Renders chat templates with transformers' jinja2 environment and with Apus, and compares them byte for byte.

    python Tests/Parity/chat_templates.py FOLDER             # templates of a folder, over conversations
    python Tests/Parity/chat_templates.py --random 5000      # templates drawn from a grammar
    python Tests/Parity/chat_templates.py FOLDER --mutate 5000   # damaged templates

`--program` names the apus-render to use, `--seed` the draw. Where jinja2 gives a text, Apus must give the same, or say
that something is lacking (only with --random and --mutate); where jinja2 has an error, so must Apus.
"""

import argparse
import functools
import json
import os
import random
import re
import selectors
import signal
import subprocess
import sys
import warnings
from datetime import datetime

import chat_templates_cases as cases

warnings.simplefilter("ignore")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def environment():
    from transformers.utils.chat_template_utils import _cached_compile_jinja_template

    # Of one template at a time: it is rendered over many conversations.
    return functools.lru_cache(maxsize=1)(_cached_compile_jinja_template)


class Timeout(BaseException):
    pass


def reference(compile_template, template, variables, seconds=5):
    """What jinja2 makes of it: ("text", text), ("error", message) or ("slow", "")."""

    def stop(*_):
        raise Timeout()

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        text = compile_template(template).render(**json.loads(json.dumps(variables)))
        text.encode()
        return "text", str(text)
    except Timeout:
        return "slow", ""
    except Exception as error:
        return "error", f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Program:
    """One apus-render, asked line by line; a crash is an answer of its own."""

    def __init__(self, path):
        self.path = path
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, template, variables):
        # No surrogates: JSON of this program is UTF-8.
        line = json.dumps({"template": template, "variables": variables}, ensure_ascii=False) + "\n"
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
            selector = selectors.DefaultSelector()
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(30):
                self.process.kill()
                raise BrokenPipeError("no answer in 30 seconds")
            answer = self.process.stdout.readline()
            if not answer:
                raise BrokenPipeError(f"exit {self.process.wait()}")
            return json.loads(answer)
        except (BrokenPipeError, ValueError) as error:
            self.process.kill()
            self.process.wait()
            self.start()
            return {"crash": str(error)}


ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def judge(theirs, ours, may_lack):
    """None if the two agree, else what is wrong; and whether Apus said that something is lacking."""
    kind, text = theirs
    if "crash" in ours:
        return "crash: " + ours["crash"], False
    if ours.get("kind") == "request":
        return "request: " + ours["error"], False
    if kind == "slow":
        return None, False
    if kind == "error":
        return (None, False) if "error" in ours else ("theirs is an error: " + text, False)
    if "error" in ours:
        if may_lack and ours["kind"] in ("unsupported", "limit"):
            return None, True
        return "ours is an error: " + ours["error"], False
    if ours["text"] == text:
        return None, False
    # Python prints objects with their addresses, and the clock goes on.
    if ADDRESS.search(text):
        return None, False
    return "different", False


class Report:
    def __init__(self, limit=15):
        self.counts = {}
        self.failures = 0
        self.limit = limit

    def add(self, name, template, variables, theirs, ours, may_lack):
        wrong, lacks = judge(theirs, ours, may_lack)
        outcome = "different" if wrong else "lacking" if lacks else theirs[0]
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        if lacks and os.environ.get("LACKING"):
            print("lacking:", ours["error"], "|", template[:150])
        if not wrong:
            return
        self.failures += 1
        if self.failures <= self.limit:
            print(f"--- {name}: {wrong}")
            if len(template) < 1500:
                print(f"template: {template!r}")
            a, b = theirs[1], ours.get("text", ours.get("error", ""))
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            at = max(0, at - 60)
            print(f"  theirs: {theirs[0]} ...{a[at:at + 200]!r}\n  ours:   ...{b[at:at + 200]!r}", flush=True)

    def finish(self):
        print(", ".join(f"{name}: {count}" for name, count in sorted(self.counts.items())))
        return 1 if self.failures else 0


def read_folder(folder):
    templates = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), newline="", encoding="utf-8") as file:
            templates[name] = file.read()
    return templates


def check_real(program, compile_template, templates, report):
    for name, template in templates.items():
        for label, variables in cases.conversations():
            theirs = reference(compile_template, template, variables)
            ours = program.ask(template, variables)
            report.add(f"{name} over {label}", template, variables, theirs, ours, may_lack=False)


def check_random(program, compile_template, count, draw, report):
    for _ in range(count):
        template = cases.random_template(draw)
        variables = cases.VARIABLES
        theirs = reference(compile_template, template, variables)
        report.add("random", template, variables, theirs, program.ask(template, variables), may_lack=True)


def check_mutated(program, compile_template, templates, count, draw, report):
    chats = [variables for _, variables in cases.conversations()]
    sources = [text for text in templates.values() if len(text) < 30000]
    for _ in range(count):
        template = cases.mutate(draw, draw.choice(sources), sources)
        variables = draw.choice(chats)
        theirs = reference(compile_template, template, variables)
        report.add("mutated", template, variables, theirs, program.ask(template, variables), may_lack=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--program", default=".build/release/apus-render")
    parser.add_argument("--random", type=int, metavar="N")
    parser.add_argument("--mutate", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=int(datetime.now().timestamp()))
    parser.add_argument("--show", type=int, default=15)
    options = parser.parse_args()
    draw, report = random.Random(options.seed), Report(options.show)
    compile_template, program = environment(), Program(options.program)
    print("seed", options.seed)
    if options.random:
        check_random(program, compile_template, options.random, draw, report)
    elif options.folder is None:
        parser.error("a folder of templates, or --random")
    elif options.mutate:
        check_mutated(program, compile_template, read_folder(options.folder), options.mutate, draw, report)
    else:
        check_real(program, compile_template, read_folder(options.folder), report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
