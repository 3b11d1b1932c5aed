"""transformers in a process of its own: takes the work of compare.py, prints one JSON line.

The usual batched script: left padding to a multiple of 8, greedy, every prompt to its full length, real tokens counted.
"""

import time

from work import Work, finish

work = Work.from_arguments()

import torch  # noqa: E402: a cold start counts the imports, and begins before them
import transformers  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

PADDING = 0  # any token: the attention mask hides it
torch.set_num_threads(work.threads)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = AutoModelForCausalLM.from_pretrained(work.model, dtype=torch.bfloat16).eval()


class Clock:
    """Notes the time of each step; a logits processor is called once a step, after the forward pass."""

    def __init__(self):
        self.times = []

    def __call__(self, input_ids, scores):
        self.times.append(time.monotonic())
        return scores


def generate(prompts: list[list[int]], count: int) -> tuple[int, list[float]]:
    """Makes `count` new tokens of each prompt. Returns how many came, and when the steps ended."""
    width = (max(map(len, prompts)) + 7) // 8 * 8
    ids = torch.tensor([[PADDING] * (width - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    clock = Clock()
    output = model.generate(input_ids=ids, attention_mask=mask, min_new_tokens=count, max_new_tokens=count,
                            do_sample=False, pad_token_id=PADDING, logits_processor=[clock])
    return (output.shape[1] - width) * len(prompts), clock.times


def batches(size: int) -> list[list[list[int]]]:
    """All prompts, or whole batches only if there is a bound on their number."""
    parts = [work.prompts[start:start + size] for start in range(0, len(work.prompts), size)]
    if not work.batches:
        return parts
    return [part for part in parts if len(part) == size][:work.batches] or parts[:1]


def batched(size: int) -> float:
    begin = time.monotonic()
    tokens = sum(generate(batch, work.new_tokens)[0] for batch in batches(size))
    return tokens / (time.monotonic() - begin)


def decode() -> float:
    times = generate([work.prompts[0]], work.decode_tokens)[1]
    return (len(times) - 1) / (times[-1] - times[0])


def prefill() -> float:
    begin = time.monotonic()
    return len(work.long_prompt) / (generate([work.long_prompt], 1)[1][0] - begin)


finish(work, f"transformers {transformers.__version__}, torch {torch.__version__}", generate, decode, prefill, batched)
