"""Trains the demo model: writes stories, trains a tokenizer on them, then a small Llama, and saves an HF checkpoint.

Deterministic for a seed, a number of steps and one torch build. See README.md beside this file.
"""

import argparse
import copy
import itertools
import json
import math
import random
import time
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from grammar import stories

BOS, EOS = "<|begin_of_text|>", "<|end_of_text|>"
LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                r"|\s*[\r\n]+|\s+(?!\S)|\s+")
README = """# The demo model

A Llama of 2 million parameters that tells short stories. The stories it was trained on, its tokenizer and the training
are all made by `Scripts/demo` of this project (`make demo`); nothing else was read. An ordinary Hugging Face checkpoint.
"""


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=[BOS, EOS], show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B",
                                      special_tokens=[(BOS, tokenizer.token_to_id(BOS))]),
    ])
    return tokenizer


def batches(tokenizer: Tokenizer, seed: int, batch_size: int, longest: int):
    """Batches of whole stories of like length, each from BOS to EOS; shuffled in pools so that lengths still mix."""
    rng, source = random.Random(seed), stories(seed)
    eos = tokenizer.token_to_id(EOS)
    while True:
        pool = [encoding.ids[:longest] + [eos] for encoding in
                tokenizer.encode_batch(list(itertools.islice(source, batch_size * 40)))]
        pool.sort(key=len)
        groups = [pool[start:start + batch_size] for start in range(0, len(pool), batch_size)]
        rng.shuffle(groups)
        for group in groups:
            width = max(map(len, group))
            ids = torch.full((len(group), width), eos)
            labels = torch.full((len(group), width), -100)
            for row, story in enumerate(group):
                ids[row, :len(story)] = torch.tensor(story)
                labels[row, 1:len(story)] = torch.tensor(story[1:])
            yield ids, labels


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, clean_up_tokenization_spaces=False,
                            model_max_length=model.config.max_position_embeddings).save_pretrained(folder)
    # The name that every release of transformers knows.
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps({"bos_token": BOS, "eos_token": EOS}, indent=2) + "\n")
    stored = copy.deepcopy(model).to(torch.bfloat16)
    stored.generation_config = GenerationConfig(max_new_tokens=256, bos_token_id=model.config.bos_token_id,
                                                eos_token_id=model.config.eos_token_id)
    stored.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "README.md").write_text(README)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[2] / "Sources/Apus/Demo")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpoint-every", type=int, default=300, help="steps between saved states and shown stories")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    tokenizer = train_tokenizer(list(itertools.islice(stories(arguments.seed), 20_000)), vocab_size=2048)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=192, intermediate_size=512, num_hidden_layers=4,
        num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=512, rope_theta=10_000.0,
        tie_word_embeddings=True, bos_token_id=tokenizer.token_to_id(BOS), eos_token_id=tokenizer.token_to_id(EOS),
        pad_token_id=None))
    print(f"{model.num_parameters() / 1e6:.2f} M parameters, {tokenizer.get_vocab_size()} tokens", flush=True)

    # Muon for the layers' matrices learns to copy names and pronouns in half the steps that AdamW takes.
    matrices = [weight for name, weight in model.named_parameters() if weight.dim() == 2 and "layers" in name]
    others = [weight for name, weight in model.named_parameters() if weight.dim() != 2 or "layers" not in name]
    optimizers = [torch.optim.Muon(matrices, lr=arguments.learning_rate, momentum=0.95, weight_decay=0.1,
                                   adjust_lr_fn="match_rms_adamw"),
                  torch.optim.AdamW(others, lr=arguments.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)]
    warmup = 50
    schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warmup) * (
        0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / arguments.steps))))) for optimizer in optimizers]
    start, seen, smooth = time.time(), 0, 0.0
    for step, (ids, labels) in enumerate(batches(tokenizer, arguments.seed, arguments.batch_size, 255)):
        if step == arguments.steps:
            break
        hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state
        # Only real positions reach the head: padding costs nothing there.
        kept = labels[:, 1:] != -100
        loss = torch.nn.functional.cross_entropy(model.lm_head(hidden[:, :-1][kept]), labels[:, 1:][kept])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules):
            optimizer.step()
            schedule.step()
        model.zero_grad(set_to_none=True)
        seen += int(kept.sum())
        smooth = loss.item() if step == 0 else 0.95 * smooth + 0.05 * loss.item()
        if step % 20 == 0:
            print(f"step {step} loss {smooth:.3f} tokens {seen} {seen / (time.time() - start):.0f} tokens/s", flush=True)
        if (step + 1) % arguments.checkpoint_every == 0:
            show(model, tokenizer)
            save(model, tokenizer, arguments.output)
    show(model, tokenizer)
    save(model, tokenizer, arguments.output)
    print(f"saved to {arguments.output} after {time.time() - start:.0f} s", flush=True)


@torch.no_grad()
def show(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    for prompt in ("a dog", "Once there was", "Hello"):
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        text = model.generate(ids, max_new_tokens=200, do_sample=False, pad_token_id=model.config.eos_token_id)
        print(">", tokenizer.decode(text[0].tolist()), flush=True)


if __name__ == "__main__":
    main()
