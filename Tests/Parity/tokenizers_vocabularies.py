"""Compares `apus tokenize` with the references of vocabulary files: transformers' GPT2Tokenizer, Qwen2Tokenizer, CLIPTokenizer
and BertTokenizer, `tiktoken`, and mistral-common for tekken.json. The vocabularies are trained at random, or real ones.

Usage: tokenizers_vocabularies.py [--apus PATH] [--count N] [--strings N] [--seed N] [KIND=FILE ...], KIND one of tekken,
tiktoken and clip (the merges of bpe_simple_vocab_16e6.txt.gz). Exits 1 after naming the first differences.
"""
import base64
import gzip
import json
import pathlib
import random
import sys
import tempfile

import tiktoken
import tokenizers
import transformers
from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from tiktoken.load import load_tiktoken_bpe
from transformers.models.gpt2.tokenization_gpt2 import GPT2Tokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from check_tokenizers import compare_both_ways, known_ids, options_of
from tokenizers_pipelines import corpus
from tokenizers_strings import strings

# Of vocabularies that are trained.
SIZES = [600, 1500, 3000]
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
    r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BYTES = {character: byte for byte, character in bytes_to_unicode().items()}


def trained(generator, suffix=None):
    """The vocabulary and the merges of a model of bytes."""
    own = {"end_of_word_suffix": suffix} if suffix else {}
    model = tokenizers.Tokenizer(tokenizers.models.BPE(**own))
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=generator.choice(SIZES), **own, show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>"] + (["<|startoftext|>"] if suffix else []))
    model.train_from_iterator(corpus(60_000), trainer)
    parts = json.loads(model.to_str())["model"]
    vocabulary = parts["vocab"]
    if suffix:
        for character in tokenizers.pre_tokenizers.ByteLevel.alphabet():
            vocabulary.setdefault(character + suffix, len(vocabulary))
    return vocabulary, [" ".join(merge) if isinstance(merge, list) else merge for merge in parts["merges"]]


def ranks(generator):
    vocabulary, _ = trained(generator)
    tokens = [bytes(BYTES[character] for character in token) for token in vocabulary if token != "<|endoftext|>"]
    return {token: rank for rank, token in enumerate(tokens)}


def write(directory, **files):
    for path in directory.iterdir():
        path.unlink()
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (directory / name.replace("__", ".")).write_text(text)


def of_class(kind, directory):
    tokenizer = kind.from_pretrained(str(directory))
    return (
        lambda text: tokenizer.encode(text),
        lambda ids: tokenizer.decode(ids, clean_up_tokenization_spaces=False), len(tokenizer))


def byte_pairs(generator, directory, name, kind, suffix=None):
    vocabulary, merges = trained(generator, suffix)
    config = {"tokenizer_class": name} if name != "GPT2Tokenizer" or generator.random() < 0.5 else {}
    if generator.random() < 0.3 and not suffix:
        config["add_prefix_space"] = True
    if generator.random() < 0.3:
        config["additional_special_tokens"] = ["<extra>", "the tool"]
    if generator.random() < 0.4 and name == "GPT2Tokenizer":
        config["add_bos_token"] = True
    header = "#version: 0.2\n" if generator.random() < 0.7 else ""
    write(directory, vocab__json=vocabulary, merges__txt=header + "\n".join(merges) + "\n", tokenizer_config__json=config)
    return of_class(kind, directory)


def bert(generator, directory):
    lower = generator.random() < 0.5
    model = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    model.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=lower)
    model.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    model.train_from_iterator(corpus(60_000), tokenizers.trainers.WordPieceTrainer(
        vocab_size=generator.choice(SIZES), show_progress=False,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    tokens = sorted(model.get_vocab().items(), key=lambda item: item[1])
    config = {"tokenizer_class": "BertTokenizer"}
    if not lower or generator.random() < 0.5:
        config["do_lower_case"] = lower
    if generator.random() < 0.4:
        config["strip_accents"] = generator.random() < 0.5
    if generator.random() < 0.4:
        config["tokenize_chinese_chars"] = generator.random() < 0.5
    write(directory, vocab__txt="".join(token + "\n" for token, _ in tokens), tokenizer_config__json=config)
    return of_class(transformers.BertTokenizer, directory)


def tiktoken_file(generator, directory, found=None):
    table = found or ranks(generator)
    special = {}
    for _ in range(generator.randrange(4)):
        special.setdefault(f"<|s{len(special)}|>", len(table) + len(special) + generator.randrange(3) * 2)
    special = {name: number for name, number in special.items() if list(special.values()).count(number) == 1}
    config = {"added_tokens_decoder": {
        str(number): {"content": name, "special": True, "normalized": False} for name, number in special.items()}}
    if special and generator.random() < 0.5:
        config["bos_token"] = next(iter(special))
        config["add_bos_token"] = True
    lines = "".join(f"{base64.b64encode(token).decode() or chr(61)} {rank}\n" for token, rank in table.items())
    write(directory, **{generator.choice(["tokenizer__model", "o200k__tiktoken"]): lines}, tokenizer_config__json=config)
    last = max(special.values(), default=0)
    for number in range(len(table), last + 1):
        if number not in special.values():
            special[f"<|reserved_token_{number}|>"] = number
    encoding = tiktoken.Encoding("own", pat_str=LLAMA3, mergeable_ranks=table, special_tokens=special)
    before = [special[config["bos_token"]]] if config.get("add_bos_token") else []
    return lambda text: before + encoding.encode(text, allowed_special="all"), encoding.decode, len(table) + len(special)


def tekken(generator, directory, path=None):
    if path:
        write(directory, tekken__json=path.read_text())
    else:
        # Bytes come first, in their order.
        table = sorted(ranks(generator), key=lambda token: token[0] if len(token) == 1 else 256)
        count = generator.choice([20, 25, 100])
        special = None
        if generator.random() < 0.5:
            special = [
                {"rank": number, "token_str": name, "is_control": True} for number, name in enumerate(["<unk>", "<s>", "</s>", "[X]"])]
        tokens = [{"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
                  for rank, token in enumerate(table)]
        write(directory, tekken__json={
            "config": {"pattern": TEKKEN, "num_vocab_tokens": len(tokens), "version": "v3",
                       "default_vocab_size": count + len(tokens) - generator.choice([0, 0, 100]),
                       "default_num_special_tokens": count},
            "vocab": tokens, **({"special_tokens": special} if special else {})})
    model = Tekkenizer.from_file(directory / "tekken.json")
    return (
        lambda text: model.encode(text, bos=True, eos=False),
        lambda ids: model.decode(ids, special_token_policy=SpecialTokenPolicy.KEEP), model.n_words)


def clip_merges(path):
    """As CLIP's own code makes a vocabulary of its merges (https://github.com/openai/CLIP, simple_tokenizer.py)."""
    merges = gzip.open(path).read().decode().split("\n")[1:49152 - 256 - 2 + 1]
    alphabet = list(bytes_to_unicode().values())
    tokens = alphabet + [character + "</w>" for character in alphabet] + [merge.replace(" ", "") for merge in merges]
    vocabulary = {token: number for number, token in enumerate(tokens + ["<|startoftext|>", "<|endoftext|>"])}
    return vocabulary, merges


def clip(generator, directory, path):
    vocabulary, merges = clip_merges(path)
    write(directory, vocab__json=vocabulary, merges__txt="#version: 0.2\n" + "\n".join(merges) + "\n",
          tokenizer_config__json={"tokenizer_class": "CLIPTokenizer"})
    return of_class(transformers.CLIPTokenizer, directory)


KINDS = {
    "gpt2": lambda generator, directory: byte_pairs(generator, directory, "GPT2Tokenizer", GPT2Tokenizer),
    "qwen2": lambda generator, directory: byte_pairs(generator, directory, "Qwen2Tokenizer", transformers.Qwen2Tokenizer),
    "clip": lambda generator, directory: byte_pairs(
        generator, directory, "CLIPTokenizer", transformers.CLIPTokenizer, "</w>"),
    "bert": bert, "tiktoken": tiktoken_file, "tekken": tekken,
}
REAL = {
    "tekken": tekken, "clip": clip,
    "tiktoken": lambda generator, directory, path: tiktoken_file(generator, directory, load_tiktoken_bpe(str(path))),
}


def check(binary, generator, name, directory, reference, count):
    encode, decode, size = reference
    texts = strings(generator, count)
    if name.startswith("tiktoken"):
        texts = [text + f"<|s{generator.randrange(4)}|>a" if generator.random() < 0.2 else text for text in texts]

    def batch(encoded):
        found = known_ids(generator, encoded, size)
        if not name.startswith("tiktoken"):
            return found
        # The package fails on ids that there are not.
        known = {number for ids in encoded for number in ids}
        return [[number for number in ids if number in known] for ids in found]

    return compare_both_ways(binary, name, directory, texts, encode, decode, batch)


def main():
    parser = options_of(5, "vocabularies of a kind", 4000)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder)
        for argument in arguments.files:
            kind, path = argument.split("=", 1)
            reference = REAL[kind](generator, directory, pathlib.Path(path))
            failures += check(arguments.apus, generator, f"{kind} {pathlib.Path(path).name}", directory, reference, 20_000)
        for number in range(0 if arguments.files else arguments.count):
            for kind, make in KINDS.items():
                if arguments.only in (None, kind):
                    reference = make(generator, directory)
                    failures += check(
                        arguments.apus, generator, f"{kind} {number}", directory, reference, arguments.strings)
    print(f"{failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
