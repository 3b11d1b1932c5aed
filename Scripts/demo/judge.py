"""Reads the demo model's stories: held-out perplexity, and how many end, keep their subject and use real words."""

import argparse
import itertools
import math
import re
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from grammar import stories
from lexicon import ANIMALS, PEOPLE

ROOT = Path(__file__).parents[2]
PROMPTS = ["a dog", "A dog", "a cat", "a fox", "an owl", "the little rabbit", "Once there was", "Once upon a time", "The little",
           "The old king", "One day a mouse", "My", "In the", "Hello", "hello", "Hi there", "Tell me a story about a cat",
           "What is your name?", "The meaning of life is", "apple", "I want to go to school", "Two bears", "dog", "Zebra"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "Sources/Apus/Demo")
    parser.add_argument("--held-out", type=Path, default=ROOT / "Tests/Fixtures/Demo/heldout.txt")
    parser.add_argument("--samples", type=int, default=5, help="stories a prompt at temperature 0.8, after a greedy one")
    parser.add_argument("--stories", type=int, default=89, help="held-out stories to score")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    eos = model.generation_config.eos_token_id

    with torch.no_grad():
        loss = tokens = 0
        for story in arguments.held_out.read_text().splitlines()[:arguments.stories]:
            ids = torch.tensor([tokenizer(story).input_ids + [eos]])
            loss += model(ids, labels=ids).loss.item() * (ids.shape[1] - 1)
            tokens += ids.shape[1] - 1
    print(f"held-out: perplexity {math.exp(loss / tokens):.3f} over {tokens} tokens")

    known = set(re.findall(r"[a-z']+", " ".join(itertools.islice(stories(0), 20_000)).lower()))
    made = ended = real = words_made = about = animals = 0
    for prompt in PROMPTS:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        subject = re.search(r"\b(dog|cat|fox|owl|rabbit|king|mouse)\b", prompt)
        for sample in range(arguments.samples + 1):
            output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=256, pad_token_id=eos,
                                    **({"do_sample": True, "temperature": 0.8, "top_k": 0} if sample else {"do_sample": False}))
            text = tokenizer.decode(output[0], skip_special_tokens=True)
            words = re.findall(r"[a-z']+", text[len(prompt):].lower())
            made, ended = made + 1, ended + (output[0, -1].item() == eos)
            real, words_made = real + sum(word in known for word in words), words_made + len(words)
            if subject:
                animals += 1
                # By its noun or its name, three times at least.
                names = next(kind.names for kind in ANIMALS + PEOPLE if kind.noun == subject[0])
                about += sum(text.lower().count(word.lower()) for word in (subject[0], *names)) >= 3
            if sample < 2:
                print(f"{'0.8   ' if sample else 'greedy'} > {text}")
    print(f"{made} stories: {ended} end by themselves, {about} of {animals} stay with their animal, "
          f"{100 * real / words_made:.2f} % of {words_made} words are the grammar's")


if __name__ == "__main__":
    main()
