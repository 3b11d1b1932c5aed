#!/usr/bin/env python3
"""Opens a report of a run in a headless Chromium and checks what a reader would see.

    Scripts/report-in-browser.py REPORT.html [--expect EXPECT.json] [--screenshots DIR]
    Scripts/report-in-browser.py --find        which browser there is; fails if there is none

EXPECT.json: {"texts": [...], "absent": [...], "tables": {"ranks": 8, "failures": 2}, "polylines": 9}
Prints a line for each thing that is wrong; the exit status is 1 then. It speaks the DevTools protocol over two pipes
(chromedevtools.github.io/devtools-protocol), which needs nothing but Python.
"""
import argparse
import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
PATIENCE = 60


def find():
    return os.environ.get("APUS_BROWSER") or next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One tab, spoken to in messages that end with a zero byte."""

    def __init__(self, program, profile):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        # The browser reads from descriptor 3 and writes to 4. A shell puts them there, whatever numbers they have.
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "sh", program, *flags, "about:blank"],
            pass_fds=[commands, answers], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.buffer = b""
        self.events = []
        self.count = 0
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def receive(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise SystemExit("the browser does not answer")
            piece = os.read(self.answers, 1 << 16)
            if not piece:
                raise SystemExit("the browser has ended")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        while not any(event["method"] == method for event in self.events):
            self.events.append(self.receive())

    def evaluate(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"the measuring script failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def end(self):
        self.session = None
        try:
            self.call("Browser.close")
        except (SystemExit, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# What a reader sees: the text that is rendered, the sizes of lines, and the least contrast of any text.
MEASURE = r"""(() => {
  const box = (element) => { const r = element.getBoundingClientRect(); return [r.width, r.height]; };
  const channel = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const paper = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  let contrast = [99, ''];
  for (const e of document.querySelectorAll('main *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || e.closest('title, desc')) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgb(e.closest('svg') ? style.fill : style.color)), light(paper(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < contrast[0]) contrast = [ratio, e.textContent.trim().slice(0, 40)];
  }
  const rows = {};
  for (const table of document.querySelectorAll('table')) {
    rows[table.className] = [...table.tBodies[0].rows].filter((row) => box(row)[1] > 0).length;
  }
  return {
    text: document.body.innerText, rows, contrast, paper: paper(document.body),
    polylines: [...document.querySelectorAll('polyline')].map(box),
    pictures: [...document.querySelectorAll('svg[role=img]')].map((e) => [...box(e), e.querySelector('title')?.textContent,
      e.querySelector('desc')?.textContent]),
    headings: [...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1])),
    unnamed: [...document.querySelectorAll('table')].filter((e) => !e.caption || !e.querySelector('th')).length,
    width: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
    scripts: document.scripts.length, resources: performance.getEntriesByType('resource').map((e) => e.name),
  };
})()"""


def check(browser, page, expect, shots):
    problems = []

    def want(condition, text):
        if not condition:
            problems.append(text)

    for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"]:
        browser.call(f"{domain}.enable")
    url = page.resolve().as_uri()
    views = [("light", 1100), ("dark", 1100), ("light", 390), ("dark", 390)]
    for scheme, width in views:
        name = f"{scheme}-{width}"
        browser.events.clear()
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                     mobile=width < 600)
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.call("Page.navigate", url=url)
        browser.wait("Page.loadEventFired")
        seen = browser.evaluate(MEASURE)
        # What the page did comes before what it is asked now.
        browser.evaluate("0")
        for event in browser.events:
            parameters = event.get("params", {})
            if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                problems.append(f"{name}: the console has {json.dumps(parameters)[:300]}")
            if event["method"] == "Network.requestWillBeSent":
                request = parameters["request"]["url"]
                want(request == url or request == "data:,", f"{name}: the page asks for {request}")
        want(not seen["resources"], f"{name}: the page has loaded {seen['resources']}")
        want(seen["scripts"] == 0, f"{name}: the page has scripts")
        text = " ".join(seen["text"].split())
        for wanted in expect.get("texts", []):
            want(wanted in text, f"{name}: {wanted!r} is not to be seen")
        for unwanted in expect.get("absent", []):
            want(unwanted not in text, f"{name}: {unwanted!r} is to be seen")
        for table, count in expect.get("tables", {}).items():
            have = seen["rows"].get(table, 0)
            want(have == count, f"{name}: the table {table} has {have} rows, not {count}")
        count = expect.get("polylines", len(seen["polylines"]))
        want(len(seen["polylines"]) == count, f"{name}: {len(seen['polylines'])} lines are drawn, not {count}")
        for box in seen["polylines"]:
            want(box[0] > 100 and box[1] > 1, f"{name}: a line is {box[0]} by {box[1]} pixels large")
        for picture in seen["pictures"]:
            want(picture[0] > 100 and picture[1] > 50, f"{name}: a picture is {picture[:2]} pixels large")
            want(picture[2] and picture[3], f"{name}: a picture has no title or no description")
        want(seen["headings"][:1] == [1] and seen["headings"].count(1) == 1, f"{name}: not one heading of the page")
        want(seen["unnamed"] == 0, f"{name}: a table has no caption or no heads")
        want(seen["width"][0] <= seen["width"][1], f"{name}: the page is {seen['width'][0]} pixels wide")
        want(seen["contrast"][0] >= 4.5, f"{name}: contrast {seen['contrast'][0]:.2f} of {seen['contrast'][1]!r}")
        want((sum(seen["paper"][:3]) < 384) == (scheme == "dark"), f"{name}: the paper is {seen['paper']}")
        if shots:
            shots.mkdir(parents=True, exist_ok=True)
            picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
            (shots / f"{name}.png").write_bytes(base64.b64decode(picture["data"]))
    # As a screen reader is told of it.
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    said = [(node.get("role", {}).get("value"), node.get("name", {}).get("value")) for node in nodes
            if not node.get("ignored")]
    pictures = [name for role, name in said if role in ("image", "img")]
    want(len(pictures) >= expect.get("polylines", 0) and all(pictures), f"pictures are called {pictures}")
    want(any(role == "heading" for role, _ in said), "no heading is told")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", nargs="?", type=pathlib.Path)
    parser.add_argument("--expect", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--find", action="store_true")
    arguments = parser.parse_args()
    program = find()
    if not program:
        raise SystemExit("no Chromium: none of " + ", ".join(NAMES) + " is there, and APUS_BROWSER names none")
    if arguments.find:
        return print(program)
    if not arguments.page:
        parser.error("which page?")
    expect = json.loads(arguments.expect.read_text()) if arguments.expect else {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            problems = check(browser, arguments.page, expect, arguments.screenshots)
        finally:
            browser.end()
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
