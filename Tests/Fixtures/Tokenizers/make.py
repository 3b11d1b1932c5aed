"""Writes the tokenizers of this folder and what the Python package `tokenizers` makes of texts with them.

Each pipeline's folder is a checkpoint's tokenizer with expected.json beside it; components.json holds tokenizers put
together at random, as changes to a pipeline; declared.json holds, for changes to a pipeline and tokens declared in other
files beside it, what `PreTrainedTokenizerFast` of transformers makes of them.
"""
import json
import pathlib
import random
import sys
import tempfile

import tokenizers
import transformers

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "Parity"))
from tokenizers_components import assemble, reference  # noqa: E402
from tokenizers_declared import CHOSEN, answers, bases, chosen, draw, texts  # noqa: E402
from tokenizers_declared import write as write_files  # noqa: E402
from tokenizers_pipelines import PIPELINES, train_all  # noqa: E402
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


def declared(states, count):
    """One tokenizer of each kind, and random ones."""
    generator, entries = random.Random(2026), []
    drawn = [(name, states["llama3"] | changes, files, CHOSEN) for name, changes, files in chosen()]
    while len(entries) < count + len(list(chosen())):
        name, state, files, contents = drawn.pop(0) if drawn else ("random", *draw(generator, list(states.values())))
        base = next((base for base in states if base in PIPELINES and states[base]["model"] == state["model"]), None)
        with tempfile.TemporaryDirectory() as folder:
            write_files(pathlib.Path(folder), state, files)
            found = base and answers(generator, folder, texts(generator, contents, 8))
        if not found or any(answer is None for entry in found[1].values() for _, answer in entry):
            continue
        facts, found = found
        keys = {"encode": "ids", "plain": "plain", "decode": "decoded", "skip": "skipped"}
        columns = [[answer for _, answer in found[method]] for method in keys]
        entries.append({
            "name": name,
            "base": base,
            "changes": {key: value for key, value in state.items() if value != states[base][key]},
            "files": files,
            "size": facts["size"],
            "ends": facts["ends"],
            "cases": [
                {"text": text, "decode": ids} | dict(zip(keys.values(), row))
                for (text, _), (ids, _), *row in zip(found["encode"], found["decode"], *columns)
            ],
        })
    return entries


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    trained = train_all(HERE, 640, 300_000)
    for name, tokenizer in trained.items():
        write(HERE / name / "tokenizer.json", json.loads(tokenizer.to_str()))
        write(HERE / name / "expected.json", list(cases(tokenizer, short(300))))
    write(HERE / "components.json", components({name: json.loads(t.to_str()) for name, t in trained.items()}, 100))
    write(HERE / "declared.json", declared(bases(trained), 17))
    print(f"written with tokenizers {tokenizers.__version__} and transformers {transformers.__version__}")


if __name__ == "__main__":
    main()
