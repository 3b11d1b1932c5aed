"""Small tokenizers of three kinds, by how their tokens stand for bytes: that decides how stop strings are matched."""

import json
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from models_text import SPLIT, WORDS

KINDS = ("byte level", "byte fallback", "none")
SPECIAL = ["<unk>", "<s>", "</s>", "<|eot_id|>", "<|start|>"]
# Transformers learns what a token adds to a text by decoding it behind this word.
KNOWN = "abcdef"


def corpus(rng: random.Random) -> list[str]:
    return [" ".join(rng.choices(WORDS + [KNOWN] * 3, k=30)) for _ in range(60)]


def draw_tokenizer(kind: str, rng: random.Random) -> Tokenizer:
    match kind:
        case "byte level":
            return byte_level(rng)
        case "byte fallback":
            return byte_fallback(rng)
    return without_bytes(rng)


def begin_with(tokenizer: Tokenizer, name: str) -> Tokenizer:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{name} $A", special_tokens=[(name, tokenizer.token_to_id(name))])
    return tokenizer


def byte_level(rng: random.Random) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=rng.random() < 0.5))
    split = pre_tokenizers.Split(Regex(SPLIT), behavior="isolated")
    bytes_of = pre_tokenizers.ByteLevel(add_prefix_space=rng.random() < 0.3, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_of])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus(rng), trainers.BpeTrainer(
        vocab_size=rng.randint(300, 500), show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    tokenizer.add_special_tokens(SPECIAL[1:])
    return begin_with(tokenizer, "<s>")


def byte_fallback(rng: random.Random) -> Tokenizer:
    scheme = rng.choice(["normalizer", "always", "first", "never"])
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    # Rare characters stay out, so that they are spelled in bytes.
    trained.train_from_iterator(corpus(rng), trainers.BpeTrainer(
        vocab_size=300, limit_alphabet=rng.choice([40, 80]), show_progress=False))
    model = json.loads(trained.to_str())["model"]
    pieces = SPECIAL[:3] + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces += sorted(set(model["vocab"]) - set(pieces), key=model["vocab"].get)
    tokenizer = Tokenizer(models.BPE(
        vocab={piece: number for number, piece in enumerate(pieces)}, merges=[tuple(pair) for pair in model["merges"]],
        unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in SPECIAL])
    if scheme == "normalizer":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=rng.random() < 0.5)
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if scheme != "never" else []))
    return begin_with(tokenizer, "<s>")


def without_bytes(rng: random.Random) -> Tokenizer:
    form = rng.choice(["metaspace", "suffix", "joined"])
    options = {"end_of_word_suffix": "</w>"} if form == "suffix" else {}
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **options))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace() if form != "metaspace" else pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(corpus(rng), trainers.BpeTrainer(
        vocab_size=rng.randint(250, 450), special_tokens=["<unk>"], show_progress=False, **options))
    match form:
        case "metaspace":
            tokenizer.decoder = decoders.Metaspace()
        case "suffix":
            tokenizer.decoder = decoders.BPEDecoder()
    tokenizer.add_special_tokens(SPECIAL)
    return begin_with(tokenizer, "<s>")
