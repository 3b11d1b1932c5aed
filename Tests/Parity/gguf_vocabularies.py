#!/usr/bin/env python3
"""The vocabularies that llama.cpp's source archive carries (models/ggml-vocab-*.gguf, with texts and their ids beside them)
against `apus tokenize --model FILE.gguf --no-special-tokens`.

    gguf_vocabularies.py llama.cpp/models
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SEPARATOR = "\n__ggml_vocab_test__\n"


def tokens(apus: str, model: Path, texts: list[str]) -> list[list[int]]:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
        file.flush()
        run = subprocess.run([apus, "tokenize", "--model", str(model), "--no-special-tokens", "--input", file.name],
                             capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{model.name}: {run.stderr.strip()}")
    return [json.loads(line)["ids"] for line in run.stdout.splitlines()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--apus", default=os.environ.get("APUS", ".build/release/apus"))
    arguments = parser.parse_args()
    different = checked = 0
    for inputs in sorted(arguments.folder.glob("*.gguf.inp")):
        model = inputs.with_suffix("")
        texts = inputs.read_bytes().decode().split(SEPARATOR)
        expected = [[int(number) for number in line.split()]
                    for line in inputs.with_suffix(".out").read_text().split("\n")[:len(texts)]]
        found = tokens(arguments.apus, model, texts)
        wrong = [index for index in range(len(texts)) if found[index] != expected[index]]
        checked += len(texts)
        different += len(wrong)
        print(f"{model.stem}: {len(texts)} texts, {len(wrong)} differ", flush=True)
        for index in wrong[:3]:
            print(f"  {texts[index]!r}\n  expected {expected[index]}\n  found    {found[index]}")
    print(f"{different} of {checked} differ")
    return 1 if different or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
