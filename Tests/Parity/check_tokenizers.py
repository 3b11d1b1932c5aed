"""Compares `apus tokenize` with the Python package `tokenizers` on random strings.

Usage: check_tokenizers.py [--apus PATH] [--count N] [--seed N] [--vocabulary N]. The binary is also taken from APUS. Exits 1
after listing the first differences of each comparison.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from tokenizers_pipelines import train_all
from tokenizers_strings import strings


def apus(binary, model, lines, *flags):
    process = subprocess.run(
        [binary, "tokenize", "--model", str(model), "--input", "-", *flags],
        input="".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return [json.loads(line) for line in process.stdout.decode().split("\n")[:-1]]


def compare(name, inputs, expected, found):
    differences = [entry for entry in zip(inputs, expected, found) if entry[1] != entry[2]]
    if len(expected) != len(found):
        differences.append((None, f"{len(expected)} lines", f"{len(found)} lines"))
    print(f"{name}: {len(expected)} compared, {len(differences)} differ", flush=True)
    for given, wanted, got in differences[:3]:
        print(f"  input    {given!r}"[:600], f"\n  expected {wanted!r}"[:600], f"\n  apus     {got!r}"[:600])
    return len(differences)


def ids_to_decode(generator, encoded, size):
    """The encodings themselves, and random ids, among them some that there are not."""
    batch = []
    for ids in encoded:
        if generator.random() < 0.5:
            batch.append(ids)
        else:
            top = size + 3 if generator.random() < 0.5 else min(size, 300)
            batch.append([generator.randrange(top) for _ in range(generator.randrange(0, 20))])
    return batch


def known_ids(generator, encoded, size):
    """The encodings themselves, and random ids that there are."""
    return [
        ids if ids and generator.random() < 0.5 else [generator.randrange(size) for _ in range(generator.randrange(12))]
        for ids in encoded
    ]


def options_of(count, count_help=None, strings_each=None):
    """The options that scripts of tokenizers have."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=os.environ.get("APUS", ".build/release/apus"))
    parser.add_argument("--count", type=int, default=count, help=count_help)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    if strings_each:
        parser.add_argument("--strings", type=int, default=strings_each)
    return parser


def compare_both_ways(binary, name, directory, texts, encode, decode, batch, *flags):
    """`encode` and `decode` are the reference's; `batch` makes ids to decode of the encodings."""
    wanted = [encode(text) for text in texts]
    lines = apus(binary, directory, [{"text": text} for text in texts], *flags)
    failures = compare(f"{name}: encode", texts, wanted, [line["ids"] for line in lines])
    given = batch(wanted)
    lines = apus(binary, directory, [{"ids": ids} for ids in given], "--decode")
    return failures + compare(f"{name}: decode", given, [decode(ids) for ids in given], [line["text"] for line in lines])


def main():
    parser = options_of(20_000)
    parser.add_argument("--vocabulary", type=int, default=4_000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    generator = random.Random(options.seed)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, tokenizer in train_all(folder, options.vocabulary).items():
            model = pathlib.Path(folder) / name
            texts = strings(generator, options.count)
            for special in (True, False):
                flags = () if special else ("--no-special-tokens",)
                label = f"{name}, {'with' if special else 'without'} special tokens"
                encodings = [tokenizer.encode(text, add_special_tokens=special) for text in texts]
                wanted = [encoding.ids for encoding in encodings]
                lines = apus(options.apus, model, [{"text": text} for text in texts], *flags)
                failures += compare(f"{label}: encode", texts, wanted, [line["ids"] for line in lines])
                tokens = [[tokenizer.id_to_token(token) for token in ids] for ids in wanted]
                failures += compare(f"{label}: tokens", texts, tokens, [line["tokens"] for line in lines])
                batch = ids_to_decode(generator, wanted, tokenizer.get_vocab_size())
                wanted = [tokenizer.decode(ids, skip_special_tokens=not special) for ids in batch]
                lines = apus(options.apus, model, [{"ids": ids} for ids in batch], "--decode", *flags)
                failures += compare(f"{label}: decode", batch, wanted, [line["text"] for line in lines])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
