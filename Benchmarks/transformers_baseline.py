"""The usual batched script for transformers: left padding to a multiple of 8, greedy, a fixed number of new tokens.

    python Benchmarks/transformers_baseline.py FOLDER --batch-size 16 --prompts 16 --new-tokens 64 --threads 2

Prints one JSON line. `decode_tokens_per_second` counts real new tokens after the first of each prompt, over the time from
the first to the last one; `tokens_per_second` counts all new tokens over the whole call, prompt included.
"""

import argparse
import json
import time
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

WORDS = "the quick brown fox jumps over a lazy dog while seven old sailors watch the sea and count white birds".split()


class Clock:
    """Notes the time of each step; a logits processor is called once a step, after the forward pass."""

    def __init__(self):
        self.times = []

    def __call__(self, input_ids, scores):
        self.times.append(time.perf_counter())
        return scores


def read_prompts(source: str, count: int) -> list[str]:
    if source:
        lines = Path(source).read_text().splitlines()
        prompts = [json.loads(line)["prompt"] for line in lines] if source.endswith(".jsonl") else lines
        return prompts[:count] if count else prompts
    # Lengths differ a little, as people's prompts do.
    return [" ".join(WORDS[(index + word) % len(WORDS)] for word in range(10 + index % 7)) for index in range(count or 16)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--prompts", type=int, default=0, help="how many (16 of its own, or all of the file)")
    parser.add_argument("--prompts-file", default="", help="a prompt a line, or JSON lines with \"prompt\"")
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float16", "float32"])
    parser.add_argument("--warm-up", type=int, default=2, help="new tokens of an untimed first call")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()

    tokenizer = AutoTokenizer.from_pretrained(arguments.model, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=getattr(torch, arguments.dtype)).eval()
    prompts = read_prompts(arguments.prompts_file, arguments.prompts)
    batches = [prompts[start:start + arguments.batch_size] for start in range(0, len(prompts), arguments.batch_size)]

    def run(batch: list[str], count: int, clock: Clock) -> int:
        inputs = tokenizer(batch, padding=True, pad_to_multiple_of=8, return_tensors="pt")
        inputs.pop("token_type_ids", None)
        output = model.generate(**inputs, min_new_tokens=count, max_new_tokens=count, do_sample=False,
                                pad_token_id=tokenizer.pad_token_id, logits_processor=[clock])
        return (output.shape[1] - inputs["input_ids"].shape[1]) * len(batch)

    if arguments.warm_up:
        run(batches[0], arguments.warm_up, Clock())
    tokens, decoded, decode_seconds, start = 0, 0, 0.0, time.perf_counter()
    for batch in batches:
        clock = Clock()
        made = run(batch, arguments.new_tokens, clock)
        tokens += made
        decoded += made - len(batch)
        decode_seconds += clock.times[-1] - clock.times[0]
    elapsed = time.perf_counter() - start
    print(json.dumps({
        "engine": f"transformers {transformers.__version__}, torch {torch.__version__}", "dtype": arguments.dtype,
        "threads": arguments.threads, "batch_size": arguments.batch_size, "prompts": len(prompts), "tokens": tokens,
        "seconds": round(elapsed, 3), "tokens_per_second": round(tokens / elapsed, 2),
        "decode_tokens_per_second": round(decoded / decode_seconds, 2) if decode_seconds else None}))


if __name__ == "__main__":
    main()
