"""Compares `apus tokenize` with the package `sentencepiece` on its own models: trained at random, and real ones.

Usage: tokenizers_sentencepiece.py [--apus PATH] [--count N] [--strings N] [--seed N] [MODEL ...]. Without special tokens
around. Exits 1 after naming the options of each model that differs, and the first differences.
"""
import pathlib
import random
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from check_tokenizers import compare_both_ways, known_ids, options_of
from tokenizers_pipelines import corpus
from tokenizers_strings import strings

RULES = "61\t58\n61 301\t59 59\n20 20\t20\ne9\t65\n1F600\t3A 29\nd a\ta\n0915 094D\t6B\n65\t\n78\t20\n"


def options(generator, folder):
    chance = lambda share: generator.random() < share
    chosen = {
        "model_type": generator.choice(["unigram", "bpe"]), "vocab_size": generator.choice([700, 1000, 2000]),
        "byte_fallback": chance(0.5), "add_dummy_prefix": chance(0.7), "remove_extra_whitespaces": chance(0.6),
        "treat_whitespace_as_suffix": chance(0.2), "split_by_whitespace": chance(0.8), "split_digits": chance(0.3),
        "character_coverage": generator.choice([0.98, 0.9995, 1.0]), "hard_vocab_limit": False,
        "split_by_unicode_script": chance(0.7), "allow_whitespace_only_pieces": chance(0.3),
    }
    if chance(0.4):
        chosen["user_defined_symbols"] = generator.sample(
            ["<tool>", " x", "the", "ab", "é", "▁▁", "a▁b", "return", "<s", "  ", "1", "ing", "\n"], generator.randrange(1, 6))
    if chance(0.3):
        chosen["control_symbols"] = ["<ctl>", "<0>"]
    if chance(0.3):
        chosen["unk_surface"] = generator.choice(["", "?", " <?> "])
    if chance(0.25):
        rules = pathlib.Path(folder) / "rules.tsv"
        rules.write_text(RULES)
        chosen["normalization_rule_tsv"] = str(rules)
    else:
        chosen["normalization_rule_name"] = generator.choice(["nmt_nfkc", "nfkc", "nmt_nfkc_cf", "identity", "nfkc_cf"])
    return chosen


def changed(generator, data):
    """Some pieces become unused, scores equal, spaces bare: what no trainer does, but files may have."""
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(data)
    if generator.random() < 0.4:
        for piece in model.pieces:
            if piece.type == 1 and len(piece.piece) > 1 and generator.random() < 0.1:
                piece.type = 5
    if generator.random() < 0.3:
        for piece in model.pieces:
            if piece.type == 1:
                piece.score = round(piece.score / 4) * 4.0
    if generator.random() < 0.15:
        model.normalizer_spec.escape_whitespaces = False
    return model.SerializeToString()


def check(binary, generator, name, directory, count):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(directory / "tokenizer.model"))
    texts = strings(generator, count)
    return compare_both_ways(
        binary, name, directory, texts, lambda text: processor.encode(text, add_bos=False, add_eos=False), processor.decode,
        lambda encoded: known_ids(generator, encoded, processor.get_piece_size()), "--no-special-tokens")


def main():
    parser = options_of(40, "models", 500)
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder)
        for path in arguments.models:
            (directory / "tokenizer.model").write_bytes(path.read_bytes())
            failures += check(arguments.apus, generator, path.name, directory, 20_000)
        text = directory / "text"
        text.write_text("".join(corpus(60_000)))
        for number in range(0 if arguments.models else arguments.count):
            chosen = options(generator, folder)
            sentencepiece.SentencePieceTrainer.train(
                input=str(text), model_prefix=f"{folder}/trained", minloglevel=2, **chosen)
            data = changed(generator, (directory / "trained.model").read_bytes())
            (directory / "tokenizer.model").write_bytes(data)
            found = check(arguments.apus, generator, f"model {number}", directory, arguments.strings)
            if found:
                print(f"  {chosen}", flush=True)
            failures += found
    print(f"{failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
