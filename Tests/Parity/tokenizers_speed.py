"""Times the encoding of a megabyte of text by Apus and by the Python package `tokenizers`, or `sentencepiece` for models of
its own, one thread each.

Usage: tokenizers_speed.py [--apus PATH] [--vocabulary N]. Both time the encoding alone, in their own process. Exits 1
if Apus is slower anywhere.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import sentencepiece  # noqa: E402
from tokenizers_pipelines import MANY_SCRIPTS, corpus, train_all  # noqa: E402

SIZE = 1_000_000
ROUNDS = 5


def texts():
    code = "".join(line for line in corpus(12_000_000)[-50_000:] if line not in MANY_SCRIPTS)
    return {
        "code": code[:SIZE],
        "many scripts": (MANY_SCRIPTS * 5_000).encode()[:SIZE].decode(errors="ignore"),
        "one letter": "a" * SIZE,
        "spaces": " " * SIZE,
    }


def train_pieces(folder, size, characters):
    """Models of SentencePiece by their names."""
    text, trained = folder / "text", {}
    text.write_text("".join(corpus(characters)))
    for kind in ("unigram", "bpe"):
        place = folder / f"sentencepiece-{kind}"
        place.mkdir()
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_prefix=str(place / "tokenizer"), model_type=kind, vocab_size=size, minloglevel=2,
            hard_vocab_limit=False, byte_fallback=kind == "bpe", max_sentence_length=100_000)
        (place / "tokenizer_config.json").write_text('{"add_bos_token":false,"add_eos_token":false}')
        trained[place.name] = sentencepiece.SentencePieceProcessor(model_file=str(place / "tokenizer.model"))
    return trained


def ways(tokenizer):
    if isinstance(tokenizer, sentencepiece.SentencePieceProcessor):
        return [tokenizer.encode]
    return [tokenizer.encode, lambda text: tokenizer.encode_batch_fast([text])]


def reference(tokenizer, text):
    """Milliseconds of the first and of the best round, by the faster of the package's ways."""
    rounds = []
    for encode in ways(tokenizer):
        for _ in range(ROUNDS):
            start = time.perf_counter()
            encode(text)
            rounds.append((time.perf_counter() - start) * 1000)
    return rounds[0], min(rounds)


def measured(binary, model, text):
    line = json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n"
    process = subprocess.run(
        [binary, "tokenize", "--model", str(model), "--input", "-", "--time"],
        input=line * ROUNDS,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )
    rounds = [float(line.split(b" ")[-2]) for line in process.stderr.splitlines()]
    return rounds[0], min(rounds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=os.environ.get("APUS", ".build/release/apus"))
    parser.add_argument("--vocabulary", type=int, default=32_000)
    options = parser.parse_args()
    slower = False
    with tempfile.TemporaryDirectory() as folder:
        trained = train_all(folder, options.vocabulary, 8_000_000)
        trained |= train_pieces(pathlib.Path(folder), options.vocabulary, 2_000_000)
        for name, tokenizer in trained.items():
            for kind, text in texts().items():
                theirs, ours = reference(tokenizer, text), measured(options.apus, pathlib.Path(folder) / name, text)
                ratios = [t / o for t, o in zip(theirs, ours)]
                slower |= min(ratios) < 1
                print(
                    f"{name:21} {kind:13} package {theirs[0]:7.1f} ms first, {theirs[1]:7.1f} best;"
                    f" apus {ours[0]:6.1f} first, {ours[1]:6.1f} best; {ratios[0]:.1f} and {ratios[1]:.1f} times as fast",
                    flush=True,
                )
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
