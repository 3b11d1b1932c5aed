"""Compares Apus with the Python package `tokenizers` on tokenizers put together at random from all components.

Usage: tokenizers_components.py [--apus PATH] [--count N] [--strings N] [--seed N]. Exits 1 after naming the components
of each tokenizer that differs, and the first differences.
"""
import argparse
import base64
import copy
import functools
import json
import multiprocessing
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers_pipelines import LLAMA3_SPLIT, corpus, train_all
from tokenizers_strings import strings

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
REGEXES = [
    GPT2,
    LLAMA3_SPLIT,
    LLAMA3_SPLIT.replace("{1,3}", ""),
    GPT2.replace(r"\p{N}+", r"\p{N}{2,}?"),
    LLAMA3_SPLIT.replace("{1,3}", "{1,2}"),
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"[一-龥぀-ゟ゠-ヿ]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))",
    r"(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})",
    r"(?<![a-z])'|(?<!ab|c)d",
    r"\s", r"\w+|\W", r"\d{1,2}", r"(?i)the|apus", r"a*", r"\b", r"^ +| +$", r"(?:a|ab)(?:c|bcd)?", r"(?>a+|b)e?", r"x*+y|\S++",
    r"\p{Han}+|\p{Latin}+|\p{Cyrillic}|\p{Hangul}{2}", r"[[:alpha:]_&&[^aeiou]]+|[[:punct:]]", r"\R|\h", r"[[:word:]]+|[[:lower:]]", r"[[:graph:]]+|[^[:print:]]", r"[\p{^L}&&\S]+",
    r"\x20|\u0301|[\x{1F300}-\x{1FAFF}]", r"(\r\n|[ \t]){1,2}", r"[^a-z]+?e", r"(?m:.)(?-m:.)", "(?x: a  b # comment\n )|c",
]
# The reference loses its way in normalized text where something was put in without anything being taken out.
EMPTY_MATCHES = [r"(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})", r"a*", r"\b"]
LITERALS = [" ", "a", "▁", "th", "\n", "é", "<s>", "."]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


@functools.cache
def character_maps():
    """Those of SentencePiece's own rules, and one of few and odd entries."""
    maps = []
    with tempfile.TemporaryDirectory() as folder:
        text = pathlib.Path(folder) / "text"
        text.write_text("\n".join(corpus(20_000)))
        rules = pathlib.Path(folder) / "rules.tsv"
        rules.write_text("61\t58\n61 301\t59 59\n20 20\t20\ne9\t65\n1F600\t3A 29\nd a\ta\n0915 094D\t6B\n")
        for options in [{"normalization_rule_name": name} for name in ("nmt_nfkc", "nfkc_cf")] + [
            {"normalization_rule_tsv": str(rules)}]:
            sentencepiece.SentencePieceTrainer.train(
                input=str(text), model_prefix=f"{folder}/model", vocab_size=300, hard_vocab_limit=False, minloglevel=2,
                model_type="unigram", **options)
            model = sentencepiece_model_pb2.ModelProto()
            model.ParseFromString(pathlib.Path(f"{folder}/model.model").read_bytes())
            maps.append(base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode())
    return maps


def pattern(generator):
    return {"Regex": generator.choice(REGEXES)} if generator.random() < 0.7 else {"String": generator.choice(LITERALS)}


def normalizer(generator, depth=0):
    kind = generator.choice(
        ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Prepend", "Replace", "Replace", "Strip", "StripAccents", "Nmt",
         "BertNormalizer", "BertNormalizer", "Precompiled", "Precompiled"] + ["Sequence"] * 2 * (depth == 0)
    )
    part = {"type": kind}
    if kind == "BertNormalizer":
        part |= {key: generator.random() < 0.5 for key in ("clean_text", "handle_chinese_chars", "lowercase")}
        part["strip_accents"] = generator.choice([None, True, False])
    elif kind == "Precompiled":
        part["precompiled_charsmap"] = generator.choice(character_maps())
    elif kind == "Prepend":
        part["prepend"] = generator.choice(["▁", " ", "xy"])
    elif kind == "Replace":
        part |= {"pattern": pattern(generator), "content": generator.choice(["▁", "", " ", "q", "éé"])}
        if part["pattern"].get("Regex") in EMPTY_MATCHES:
            part["pattern"] = {"String": "a"}
    elif kind == "Strip":
        part |= {"strip_left": generator.random() < 0.5, "strip_right": generator.random() < 0.5}
    elif kind == "Sequence":
        part["normalizers"] = [normalizer(generator, 1) for _ in range(generator.randrange(0, 4))]
    return part


def metaspace(generator):
    return {
        "type": "Metaspace",
        "replacement": generator.choice("▁▁_"),
        "prepend_scheme": generator.choice(["always", "never", "first"]),
        "split": generator.random() < 0.7,
    }


def byte_level(generator, kind="ByteLevel"):
    return {
        "type": kind,
        "add_prefix_space": generator.random() < 0.5,
        "trim_offsets": True,
        "use_regex": generator.random() < 0.5,
    }


def pre_tokenizer(generator, depth=0):
    kind = generator.choice(
        ["ByteLevel", "Split", "Split", "Split", "Metaspace", "Digits", "Whitespace", "WhitespaceSplit", "Punctuation",
         "BertPreTokenizer", "CharDelimiterSplit", "UnicodeScripts", "FixedLength"] + ["Sequence"] * 4 * (depth == 0)
    )
    part = {"type": kind}
    if kind == "ByteLevel":
        return byte_level(generator)
    if kind == "CharDelimiterSplit":
        part["delimiter"] = generator.choice(" e▁é")
    elif kind == "FixedLength":
        part["length"] = generator.randrange(1, 9)
    if kind == "Metaspace":
        return metaspace(generator)
    if kind == "Split":
        part |= {
            "pattern": pattern(generator),
            "behavior": generator.choice(BEHAVIORS),
            "invert": generator.random() < 0.3,
        }
    elif kind == "Digits":
        part["individual_digits"] = generator.random() < 0.5
    elif kind == "Punctuation":
        part["behavior"] = generator.choice(BEHAVIORS)
    elif kind == "Sequence":
        part["pretokenizers"] = [pre_tokenizer(generator, 1) for _ in range(generator.randrange(0, 4))]
    return part


def decoder(generator, depth=0):
    kind = generator.choice(
        ["ByteLevel", "Metaspace", "ByteFallback", "Fuse", "Replace", "Strip", "BPEDecoder", "WordPiece", "CTC"]
        + ["Sequence"] * 4 * (depth == 0)
    )
    part = {"type": kind}
    if kind == "WordPiece":
        part |= {"prefix": generator.choice(["##", "e"]), "cleanup": generator.random() < 0.5}
    elif kind == "CTC":
        part |= {"pad_token": generator.choice(["<s>", "e", "a"]), "word_delimiter_token": generator.choice("|en"),
                 "cleanup": generator.random() < 0.5}
    if kind == "ByteLevel":
        return byte_level(generator)
    if kind == "Metaspace":
        return metaspace(generator)
    if kind == "Replace":
        part |= {"pattern": pattern(generator), "content": generator.choice([" ", "", "zz"])}
    elif kind == "Strip":
        # The reference panics where `stop` reaches past a token's start.
        part |= {"content": generator.choice(" ▁a"), "start": generator.randrange(3), "stop": 0}
    elif kind == "BPEDecoder":
        part["suffix"] = generator.choice(["</w>", "e", "▁"])
    elif kind == "Sequence":
        part["decoders"] = [decoder(generator, 1) for _ in range(generator.randrange(1, 4))]
    return part


def ids_of(model):
    """Tokens and their ids; Unigram has them in a list."""
    vocabulary = model["vocab"]
    return {token: number for number, (token, _) in enumerate(vocabulary)} if isinstance(vocabulary, list) else vocabulary


def post_processor(generator, state):
    special = generator.sample(list(ids_of(state["model"]).items()), 2)
    if generator.random() < 0.3:
        kind = generator.choice(["BertProcessing", "RobertaProcessing"])
        more = {"trim_offsets": True, "add_prefix_space": False} if kind == "RobertaProcessing" else {}
        return {"type": kind, "cls": list(special[0]), "sep": list(special[1])} | more
    template = [{"SpecialToken": {"id": token, "type_id": 0}} for token, _ in special]
    template.insert(generator.randrange(3), {"Sequence": {"id": "A", "type_id": generator.randrange(2)}})
    part = {
        "type": "TemplateProcessing",
        "single": template,
        "pair": template + [{"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            token: {"id": token, "ids": [number] * generator.randrange(1, 3), "tokens": [token]}
            for token, number in special
        },
    }
    for entry in part["special_tokens"].values():
        entry["tokens"] *= len(entry["ids"])
    return generator.choice([None, part, {"type": "Sequence", "processors": [byte_level(generator), part]}])


def added_tokens(generator, state):
    contents = ["<s>", "</s>", "<tool>", " x", "the", "The", "é", "e\u0301", "a", "aa", "  ", "Apus", "ĠApus", "<|eot_id|>", "Ab"]
    vocabulary = ids_of(state["model"])
    tokens, number = [], max(vocabulary.values()) + 1
    for content in generator.sample(contents, generator.randrange(len(contents))):
        known = vocabulary.get(content)
        if known is None:
            number += 1
        flags = ("special", "single_word", "lstrip", "rstrip", "normalized")
        tokens.append({"id": number if known is None else known, "content": content})
        tokens[-1] |= {flag: generator.random() < 0.3 for flag in flags}
    return sorted(tokens, key=lambda token: token["id"])


def avoid_first(state):
    """Takes away the scheme `first` of Metaspace where something else put text before the text.

    The reference then looks at where the first character was, which Apus does not follow through normalizers.
    """
    parts = state["pre_tokenizer"] or {}
    parts = parts.get("pretokenizers", [parts])
    writing = [part for part in parts if part.get("type") in ("Metaspace", "ByteLevel")]
    for part in writing:
        if part.get("prepend_scheme") == "first" and (state["normalizer"] or len(writing) > 1):
            part["prepend_scheme"] = "always"


def avoid_odd_forms(state):
    """Lets one added token be normalized, to something that is not empty.

    Of tokens that are alike once normalized, the reference picks one by chance; on empty ones it fails.
    """
    normalize = tokenizers.Tokenizer.from_str(json.dumps({**state, "added_tokens": []})).normalizer.normalize_str
    for place, token in enumerate(state["added_tokens"]):
        token["normalized"] &= place == 0 and normalize(token["content"]) != ""


def assemble(generator, bases):
    state = copy.deepcopy(generator.choice(bases))
    model = state["model"]
    if generator.random() < 0.8:
        state["normalizer"] = None if generator.random() < 0.4 else normalizer(generator)
    if generator.random() < 0.8:
        state["pre_tokenizer"] = None if generator.random() < 0.2 else pre_tokenizer(generator)
    if generator.random() < 0.8:
        state["decoder"] = None if generator.random() < 0.1 else decoder(generator)
    if generator.random() < 0.7:
        state["added_tokens"] = added_tokens(generator, state)
    if state["normalizer"] is not None:
        avoid_odd_forms(state)
    avoid_first(state)
    if generator.random() < 0.5:
        state["post_processor"] = post_processor(generator, state)
    if model["type"] == "Unigram":
        model["byte_fallback"] = generator.random() < 0.3
        if generator.random() < 0.3:
            model["vocab"] += [[f"<0x{byte:02X}>", 0.0] for byte in range(256)]
        return state
    if model["type"] == "WordPiece":
        model["max_input_chars_per_word"] = generator.choice([3, 20, 100])
    if model["type"] != "BPE":
        return state
    model["fuse_unk"] = generator.random() < 0.5
    model["byte_fallback"] = generator.random() < 0.5
    model["ignore_merges"] = generator.random() < 0.3
    if generator.random() < 0.5:
        model["unk_token"] = generator.choice([None, generator.choice(list(model["vocab"]))])
    if generator.random() < 0.2:
        for token in generator.sample(sorted(t for t in model["vocab"] if len(t) == 1), 20):
            if not any(token in merge for merge in model["merges"]):
                del model["vocab"][token]
    if generator.random() < 0.2:
        model["end_of_word_suffix"] = generator.choice(["e", "</w>"])
    return state


def run(binary, model, lines, *flags):
    process = subprocess.run(
        [binary, "tokenize", "--model", str(model), "--input", "-", *flags],
        input="".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if process.returncode:
        return None, process.stderr.decode()[-500:]
    return [json.loads(line) for line in process.stdout.decode().split("\n")[:-1]], None


def load(text, method):
    """What the reference makes of one text, or of the ids of one."""
    tokenizer = tokenizers.Tokenizer.from_str(text)
    if method == "decode":
        return lambda ids: tokenizer.decode(ids, False)
    if method == "pairs":
        return lambda pair: (lambda encoding: (encoding.ids, encoding.type_ids))(tokenizer.encode(*pair))
    return lambda text: tokenizer.encode(text).ids


def reference_answers(source, method, arguments, load, answers):
    """Runs in a process of its own: on some of these tokenizers the reference panics, or grows without end."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    answer = load(source, method)
    for argument in arguments[len(answers) :]:
        try:
            answers.append(answer(argument))
        except BaseException:
            # After a panic, the reference gives other answers: the next one comes from a new process.
            answers.append(None)
            return


def reference(source, method, arguments, load=load):
    """The answers of the reference; nothing where it fails."""
    with multiprocessing.Manager() as manager:
        answers, known = manager.list(), -1
        while known < len(answers) < len(arguments):
            known = len(answers)
            process = multiprocessing.Process(target=reference_answers, args=(source, method, arguments, load, answers))
            process.start()
            process.join(20)
            process.kill()
            process.join()
        found = list(answers)
    return found + [None] * (len(arguments) - len(found))


def differences(options, generator, state, folder):
    text = json.dumps(state, ensure_ascii=False)
    (folder / "tokenizer.json").write_text(text)
    texts = [text for text in strings(generator, options.strings) if len(text) < 500]
    wanted = reference(text, "encode", texts)
    if not any(wanted):
        return None
    found, error = run(options.apus, folder, [{"text": text} for text in texts])
    if error:
        return [error]
    differing = [
        f"encode {text!r}\n    expected {ids}\n    apus     {line['ids']}"
        for text, ids, line in zip(texts, wanted, found)
        if ids is not None and ids != line["ids"]
    ]
    pairs = list(zip(texts[:20], texts[20:40]))
    joined = reference(text, "pairs", pairs)
    found, error = run(options.apus, folder, [{"text": first, "text_pair": second} for first, second in pairs])
    if error:
        return [error]
    differing += [
        f"pair {pair!r}\n    expected {both}\n    apus     {line}"
        for pair, both, line in zip(pairs, joined, found)
        if both is not None and both != (line["ids"], line["type_ids"])
    ]
    size = len(state["model"]["vocab"])
    batch = [
        ids if ids is not None and generator.random() < 0.5 else [generator.randrange(size) for _ in range(generator.randrange(1, 12))]
        for ids in wanted
    ]
    decoded = reference(text, "decode", batch)
    found, error = run(options.apus, folder, [{"ids": ids} for ids in batch], "--decode")
    if error:
        return [error]
    return differing + [
        f"decode {ids}\n    expected {text!r}\n    apus     {line['text']!r}"
        for ids, text, line in zip(batch, decoded, found)
        if text is not None and text != line["text"]
    ]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=os.environ.get("APUS", ".build/release/apus"))
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--strings", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    generator = random.Random(options.seed)
    failed = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        bases = [json.loads(tokenizer.to_str()) for tokenizer in train_all(folder, 1_000, 300_000).values()]
        for number in range(options.count):
            state = assemble(generator, bases)
            found = differences(options, generator, state, pathlib.Path(folder))
            refused += found is None
            if found:
                failed += 1
                parts = {key: value for key, value in state.items() if key != "model"}
                parts["model"] = {key: value for key, value in state["model"].items() if key not in ("vocab", "merges")}
                print(f"tokenizer {number}: {json.dumps(parts, ensure_ascii=False)}"[:2500])
                print("  " + "\n  ".join(line[:700] for line in found[:2]), flush=True)
    print(f"{options.count} tokenizers, {refused} too much for the reference, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
