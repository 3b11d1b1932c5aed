"""A small byte-level tokenizer for the configurations that are prompted with text."""

import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from models_checkpoints import Options

BOS, EOS = "<|begin_of_text|>", "<|end_of_text|>"
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
WORDS = """a dog ran over the hill and the fox sat under an old tree while snow fell; it's 1234 o'clock, naïve café,
größer, 東京, Привет, 🙂, don't STOP! (really?) x=42\n\n  tabs\t...""".split(" ")


def write_tokenizer(folder: Path, options: Options) -> Tokenizer:
    rng = random.Random(options.seed)
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=options.vocab_size, special_tokens=[BOS, EOS], show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator([" ".join(rng.choices(WORDS, k=30)) for _ in range(50)], trainer)
    bos = tokenizer.token_to_id(BOS)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, bos)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS).save_pretrained(folder)
    return tokenizer


def draw_text(rng: random.Random) -> list[str]:
    return [" ".join(rng.choices(WORDS, k=rng.randint(1, 25))) for _ in range(4)]


def text_faults(tokenizer: Tokenizer, given: list[str], records: list[dict]) -> list[str]:
    faults = []
    for index, (prompt, record) in enumerate(zip(given, records)):
        if record.get("prompt") != prompt:
            faults.append(f"prompt {index}: came back as {str(record.get('prompt'))[:60]!r}")
        ids = tokenizer.encode(prompt).ids
        whole = tokenizer.decode(ids + record.get("token_ids", []), skip_special_tokens=True)
        text = tokenizer.decode(ids, skip_special_tokens=True) + str(record.get("text"))
        if text != whole:
            faults.append(f"prompt {index}: prompt and text are {text[-60:]!r}, tokenizers decodes {whole[-60:]!r}")
    return faults
