"""Writes tokenizers whose files are no tokenizer.json, each with what its reference makes of texts beside it
(Tests/Parity/tokenizers_vocabularies.py and tokenizers_sentencepiece.py name the references), and small ones of each kind of
tokenizer.json that make.py has none of."""
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "Parity"))
import sentencepiece  # noqa: E402
import tokenizers_vocabularies as vocabularies  # noqa: E402
from tokenizers_pipelines import PIPELINES, corpus, save  # noqa: E402
from tokenizers_sentencepiece import RULES  # noqa: E402
from tokenizers_strings import strings  # noqa: E402

SIZE = 420


def write(folder, generator, encode, decode, size):
    cases = []
    for text in strings(generator, 150):
        text = text[:200]
        ids = encode(text)
        given = ids if generator.random() < 0.5 else [generator.randrange(size) for _ in range(generator.randrange(9))]
        cases.append({"text": text, "ids": ids, "decode": given, "decoded": decode(given)})
    (folder / "expected.json").write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n")


def pieces(folder, generator, **options):
    text = folder / "text"
    text.write_text("".join(corpus(40_000)))
    if "normalization_rule_tsv" in options:
        # A map of its own: those of SentencePiece are large.
        rules = folder / options["normalization_rule_tsv"]
        rules.write_text(RULES)
        options["normalization_rule_tsv"] = str(rules)
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "tokenizer"), minloglevel=2, hard_vocab_limit=False, **options)
    for path in [text, folder / "rules.tsv"]:
        path.unlink(missing_ok=True)
    (folder / "tokenizer.vocab").unlink()
    (folder / "tokenizer_config.json").write_text('{"add_bos_token":false,"add_eos_token":false}')
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    write(folder, generator, model.encode, model.decode, model.get_piece_size())


def main():
    vocabularies.SIZES = [SIZE]
    for kind, make in vocabularies.KINDS.items():
        generator = random.Random(f"{kind} 3")
        folder = HERE / f"{kind}-files"
        folder.mkdir(exist_ok=True)
        write(folder, generator, *make(generator, folder))
    for name, options in {
        "sentencepiece-bpe": dict(model_type="bpe", vocab_size=700, byte_fallback=True, normalization_rule_name="identity", user_defined_symbols=["<tool>", "ab"]),
        "sentencepiece-unigram": dict(model_type="unigram", vocab_size=500, normalization_rule_tsv="rules.tsv"),
    }.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        pieces(folder, random.Random(name), **options)
    for name in ("bert", "t5", "words"):
        folder = HERE / name
        tokenizer, configuration = PIPELINES[name](corpus(60_000), SIZE)
        save(folder, tokenizer, configuration)
        write(folder, random.Random(name), lambda text: tokenizer.encode(text).ids,
              lambda ids: tokenizer.decode(ids, skip_special_tokens=False), tokenizer.get_vocab_size())


if __name__ == "__main__":
    main()
