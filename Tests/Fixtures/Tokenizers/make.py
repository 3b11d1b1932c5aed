"""Writes the tokenizers of this folder and what the Python package `tokenizers` makes of texts with them.

Each pipeline's folder is a checkpoint's tokenizer with expected.json beside it; components.json holds tokenizers put
together at random, as changes to a pipeline.
"""
import json
import pathlib
import random
import sys

import tokenizers

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "Parity"))
from tokenizers_components import assemble, reference  # noqa: E402
from tokenizers_pipelines import train_all  # noqa: E402
from tokenizers_strings import strings  # noqa: E402

generator = random.Random(2025)


def cases(tokenizer, texts):
    for text in texts:
        ids = tokenizer.encode(text).ids
        ids += generator.choices(range(tokenizer.get_vocab_size() + 2), k=generator.randrange(4))
        yield {
            "text": text,
            "ids": tokenizer.encode(text).ids,
            "plain": tokenizer.encode(text, add_special_tokens=False).ids,
            "decode": ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=False),
            "skipped": tokenizer.decode(ids),
        }


def short(count):
    return [text if len(text) < 300 else text[:300] for text in strings(generator, count)]


def components(bases, count):
    entries = []
    while len(entries) < count:
        name = generator.choice(sorted(bases))
        state = assemble(generator, [bases[name]])
        text, texts = json.dumps(state), short(12)
        known = [(given, ids) for given, ids in zip(texts, reference(text, "encode", texts)) if ids]
        decoded = reference(text, "decode", [ids for _, ids in known])
        found = [
            {"text": given, "ids": ids, "decoded": text} for (given, ids), text in zip(known, decoded) if text is not None
        ]
        if not found:
            continue
        removed = sorted(set(bases[name]["model"]["vocab"]) - set(state["model"]["vocab"]))
        model = {key: value for key, value in state["model"].items() if key not in ("vocab", "merges")}
        parts = {key: value for key, value in state.items() if key != "model"}
        entries.append({"base": name, "parts": parts, "model": model, "removed": removed, "cases": found})
    return entries


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    trained = train_all(HERE, 640, 300_000)
    for name, tokenizer in trained.items():
        write(HERE / name / "tokenizer.json", json.loads(tokenizer.to_str()))
        write(HERE / name / "expected.json", list(cases(tokenizer, short(300))))
    write(HERE / "components.json", components({name: json.loads(t.to_str()) for name, t in trained.items()}, 100))
    print(f"written with tokenizers {tokenizers.__version__}")


if __name__ == "__main__":
    main()
