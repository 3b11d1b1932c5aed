#!/usr/bin/env python3
"""A stand-in for huggingface.co, as far as downloads ask for it: revisions, ETags, redirects to another host, ranges; and its
bad days: rate limits, errors, drops, damage. Needs nothing but Python.

    standin.py --model org/name=DIR [--token T] [--rate-limit N] [--drop BYTES] ...

prints its address and serves until its input ends. The drill (drill.py) uses it as a module.
"""
import argparse
import hashlib
import json
import os
import re
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LARGE = 16 << 10
PIECE = 64 << 10


class File:
    """Small files are known by git's SHA-1, large ones (git-lfs) by their SHA-256, which lie on another host."""

    def __init__(self, data):
        self.data = data
        self.oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        self.is_large = len(data) >= LARGE
        self.etag = hashlib.sha256(data).hexdigest() if self.is_large else self.oid


class Repository:
    def __init__(self, files, is_gated=False, is_private=False):
        self.commits, self.refs = {}, {}
        self.is_gated, self.is_private = is_gated, is_private
        self.commit(files)

    def commit(self, files, ref="main"):
        made = {name: File(data) for name, data in files.items()}
        text = json.dumps(sorted((name, file.etag) for name, file in made.items())) + ref
        sha = hashlib.sha1(text.encode()).hexdigest()
        self.commits[sha] = made
        self.refs[ref] = sha
        return sha

    def find(self, revision):
        if revision in self.refs:
            return self.refs[revision]
        found = [sha for sha in self.commits if len(revision) >= 7 and sha.startswith(revision)]
        return found[0] if len(found) == 1 else None


class StandIn:
    """A hub and the host of its large files, each on a port of its own."""

    def __init__(self, repositories, token=None):
        self.repositories = dict(repositories)
        self.moved = {}  # old name: new name
        self.token = token
        self.lock = threading.Lock()
        self.log = []  # (host, method, path, headers)
        self.rate_limits = 0  # answers of 429 to come
        self.errors = 0  # answers of 503 to come
        self.drop_after = None  # bytes of a body, then the connection ends
        self.drops = 0  # how many times, -1 for ever
        self.bytes_per_second = None
        self.has_ranges = True
        self.damaged = set()  # names of files whose bytes come wrong
        self.damages = -1  # how many times, -1 for ever
        self.hub = self._serve(False)
        self.store = self._serve(True)
        self.url = f"http://127.0.0.1:{self.hub.server_address[1]}"
        # Another name of this machine: another host to whoever compares them.
        self.store_url = f"http://localhost:{self.store.server_address[1]}"

    def _serve(self, is_store):
        handler = type("Bound", (Handler,), {"standin": self, "is_store": is_store})
        server = Server(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in (self.hub, self.store):
            server.shutdown()
            server.server_close()

    def take(self, counter):
        with self.lock:
            left = getattr(self, counter)
            if left > 0:
                setattr(self, counter, left - 1)
            return left != 0

    def requests(self, method=None, host=None, text=""):
        return [entry for entry in self.log
                if (not method or entry[1] == method) and (not host or entry[0] == host) and text in entry[2]]


class Server(ThreadingHTTPServer):
    def handle_error(self, request, address):
        """Clients that go away are what this is for."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: StandIn
    is_store: bool

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def answer(self):
        with self.standin.lock:
            self.standin.log.append(
                ("store" if self.is_store else "hub", self.command, self.path, dict(self.headers.items())))
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path)
        if self.is_store:
            return self.answer_store(path)
        if self.standin.take("rate_limits"):
            return self.say(429, headers={"Retry-After": "0"})
        if self.standin.take("errors"):
            return self.say(503)
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^?]+))?", path)
        if api:
            return self.answer_api(api[1], api[2] or "revision", api[3] or "main")
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/(refs/pr/\d+|[^/]+)/(.+)", path)
        if file:
            return self.answer_file(file[1], file[2], file[3])
        self.say(404)

    def repository(self, name):
        """None after an answer that says why not."""
        standin = self.standin
        if name in standin.moved:
            new = self.path.replace(name, standin.moved[name], 1)
            self.say(307, headers={"Location": new})
            return None
        repository = standin.repositories.get(name)
        given = self.headers.get("Authorization")
        knows = standin.token is not None and given == f"Bearer {standin.token}"
        if repository is None or (repository.is_private and not knows):
            self.say(404 if knows else 401, headers={"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"})
            return None
        if repository.is_gated and not knows:
            self.say(401, headers={"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
            return None
        return repository

    def answer_api(self, name, kind, revision):
        repository = self.repository(name)
        if repository is None:
            return
        commit = repository.find(revision)
        if commit is None:
            return self.say(404, headers={"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev id"})
        files = repository.commits[commit]
        if kind == "tree":
            entries = []
            for path, file in files.items():
                entry = {"type": "file", "oid": file.oid, "size": len(file.data), "path": path}
                if file.is_large:
                    entry["lfs"] = {"oid": file.etag, "size": len(file.data), "pointerSize": 134}
                entries.append(entry)
            return self.say_json(entries)
        siblings = []
        for path, file in files.items():
            sibling = {"rfilename": path}
            if "blobs=true" in self.path.lower():
                sibling.update(size=len(file.data), blobId=file.oid)
                if file.is_large:
                    sibling["lfs"] = {"sha256": file.etag, "size": len(file.data), "pointerSize": 134}
            siblings.append(sibling)
        self.say_json({"id": name, "modelId": name, "sha": commit, "private": False, "siblings": siblings, "tags": [],
                       "downloads": 0, "likes": 0})

    def answer_file(self, name, revision, path):
        repository = self.repository(name)
        if repository is None:
            return
        commit = repository.find(revision)
        if commit is None:
            return self.say(404, headers={"X-Error-Code": "RevisionNotFound"})
        file = repository.commits[commit].get(path)
        if file is None:
            return self.say(404, headers={"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
        headers = {"X-Repo-Commit": commit, "ETag": f'"{file.etag}"', "Accept-Ranges": "bytes"}
        if not file.is_large:
            return self.say_file(path, file, headers)
        headers.update({"X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(len(file.data)),
                        "Location": f"{self.standin.store_url}/{name}/{file.etag}?file={urllib.parse.quote(path)}&sig=a%2Fb~"})
        self.say(302, headers=headers)

    def answer_store(self, path):
        if "Authorization" in self.headers:
            return self.say(400)
        name, _, etag = path.strip("/").rpartition("/")
        repository = self.standin.repositories.get(name)
        for files in repository.commits.values() if repository else []:
            for file_name, file in files.items():
                if file.etag == etag:
                    return self.say_file(file_name, file, {"ETag": f'"{etag[:32]}-7"', "Accept-Ranges": "bytes"})
        self.say(403)

    # Bodies

    def say(self, status, body=b"", headers=None):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def say_json(self, value):
        self.say(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def say_file(self, name, file, headers):
        standin = self.standin
        data = file.data
        if name in standin.damaged and self.command == "GET" and standin.take("damages"):
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and standin.has_ranges:
            start = int(asked[1])
            if start >= len(data):
                return self.say(416, headers={"Content-Range": f"bytes */{len(data)}"})
            status = 206
            headers = dict(headers, **{"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        end = len(data)
        drops = standin.drop_after is not None and end - start > standin.drop_after and standin.take("drops")
        if drops:
            end = start + standin.drop_after
        try:
            for place in range(start, end, PIECE):
                self.wfile.write(data[place:min(place + PIECE, end)])
                if standin.bytes_per_second:
                    time.sleep(PIECE / standin.bytes_per_second)
        except OSError:
            drops = True
        if drops:
            self.close_connection = True


def folder(path):
    root = Path(path)
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], metavar="ORG/NAME=DIR")
    parser.add_argument("--private", action="store_true")
    parser.add_argument("--token")
    parser.add_argument("--rate-limit", type=int, default=0)
    parser.add_argument("--drop", type=int)
    parser.add_argument("--seconds", type=float, help="serve for so long, not until the input ends")
    parser.add_argument("--damage", action="append", default=[])
    options = parser.parse_args()
    models = dict(model.split("=", 1) for model in options.model)
    standin = StandIn({name: Repository(folder(path), is_private=options.private) for name, path in models.items()},
                      token=options.token)
    standin.rate_limits = options.rate_limit
    standin.drop_after, standin.drops = options.drop, -1
    standin.damaged = set(options.damage)
    print(standin.url, flush=True)
    if options.seconds:
        time.sleep(options.seconds)
    else:
        sys.stdin.read()


if __name__ == "__main__":
    main()
