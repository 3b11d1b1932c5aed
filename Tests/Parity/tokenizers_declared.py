"""Compares Apus with `PreTrainedTokenizerFast.from_pretrained` of transformers on tokens declared beside tokenizer.json.

Usage: tokenizers_declared.py [--apus PATH] [--count N] [--strings N] [--seed N]. Draws tokenizers with tokens in random
ones of the files that may declare them, many in two that disagree, and texts that hold them. Exits 1 after the files
of each tokenizer that differs, and the first differences.
"""
import argparse
import copy
import json
import os
import pathlib
import random
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from tokenizers_components import assemble, reference, run  # noqa: E402
from tokenizers_pipelines import train_all  # noqa: E402
from tokenizers_strings import strings  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402

STANDARD = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
CONTENTS = ["<|im_start|>", "<|im_end|>", "<|im_end|>\n", "<tool>", "[PAD]", "<s>", "</s>", "<|eot_id|>", "<|endoftext|>", "the", "a"]
CONTENTS += ["é", "e\u0301", " x", "  ", "Ab", "▁the", "Ġthe", "x y", "ing", "<image>", "\n\n", "日本", "👍🏽", "<|end_of_text|>", ""]
CHOSEN = ["<|im_end|>", "<|im_end|>", "<|eot_id|>", "<|begin_of_text|>", "<a>", "<b>", "<c>", "<d>", "<m>", "<tool>", "[PAD]", "in", "er"]
CONFIG, MAP, ADDED = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"


def token(content, **flags):
    """A token as tokenizer.json has it."""
    plain = {"content": content, "single_word": False, "lstrip": False, "rstrip": False}
    return plain | {"normalized": False, "special": True} | flags


def typed(content, **flags):
    """A token as an object of tokenizer_config.json."""
    return {"__type": "AddedToken", "content": content, **flags}


def chosen():
    """One case of each kind, on the tokenizer of Llama 3: a name, what changes in tokenizer.json, and the other files."""
    end, eot = "<|im_end|>", "<|eot_id|>"
    yield "added_tokens_decoder", {}, {CONFIG: {"added_tokens_decoder": {"900": token(end), "7": token("<tool>", lstrip=True)}}}
    yield "additional_special_tokens", {}, {CONFIG: {"additional_special_tokens": [end, typed("<a>", rstrip=True)]}}
    yield "extra_special_tokens", {}, {CONFIG: {"extra_special_tokens": [end], "additional_special_tokens": ["<a>"]}}
    yield "extra_special_tokens by name", {}, {CONFIG: {"extra_special_tokens": {"image": end, "eos_token": "<a>"}, "bos_token": "<b>"}}
    yield "names", {}, {CONFIG: {"pad_token": end, "mask_token": typed("<m>", lstrip=True), "image_token": "<a>", "video_token": 5}}
    yield "names that transformers wrote", {}, {CONFIG: {"model_specific_special_tokens": {"image": end}}}
    yield "special_tokens_map", {}, {MAP: {"additional_special_tokens": [end], "eos_token": {"content": "<a>", "lstrip": True}}}
    yield "special_tokens_map goes first", {}, {CONFIG: {"pad_token": end, "eos_token": end}, MAP: {"pad_token": None, "eos_token": eot}}
    yield "special_tokens_map is old", {}, {CONFIG: {"added_tokens_decoder": {}}, MAP: {"eos_token": eot}, ADDED: {"<a>": 700}}
    yield "extra tokens of two files", {}, {CONFIG: {"extra_special_tokens": ["<a>"]}, MAP: {"extra_special_tokens": ["<a>", {"content": end}]}}
    older = {"extra_special_tokens": {"image": end}, "additional_special_tokens": ["<a>"]}
    yield "extra tokens under both keys", {}, {CONFIG: older}
    yield "extra tokens that names replace", {}, {CONFIG: older | {"extra_special_tokens": ["<b>"]}, MAP: {"extra_special_tokens": {"image": end}}}
    yield "added_tokens", {}, {CONFIG: {"pad_token": "<a>"}, ADDED: {end: 3, "<a>": 2, "er": 1}}
    yield "eos only named", {"added_tokens": []}, {CONFIG: {"eos_token": eot}}
    yield "eos not special", {"added_tokens": [{"id": 640, **token(eot, special=False, normalized=True)}]}, {CONFIG: {"eos_token": eot}}
    listed = {CONFIG: {"eos_token": eot, "added_tokens_decoder": {"5": token(end)}}}
    yield "eos not special, and not listed", {"added_tokens": [{"id": 640, **token(eot, special=False)}]}, listed
    yield "known to the vocabulary", {}, {CONFIG: {"bos_token": "in", "added_tokens_decoder": {"9": token("er", special=False)}}}
    yield "split_special_tokens", {}, {CONFIG: {"split_special_tokens": True, "additional_special_tokens": [end]}}
    yield "ends of tokenizer_config", {}, {CONFIG: {"add_bos_token": False, "add_eos_token": True, "bos_token": end, "eos_token": eot}}
    yield "ends of special_tokens_map", {}, {CONFIG: {"bos_token": end}, MAP: {"add_bos_token": True, "add_eos_token": True, "eos_token": eot}}
    yield "end without token", {}, {MAP: {"add_bos_token": True}}
    padding = {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0}
    yield "padding", {"padding": padding | {"pad_token": "[PAD]"}}, {}
    yield "flags that disagree", {"added_tokens": [{"id": 640, **token(end, lstrip=True)}]}, {CONFIG: {"added_tokens_decoder": {"1": token(end, rstrip=True)}}}
    yield "ids that disagree", {"added_tokens": [{"id": 9, **token("<b>")}, {"id": 3, **token("<a>")}]}, {ADDED: {"<c>": 1, "<d>": 0}}
    yield "empty strings", {}, {CONFIG: {"bos_token": "", "extra_special_tokens": ["", end]}, ADDED: {"": 5}}


def flags(generator):
    return {flag: generator.random() < 0.4 for flag in ("single_word", "lstrip", "rstrip", "normalized", "special") if generator.random() < 0.6}


def object_or_text(generator, content, kind):
    if generator.random() < 0.6:
        return content
    if kind == CONFIG:
        return typed(content, **flags(generator))
    return {"content": content} | {flag: value for flag, value in flags(generator).items() if flag != "special"}


def names(generator, contents, kind):
    found = {}
    for name in generator.sample(STANDARD + ["image_token", "tool_token"], generator.randrange(6)):
        content = generator.choice(contents)
        found[name] = None if generator.random() < 0.1 else object_or_text(generator, content, kind)
    return found


def extras(generator, contents, kind):
    """A list of tokens, or tokens by name."""
    drawn = [generator.choice(contents) for _ in range(generator.randrange(1, 5))]
    older = {"additional_special_tokens": drawn[:1]} if generator.random() < 0.2 else {}
    if generator.random() < 0.25:
        known = [f"name{place}" for place in range(5)] + STANDARD + ["image_token"]
        drawn = [object_or_text(generator, content, CONFIG) for content in drawn]
        key = "extra_special_tokens"
        if kind == CONFIG and generator.random() < 0.3:
            key = "model_specific_special_tokens"
        return {key: dict(zip(generator.sample(known, len(drawn)), drawn))} | older
    if generator.random() < 0.08:
        key, value = generator.choice(["extra_special_tokens", "additional_special_tokens"]), None
    else:
        key = generator.choice(["extra_special_tokens", "additional_special_tokens"])
        objects = kind == CONFIG or key == "extra_special_tokens"  # the reference refuses other objects
        value = [object_or_text(generator, content, kind) if objects else content for content in drawn]
    return {key: value} | older


def draw(generator, states):
    """A tokenizer.json and the files beside it."""
    state = assemble(generator, states) if generator.random() < 0.25 else copy.deepcopy(generator.choice(states))
    # Of a Unigram model it is a list of tokens with their scores.
    vocabulary = state["model"]["vocab"]
    vocabulary = [token for token, _ in vocabulary] if isinstance(vocabulary, list) else vocabulary
    contents = generator.sample(CONTENTS, 8) + generator.sample(sorted(vocabulary), 2)
    contents += [entry["content"] for entry in generator.sample(state["added_tokens"], min(3, len(state["added_tokens"])))]
    odd = [{"id": generator.randrange(len(vocabulary) + 20), **token(content, **flags(generator))} for content in contents[:2]]
    if generator.random() < 0.5:
        state["added_tokens"] += odd
    if generator.random() < 0.1:
        state["padding"] = {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None}
        state["padding"] |= {"pad_id": 0, "pad_type_id": 0, "pad_token": generator.choice(contents)}
    files = {CONFIG: {}}
    for kind in (CONFIG, MAP):
        file = {}
        if generator.random() < 0.7:
            file |= names(generator, contents, kind)
        if generator.random() < 0.4:
            file |= extras(generator, contents, kind)
        for key, chance in (("add_bos_token", 0.2), ("add_eos_token", 0.2), ("split_special_tokens", 0.1)):
            if generator.random() < chance:
                file[key] = generator.random() < 0.6
        if kind == CONFIG or generator.random() < 0.5:
            files[kind] = file
    if generator.random() < 0.4:
        listed = generator.sample(range(len(vocabulary) + 40), generator.randrange(8))
        files[CONFIG]["added_tokens_decoder"] = {
            str(number): {"content": generator.choice(contents), **flags(generator)} for number in listed
        }
    if generator.random() < 0.4:
        files[ADDED] = {content: generator.randrange(len(vocabulary) + 40) for content in generator.sample(contents, generator.randrange(5))}
    return state, files, contents


def texts(generator, contents, count):
    """The tokens in odd surroundings: side by side, in words, cut, after and before every kind of space."""
    words = ["", "", " ", "  ", "\n", "\t", "a", "word", "Word ", " the", "é", "_", "1", "<", ".", "▁", "\u00a0", "\u3000"]
    found = ["".join(contents), "x ".join(contents)]
    while len(found) < count:
        parts = []
        for _ in range(generator.randrange(1, 8)):
            content = generator.choice(contents)
            if generator.random() < 0.15 and content:
                content = generator.choice([content[:-1], content[1:], content.upper(), content * 2])
            parts += [generator.choice(words), content if generator.random() < 0.8 else generator.choice(strings(generator, 6))[:80]]
        found.append("".join(parts + [generator.choice(words)]))
    return found


def write(folder, state, files):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, value in {"tokenizer.json": state, **files}.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False))


def load(folder, method):
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    if method == "known":
        return lambda _: known(tokenizer)
    if method in ("encode", "plain"):
        return lambda text: tokenizer(text, add_special_tokens=method == "encode")["input_ids"]
    return lambda ids: tokenizer.decode(ids, skip_special_tokens=method == "skip")


def known(tokenizer):
    """The ids of the ends and of all added tokens. Nothing where two look the same: the reference takes one by chance."""
    normalizer = tokenizer.backend_tokenizer.normalizer
    forms = [
        normalizer.normalize_str(token.content) if normalizer is not None and token.normalized else token.content
        for token in tokenizer.added_tokens_decoder.values()
    ]
    if "" in forms or len(set(forms)) < len(forms):
        return None
    ends = {name: getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad", "unk") if getattr(tokenizer, f"{name}_token")}
    return {"size": len(tokenizer), "added": list(tokenizer.added_tokens_decoder), "ends": ends}


def answers(generator, folder, given):
    """What the reference makes of texts, and of ids; nothing where it cannot load the files."""
    facts = reference(folder, "known", [None], load)[0]
    if facts is None:
        return None
    found = {method: list(zip(given, reference(folder, method, given, load))) for method in ("encode", "plain")}
    batch = []
    for _, ids in found["encode"]:
        some = generator.choices(facts["added"] or [0], k=2) + [generator.randrange(facts["size"] + 3) for _ in range(3)]
        batch.append((ids or []) + generator.sample(some, generator.randrange(6)))
    for method in ("decode", "skip"):
        found[method] = list(zip(batch, reference(folder, method, batch, load)))
    return facts, found


def differences(binary, folder, found):
    failures, compared = [], 0
    for method, entries in found.items():
        entries = [(given, wanted) for given, wanted in entries if wanted is not None]
        encodes = method in ("encode", "plain")
        arguments = [] if encodes else ["--decode"]
        arguments += ["--no-special-tokens"] if method in ("plain", "skip") else []
        lines, error = run(binary, folder, [{"text" if encodes else "ids": given} for given, _ in entries], *arguments)
        if error:
            return [error], compared
        compared += len(entries)
        for (given, wanted), line in zip(entries, lines):
            got = line["ids" if encodes else "text"]
            if got != wanted:
                failures.append(f"{method} {given!r}\n    expected {wanted!r}\n    apus     {got!r}")
    return failures, compared


def bases(trained):
    """The trained tokenizers, and Llama 2's in its other form."""
    states = {name: json.loads(tokenizer.to_str()) for name, tokenizer in trained.items()}
    other = copy.deepcopy(states["llama2"])
    other["normalizer"] = None
    other["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    return states | {"llama2, metaspace": other}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=os.environ.get("APUS", ".build/release/apus"))
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--strings", type=int, default=120)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    generator = random.Random(options.seed)
    refused = failed = done = total = 0
    with tempfile.TemporaryDirectory() as folder:
        states = bases(train_all(folder, 1_000, 300_000))
        cases = [(states["llama3"] | changes, files, CHOSEN) for _, changes, files in chosen()]
        place = pathlib.Path(folder) / "declared"
        while done < options.count + len(list(chosen())):
            state, files, contents = cases.pop() if cases else draw(generator, list(states.values()))
            write(place, state, files)
            found = answers(generator, str(place), texts(generator, contents, options.strings))
            if found is None:
                refused += 1
                continue
            done += 1
            failures, compared = differences(options.apus, place, found[1])
            total += compared
            if failures:
                failed += 1
                parts = {key: value for key, value in state.items() if key not in ("model", "decoder")}
                print(f"tokenizer {done}: {json.dumps([parts, files], ensure_ascii=False)}"[:3000])
                print("  " + "\n  ".join(line[:700] for line in failures[:2]), flush=True)
    print(f"{done} tokenizers with declared tokens, {refused} more refused by the reference; {total} compared, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
