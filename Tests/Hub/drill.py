#!/usr/bin/env python3
"""The drill of downloads: apus and huggingface_hub on one cache, a hub on bad days, kills at random moments, two at once.

    python Tests/Hub/drill.py [--program .build/release/apus] [--kills 50] [--seed 1] [CHECK ...]

Needs `pip install huggingface_hub` for the checks against it; they are left out without.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from standin import Repository, StandIn  # noqa: E402

ROOT = Path(__file__).parents[2]
NAME = "org/name"
options = None


def big(size, seed):
    return random.Random(seed).randbytes(size)


def model(size=3 << 20, seed=0):
    return {
        "config.json": b'{"model_type": "llama"}', "tokenizer.json": b"{}" + b" " * 20000,
        "tokenizer_config.json": b"{}", "generation_config.json": b"", "README.md": b"read me",
        "additional_chat_templates/tools.jinja": b"{{ x }}", "pytorch_model.bin": big(1000, 1),
        "model.safetensors.index.json": json.dumps(
            {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}).encode(),
        "model-00001-of-00002.safetensors": big(size, seed + 2),
        "model-00002-of-00002.safetensors": big(size // 2, seed + 3),
        "original/consolidated.00.pth": big(5000, 4),
    }


READ = {"config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json",
        "additional_chat_templates/tools.jinja", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors"}


class World:
    """A hub and an empty cache."""

    def __init__(self, files=None, **settings):
        self.place = tempfile.TemporaryDirectory(prefix="apus-hub-")
        self.cache = Path(self.place.name) / "cache"
        self.repository = Repository(files or model())
        self.hub = StandIn({NAME: self.repository}, token="hf_secret")
        for key, value in settings.items():
            setattr(self.hub, key, value)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hub.close()
        self.place.cleanup()

    def environment(self, **more):
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
        return {**kept, "HF_ENDPOINT": self.hub.url, "HF_HUB_CACHE": str(self.cache), "HF_HOME": self.place.name,
                "HF_HUB_DISABLE_XET": "1", **more}

    def start(self, *arguments, **more):
        return subprocess.Popen([options.program, *arguments], env=self.environment(**more), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def apus(self, *arguments, **more):
        process = self.start(*arguments, **more)
        out, error = process.communicate(timeout=120)
        return process.returncode, out.strip(), error.strip()

    def download(self, name=NAME, *arguments, **more):
        return self.apus("download", name, *arguments, **more)

    def python(self, code, **more):
        return subprocess.run([sys.executable, "-c", code], env=self.environment(**more), text=True, capture_output=True)

    @property
    def folder(self):
        return self.cache / ("models--" + NAME.replace("/", "--"))

    def check(self, names=READ, commit=None):
        """The snapshot holds these files, right to the byte, and the folder of blobs nothing else."""
        commit = commit or self.repository.refs["main"]
        files = self.repository.commits[commit]
        snapshot = self.folder / "snapshots" / commit
        found = {str(path.relative_to(snapshot)) for path in snapshot.rglob("*") if path.is_file()}
        assert found == set(names), f"the snapshot holds {sorted(found)}"
        for name in names:
            assert (snapshot / name).read_bytes() == files[name].data, f"{name} differs"
        for blob in (self.folder / "blobs").iterdir():
            assert blob.name in {file.etag for each in self.repository.commits.values() for file in each.values()}, blob.name


def expect(condition, *what):
    assert condition, " ".join(str(word) for word in what)


# MARK: One download


def fetches_what_is_read():
    with World() as world:
        code, out, error = world.download()
        expect(code == 0, error)
        commit = world.repository.refs["main"]
        expect(out == str(world.folder / "snapshots" / commit), out)
        world.check()
        link = os.readlink(world.folder / "snapshots" / commit / "additional_chat_templates/tools.jinja")
        expect(link.startswith("../../../blobs/"), link)
        expect((world.folder / "refs/main").read_text() == commit)
        before = len(world.hub.log)
        code, again, error = world.download()
        expect(code == 0 and again == out, error)
        expect(len(world.hub.log) == before + 1, "what is there was asked for again")


def other_names():
    with World() as world:
        first = world.repository.refs["main"]
        second = world.repository.commit(model(seed=10), "v2")
        third = world.repository.commit(model(seed=20), "refs/pr/1")
        for revision, commit in [("v2", second), ("refs/pr/1", third), (first[:8], first), (first, first)]:
            code, out, error = world.download(f"{NAME}@{revision}")
            expect(code == 0 and out.endswith(commit), revision, out, error)
            world.check(commit=commit)
        refs = {str(p.relative_to(world.folder / "refs")) for p in (world.folder / "refs").rglob("*") if p.is_file()}
        expect(refs == {"v2", "refs/pr/1", first[:8]}, refs)
        world.hub.moved["org/old"] = NAME
        code, out, error = world.download("org/old")
        expect(code == 0 and "models--org--old" in out, out, error)


def included():
    with World() as world:
        code, _, error = world.download(NAME, "--include", "*.pth", "--include", "READ??.md")
        expect(code == 0, error)
        world.check({"original/consolidated.00.pth", "README.md"})


def gguf():
    files = {f"m-{kind}.gguf": big(30000, index) for index, kind in enumerate(["Q8_0", "Q4_K_M", "Q4_K_S"])}
    files |= {"m-BF16-00001-of-00002.gguf": big(20000, 9), "m-BF16-00002-of-00002.gguf": big(20000, 10),
              "mmproj-f16.gguf": big(20000, 11), "config.json": b"{}", "README.md": b""}
    for name, wanted in [(NAME, {"m-Q4_K_M.gguf"}), (NAME + ":Q8_0", {"m-Q8_0.gguf"}),
                         (NAME + "/m-Q4_K_S.gguf", {"m-Q4_K_S.gguf"}),
                         (NAME + "@main:bf16", {"m-BF16-00001-of-00002.gguf", "m-BF16-00002-of-00002.gguf"})]:
        with World(files) as world:
            code, _, error = world.download(name)
            expect(code == 0, error)
            world.check(wanted)
    with World({name: data for name, data in files.items() if "Q4_K_M" not in name}) as world:
        code, out, error = world.download()
        expect(code == 1 and not out and len(error.splitlines()) == 1 and "m-Q8_0.gguf" in error, error)
        code, out, error = world.download(NAME + ":Q2_K")
        expect(code == 1 and "m-Q8_0.gguf" in error and len(error.splitlines()) == 1, error)


def plain_copies():
    with World() as world:
        code, _, error = world.download(HF_HUB_DISABLE_SYMLINKS="1")
        expect(code == 0, error)
        world.check()
        snapshot = world.folder / "snapshots" / world.repository.refs["main"]
        expect(not any(path.is_symlink() for path in snapshot.rglob("*")), "a link")


# MARK: Bad days


def token_stays_with_the_hub():
    with World() as world:
        world.repository.is_private = True
        code, _, error = world.download()
        expect(code == 1 and "HF_TOKEN" in error and len(error.splitlines()) == 1, error)
        code, _, error = world.download(HF_TOKEN="hf_wrong")
        expect(code == 1 and len(error.splitlines()) == 1 and "hf_wrong" not in error, error)
        world.hub.log.clear()
        code, _, error = world.download(HF_TOKEN="hf_secret")
        expect(code == 0, error)
        world.check()
        stored = world.hub.requests(host="store")
        expect(stored and all("Authorization" not in entry[3] for entry in stored), "the token went to another host")
        expect(all("Authorization" in entry[3] for entry in world.hub.requests(host="hub")), "no token for the hub")
        (Path(world.place.name) / "token").write_text("hf_secret\n")
        shutil.rmtree(world.cache)
        code, _, error = world.download()
        expect(code == 0, "the token's file:", error)


def refusals():
    with World() as world:
        world.repository.is_gated = True
        for name, settings, words in [
            (NAME, {}, "conditions"), ("org/other", {}, "no such model"), ("org/other", {"HF_TOKEN": "hf_secret"}, "no such model"),
            ("a b", {}, "no model's name"), (NAME + "@nothing", {"HF_TOKEN": "hf_secret"}, "no revision"),
            (NAME, {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"), (NAME, {"HF_ENDPOINT": "ftp://x"}, "HF_ENDPOINT"),
            (NAME + ":Q4_0", {"HF_TOKEN": "hf_secret"}, "no such GGUF"),
        ]:
            code, out, error = world.download(name, **settings)
            expect(code not in (0, 75) and not out and words in error and len(error.splitlines()) == 1, name, code, error)
        expect(not world.folder.exists() or not list(world.folder.rglob("*.safetensors")), "something came")
        blocked = Path(world.place.name) / "file"
        blocked.write_text("")
        code, out, error = world.download(HF_TOKEN="hf_secret", HF_HUB_CACHE=str(blocked))
        expect(code == 75 and str(blocked) in error and len(error.splitlines()) == 1, code, error)


def pickles_are_refused():
    files = {"config.json": b"{}", "pytorch_model.bin": b"x" * 20000}
    with World(files) as world:
        code, _, error = world.download()
        expect(code == 1 and "pickle" in error and len(error.splitlines()) == 1, error)
        expect(not world.hub.requests(text="resolve"), "it was fetched all the same")


def rate_limits_and_errors():
    with World(rate_limits=4, errors=0) as world:
        code, _, error = world.download()
        expect(code == 0, error)
        world.check()
    with World(errors=2) as world:
        code, _, error = world.download()
        expect(code == 0, error)
    with World(rate_limits=10**6) as world:
        code, out, error = world.download()
        expect(code == 75 and "rate limit" in error and len(error.splitlines()) == 1, code, error)


def drops():
    for has_ranges in (True, False):
        with World(drop_after=1 << 20, drops=5, has_ranges=has_ranges) as world:
            code, _, error = world.download()
            expect(code == 0, error)
            world.check()
            ranges = [entry for entry in world.hub.requests(method="GET") if "Range" in entry[3]]
            expect(ranges, "nothing was resumed")


def wrong_digest():
    for name in ("model-00001-of-00002.safetensors", "tokenizer_config.json"):
        with World(damaged={name}) as world:
            code, out, error = world.download()
            expect(code == 1 and not out and name in error and "digest" in error, code, error)
            expect(len(error.splitlines()) == 1, error)
            expect(not list((world.folder / "snapshots").rglob(name)), "it stands in the snapshot")
            world.hub.damaged = set()
            code, _, error = world.download()
            expect(code == 0, error)
            world.check()
    with World(damaged={"model-00001-of-00002.safetensors"}, damages=1) as world:
        code, _, error = world.download()
        expect(code == 0, "damage that comes once:", error)
        world.check()


def damaged_rest():
    """What another process left may hold anything."""
    with World() as world:
        file = world.repository.commits[world.repository.refs["main"]]["model-00001-of-00002.safetensors"]
        blobs = world.folder / "blobs"
        blobs.mkdir(parents=True)
        (blobs / f"{file.etag}.0123abcd.incomplete").write_bytes(b"\0" * 100000)
        (blobs / f"{file.etag}.incomplete").write_bytes(file.data[:50000])
        code, _, error = world.download()
        expect(code == 0, error)
        world.check()


def changed_file():
    """A branch that moves between two tries: the new file has a digest of its own, the old part is of no use."""
    with World(drop_after=1 << 20, drops=-1) as world:
        process = world.start("download", NAME)
        wait_for(lambda: list(world.folder.rglob("*.incomplete")))
        process.kill()
        process.communicate()
        world.hub.drop_after = None
        new = world.repository.commit(model(seed=50))
        code, out, error = world.download()
        expect(code == 0 and out.endswith(new), error)
        snapshot = world.folder / "snapshots" / new
        for name in READ:
            expect((snapshot / name).read_bytes() == world.repository.commits[new][name].data, name, "differs")


def full_disk():
    """A file system of 4 MiB, where one may be mounted."""
    with World() as world:
        world.cache.mkdir()
        command = f"mount -t tmpfs -o size=4m none {world.cache} && exec {options.program} download {NAME}"
        run = subprocess.run(["unshare", "-rm", "sh", "-c", command], env=world.environment(), text=True, capture_output=True)
        if "unshare" in run.stderr or "mount" in run.stderr:
            return "no file system can be mounted here"
        error = run.stderr.strip()
        expect(run.returncode == 75 and len(error.splitlines()) == 1, run.returncode, error)
        expect("room" in error or "no space left" in error, error)


def nobody_answers():
    for endpoint, words in [("http://127.0.0.1:9", "refused"), ("https://no-such-host.invalid", "network?")]:
        with World() as world:
            start = time.time()
            code, out, error = world.download(HF_ENDPOINT=endpoint)
            expect(code == 75 and not out and len(error.splitlines()) == 1 and words in error, code, error)
            expect(time.time() - start < 20, "that took long")


def interrupted():
    with World() as world:
        world.hub.close()
        start = time.time()
        process = world.start("download", NAME)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        expect(process.returncode == -signal.SIGINT and time.time() - start < 10, process.returncode)


def wait_for(condition, seconds=20):
    end = time.time() + seconds
    while not condition():
        expect(time.time() < end, "waited in vain")
        time.sleep(0.01)


# MARK: With Python on one cache


def has_hub():
    try:
        import huggingface_hub  # noqa: F401
        return True
    except ImportError:
        return False


SNAPSHOT = "from huggingface_hub import snapshot_download; print(snapshot_download('org/name'{}))"


def python_reads_what_apus_wrote():
    if not has_hub():
        return "no huggingface_hub"
    with World() as world:
        code, out, error = world.download()
        expect(code == 0, error)
        offline = world.python(SNAPSHOT.format(""), HF_HUB_OFFLINE="1")
        expect(offline.returncode == 0 and offline.stdout.strip() == out, offline.stderr)
        world.hub.log.clear()
        online = world.python(SNAPSHOT.format(", allow_patterns=['*.json', '*.safetensors', '*.jinja']"))
        expect(online.returncode == 0 and online.stdout.strip() == out, online.stderr)
        expect(not world.hub.requests(host="store"), "Python fetched a large file again")
        scan = world.python(
            "from huggingface_hub import scan_cache_dir; r = scan_cache_dir(); "
            "print(len(r.warnings), [(x.repo_id, x.nb_files, sorted(x.refs)) for x in r.repos])")
        expect(scan.stdout.startswith("0 [('org/name', 8, ['main'])]"), scan.stdout, scan.stderr)


def apus_reads_what_python_wrote():
    if not has_hub():
        return "no huggingface_hub"
    for settings in ({}, {"HF_HUB_DISABLE_SYMLINKS": "1"}):
        with World() as world:
            written = world.python(SNAPSHOT.format(""), **settings)
            expect(written.returncode == 0, written.stderr)
            world.hub.log.clear()
            code, out, error = world.download()
            expect(code == 0 and out == written.stdout.strip(), error)
            expect(not world.hub.requests(text="resolve"), "apus fetched a file again")
            code, out, error = world.download(HF_HUB_OFFLINE="1")
            expect(code == 0 and out == written.stdout.strip(), error)


def apus_goes_on_with_pythons_part():
    if not has_hub():
        return "no huggingface_hub"
    with World(model(size=8 << 20), bytes_per_second=4 << 20) as world:
        process = subprocess.Popen([sys.executable, "-c", SNAPSHOT.format(", max_workers=1")], env=world.environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: any(p.stat().st_size > 0 for p in world.folder.rglob("*.incomplete")), 60)
        process.kill()
        process.wait()
        world.hub.bytes_per_second = None
        world.hub.log.clear()
        code, _, error = world.download()
        expect(code == 0, error)
        snapshot = world.folder / "snapshots" / world.repository.refs["main"]
        for name in READ:
            expect((snapshot / name).read_bytes() == world.repository.commits[snapshot.name][name].data, name, "differs")
        expect(not list(world.folder.rglob("*.incomplete")), "a part is left")


def python_and_apus_at_once():
    if not has_hub():
        return "no huggingface_hub"
    with World(bytes_per_second=4 << 20) as world:
        first = world.start("download", NAME)
        second = subprocess.Popen([sys.executable, "-c", SNAPSHOT.format("")], env=world.environment(), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, error = first.communicate(timeout=120)
        expect(first.returncode == 0, error)
        other, error = second.communicate(timeout=120)
        expect(second.returncode == 0 and other.strip() == out.strip(), error)
        for name in READ:
            file = world.repository.commits[world.repository.refs["main"]][name]
            if file.is_large:
                gets = world.hub.requests("GET", "store", file.etag)
                expect(len(gets) == 1, name, "came", len(gets), "times")


# MARK: Killed, and two at once


def killed_and_resumed():
    """Each download is killed at a random moment, again and again, until one gets through."""
    chance = random.Random(options.seed)
    kills = resumed = 0
    while kills < options.kills:
        with World(model(size=4 << 20, seed=kills), bytes_per_second=8 << 20) as world:
            limit = 0.9
            for _ in range(6):
                process = world.start("download", NAME)
                time.sleep(chance.random() * limit)
                if process.poll() is None:
                    process.kill()
                    kills += 1
                process.communicate()
                whole = [b for b in (world.folder / "blobs").glob("*") if not b.name.endswith(".incomplete")]
                for blob in whole:
                    expect(blob.name in digests(blob.read_bytes()), blob.name, "has its name before it is whole")
            world.hub.bytes_per_second = None
            code, _, error = world.download()
            expect(code == 0, error)
            world.check()
            resumed += len([entry for entry in world.hub.requests("GET", "store") if "Range" in entry[3]])
    expect(resumed > 0, "nothing was resumed")
    return f"{kills} kills, {resumed} requests that went on where another ended"


def digests(data):
    return hashlib.sha256(data).hexdigest(), hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def two_at_once(preload=None, most=1):
    with World(bytes_per_second=8 << 20) as world:
        more = {"LD_PRELOAD": preload} if preload else {}
        processes = [world.start("download", NAME, **more) for _ in range(3 if preload else 2)]
        outs = [process.communicate(timeout=120) for process in processes]
        for process, (out, error) in zip(processes, outs):
            expect(process.returncode == 0 and out == outs[0][0], error)
        world.check()
        for name in READ:
            file = world.repository.commits[world.repository.refs["main"]][name]
            host, text = ("store", file.etag) if file.is_large else ("hub", "/" + name)
            gets = world.hub.requests("GET", host, text)
            expect(len(gets) <= most, name, "came", len(gets), "times")


def two_at_once_without_locks():
    """flock succeeds for everyone, as on some network file systems: each file may come several times, and is right."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler or sys.platform != "linux":
        return "no compiler for a flock that says yes"
    with tempfile.TemporaryDirectory() as place:
        library = f"{place}/yes.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", library], check=True, text=True,
                       input="int flock(int descriptor, int how) { (void)descriptor; (void)how; return 0; }\n")
        two_at_once(library, most=10)


CHECKS = [
    fetches_what_is_read, other_names, included, gguf, plain_copies, token_stays_with_the_hub, refusals,
    pickles_are_refused, rate_limits_and_errors, drops, wrong_digest, damaged_rest, changed_file, full_disk,
    nobody_answers, interrupted, python_reads_what_apus_wrote, apus_reads_what_python_wrote, apus_goes_on_with_pythons_part,
    python_and_apus_at_once, two_at_once, two_at_once_without_locks, killed_and_resumed,
]


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", default=str(ROOT / ".build/release/apus"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("checks", nargs="*")
    options = parser.parse_args()
    failures = 0
    for check in CHECKS:
        if options.checks and check.__name__ not in options.checks:
            continue
        start = time.time()
        try:
            note = check()
            print(f"ok      {check.__name__} ({time.time() - start:.1f} s)" + (f": {note}" if note else ""), flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            failures += 1
            print(f"failed  {check.__name__}: {error}", flush=True)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
