#!/usr/bin/env python3
"""What huggingface_hub 2.4 makes of environments, names and caches: expected.json (pip install huggingface_hub==2.4.0)."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent

# Home is /home/someone, X is set to /x, everywhere.
ENVIRONMENTS = [
    {},
    {"HF_HUB_CACHE": "/a"},
    {"HF_HUB_CACHE": "/a", "HUGGINGFACE_HUB_CACHE": "/b", "HF_HOME": "/c", "XDG_CACHE_HOME": "/d"},
    {"HUGGINGFACE_HUB_CACHE": "/b", "HF_HOME": "/c", "XDG_CACHE_HOME": "/d"},
    {"HF_HOME": "/c", "XDG_CACHE_HOME": "/d"},
    {"HF_HOME": "/c/"},
    {"XDG_CACHE_HOME": "/d"},
    {"XDG_CACHE_HOME": "/d/"},
    {"HF_HOME": "~/models"},
    {"HF_HOME": "~"},
    {"HF_HUB_CACHE": "~/a b"},
    {"HF_HUB_CACHE": "$X/a"},
    {"HF_HUB_CACHE": "${X}/a$X"},
    {"HF_HUB_CACHE": "/$UNSET/a"},
    {"HF_HUB_CACHE": "/${UNSET}/a"},
    {"HF_HUB_CACHE": "/a$"},
    {"HF_HUB_CACHE": "/a${X"},
    {"HUGGINGFACE_HUB_CACHE": "~/b"},
    {"XDG_CACHE_HOME": "~/d"},
    {"XDG_CACHE_HOME": "$X/d"},
    {"HF_HOME": "relative"},
    {"HF_HUB_CACHE": "~nobody-of-this-name/a"},
    {"HF_ENDPOINT": "https://mirror.example/"},
    {"HF_ENDPOINT": "http://127.0.0.1:8000"},
    {"HF_HUB_OFFLINE": "1"},
    {"HF_HUB_OFFLINE": "yes"},
    {"HF_HUB_OFFLINE": "0"},
    {"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"},
    {"HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "on"},
    {"TRANSFORMERS_OFFLINE": "TRUE"},
    {"HF_HUB_OFFLINE": "on"},
    {"HF_TOKEN": " hf_abc\n"},
    {"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "hf_old"},
    {"HF_TOKEN": "hf_new", "HUGGING_FACE_HUB_TOKEN": "hf_old"},
    {"HF_HUB_DISABLE_SYMLINKS": "1"},
]
ASK = """
import json
from huggingface_hub import constants, get_token
print(json.dumps([constants.HF_HUB_CACHE, constants.ENDPOINT, constants.HF_HUB_OFFLINE, get_token(),
                  constants.HF_HUB_DISABLE_SYMLINKS]))
"""

NAMES = [
    "gpt2", "org/name", "Org-1/na.me_2", "a/b/c", "/name", "org/", "org//name", "-org/name", "org-/name", "org/-name",
    "org/name-", ".org/name", "org/name.", "org/na--me", "org/na..me", "org/name.git", "org/na me", "org/n\u00e4me", "",
    "o" * 96 + "/name", "o" * 97 + "/name", "org/" + "n" * 96, "org/" + "n" * 97, "_org/_name_", "org/name\n",
]

FULL = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"
REFS = {"main": FULL, "v1.0": OTHER, "refs/pr/1": OTHER, "0123456": FULL, "gone": "a" * 40, "feature/x": FULL}
REVISIONS = [
    None, "main", "v1.0", "refs/pr/1", "feature/x", "0123456", "01234567", FULL, OTHER, FULL.upper(), "gone", "a" * 40,
    "nothing",
]


def environments():
    for variables in ENVIRONMENTS:
        env = {"PATH": os.environ["PATH"], "HOME": "/home/someone", "X": "/x", **variables}
        answer = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True)
        cache, endpoint, offline, token, plain = json.loads(answer.stdout)
        yield {"variables": variables, "cache": cache, "endpoint": endpoint, "offline": offline, "token": token,
               "disables_links": plain}


def names():
    from huggingface_hub.utils import HFValidationError, validate_repo_id
    for name in NAMES:
        try:
            validate_repo_id(name)
            yield {"name": name, "valid": True}
        except HFValidationError:
            yield {"name": name, "valid": False}


def revisions():
    from huggingface_hub import snapshot_download
    with tempfile.TemporaryDirectory() as cache:
        folder = Path(cache) / "models--org--name"
        for name, commit in REFS.items():
            path = folder / "refs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(commit)
        for commit in (FULL, OTHER):
            (folder / "snapshots" / commit).mkdir(parents=True)
            (folder / "snapshots" / commit / "config.json").write_text("{}")
        for revision in REVISIONS:
            try:
                found = snapshot_download("org/name", revision=revision, cache_dir=cache, local_files_only=True)
                yield {"revision": revision, "commit": Path(found).name}
            except Exception:
                yield {"revision": revision, "commit": None}


expected = {"environments": list(environments()), "names": list(names()), "refs": REFS, "snapshots": [FULL, OTHER],
            "revisions": list(revisions())}
(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
