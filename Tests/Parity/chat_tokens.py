"""Conversations as tokens: `apus tokenize` against `apply_chat_template` of transformers, whose control tokens inside messages are
text too (`sanitize_control_tokens`).

    python Tests/Parity/chat_tokens.py DIRECTORY... [--count 300] [--seed S]

Each directory has a tokenizer and a chat template.
"""

import json
import random
import subprocess
import sys

from transformers import PreTrainedTokenizerFast

from apus_command import command, parsed, script
from tokenizers_strings import strings


def message(rng, role, controls):
    text = rng.choice(strings(rng, 30))[:200]
    for _ in range(rng.choice([0, 0, 1, 2])):
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(controls) + text[place:]
    return {"role": role, "content": text}


def conversation(rng, controls):
    messages = [message(rng, "system", controls)] if rng.random() < 0.4 else []
    for _ in range(rng.randrange(1, 4)):
        messages += [message(rng, "user", controls), message(rng, "assistant", controls)]
    if rng.random() < 0.7:
        messages.pop()
    return {"messages": messages, "add_generation_prompt": messages[-1]["role"] == "user"}


def main():
    parser = script(__doc__)
    parser.add_argument("directories", nargs="+")
    parser.add_argument("--count", type=int, default=300)
    arguments, seed = parsed(parser)
    rng, failed = random.Random(seed), 0
    apus = command(parser, arguments)
    for directory in arguments.directories:
        reference = PreTrainedTokenizerFast.from_pretrained(directory)
        controls = [token.content for token in reference.added_tokens_decoder.values()]
        lines = [conversation(rng, controls) for _ in range(arguments.count)]
        result = apus.run(["tokenize", "--model", directory, "--input", "-"],
                          text="".join(json.dumps(line) + "\n" for line in lines), statuses=(0, 1))
        answers = [json.loads(line) for line in result.stdout.split("\n") if line]
        wrong = 0
        for line, answer in zip(lines, answers, strict=True):
            options = {"add_generation_prompt": line["add_generation_prompt"]}
            text = reference.apply_chat_template(line["messages"], tokenize=False, **options)
            try:
                ids = reference.apply_chat_template(
                    line["messages"], sanitize_control_tokens=True, return_dict=False, **options)
            except ValueError:
                # Some vocabularies make a control token of plain text.
                wrong += "error" not in answer
                continue
            if answer.get("text") != text or answer.get("ids") != ids:
                wrong += 1
                if wrong < 4:
                    print(f"FAIL {json.dumps(line)}\n  {answer}\n  due {text!r} {ids}")
        failed += wrong
        print(f"{directory}: {len(lines)} conversations, {wrong} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
