"""Writes the benchmark's checkpoint: a Llama of 1.1 billion random parameters in bf16, with a tokenizer of 32000 entries.

    python Benchmarks/make_checkpoint.py FOLDER            2.2 GB
    python Benchmarks/make_checkpoint.py FOLDER --text DIR [DIR ...]

Weights depend on the seed alone; the tokenizer's merges on the text that this machine has, which no timing depends on.
"""

import argparse
import json
import sysconfig
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 32_000
BOS, EOS = "<s>", "</s>"
SUFFIXES = {".txt", ".md", ".rst", ".py", ".swift", ".swiftinterface", ".h", ".html", ""}
ROOTS = ["/usr/share/doc", "/usr/share/common-licenses", sysconfig.get_paths()["purelib"],
         sysconfig.get_paths()["stdlib"], str(Path(__file__).parents[1])]


def texts(roots: list[str], limit: int):
    """Readable text files under the folders in sorted order, up to a number of bytes."""
    size = 0
    for root in roots:
        for path in sorted(Path(root).rglob("*")):
            if path.suffix not in SUFFIXES or not path.is_file() or path.stat().st_size > 1 << 20:
                continue
            try:
                text = path.read_text()
            except (UnicodeDecodeError, OSError):
                continue
            size += len(text)
            if size > limit:
                return
            yield text


def make_tokenizer(roots: list[str], limit: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=[BOS, EOS], show_progress=False,
                                  max_token_length=32, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(texts(roots, limit), trainer)
    # Too little text gives too few merges: further entries keep every id a token.
    missing = VOCABULARY - tokenizer.get_vocab_size()
    tokenizer.add_tokens([AddedToken(f"<unused{index}>", normalized=False) for index in range(missing)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))])
    print(f"tokenizer of {tokenizer.get_vocab_size()} entries, {missing} of them unused", flush=True)
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--text", nargs="+", default=ROOTS, metavar="DIR")
    parser.add_argument("--text-bytes", type=int, default=40_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)

    tokenizer = make_tokenizer(arguments.text, arguments.text_bytes)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, padding_side="left",
                            model_max_length=2048).save_pretrained(arguments.folder)
    special = {"bos_token": BOS, "eos_token": EOS}
    (arguments.folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")

    torch.manual_seed(arguments.seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32,
        num_key_value_heads=4, max_position_embeddings=2048,
        bos_token_id=tokenizer.token_to_id(BOS), eos_token_id=tokenizer.token_to_id(EOS))
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(arguments.folder, max_shard_size="5GB")
    print(f"{sum(path.stat().st_size for path in arguments.folder.iterdir()) / 1e9:.2f} GB in {arguments.folder}")


if __name__ == "__main__":
    main()
