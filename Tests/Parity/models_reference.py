"""What transformers answers for a checkpoint: each prompt alone, no padding."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM


@dataclass
class Answer:
    tokens: list[int]
    logprobs: list[float]
    logits: torch.Tensor  # [steps, vocabulary], f32


class Reference:
    """A loaded checkpoint. `dtype` is "auto" for the checkpoint's own, or torch.float32 for the exact comparison."""

    def __init__(self, folder: Path, dtype="auto", attention: str = "eager"):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation=attention).eval()

    def forget(self) -> None:
        """Dynamic scaling keeps the longest length seen in the module, and longrope its last factors; a prompt alone
        starts without that memory."""
        for module in list(self.model.modules()):
            if rotary := getattr(module, "rotary_emb", None):
                module.rotary_emb = type(rotary)(config=rotary.config)

    @torch.no_grad()
    def generate(self, prompt: list[int], count: int) -> Answer:
        self.forget()
        ids = torch.tensor([prompt])
        output = self.model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, pad_token_id=0,
            output_logits=True, return_dict_in_generate=True)
        tokens = output.sequences[0, len(prompt):].tolist()
        logits = torch.stack([step[0].float() for step in output.logits])
        return Answer(tokens, chosen(logits, tokens), logits)

    @torch.no_grad()
    def follow(self, prompt: list[int], tokens: list[int]) -> torch.Tensor:
        """The logits [steps, vocabulary] on the way along given tokens, stepwise as generation does it."""
        self.forget()
        cache, rows, feed = None, [], prompt
        for position in range(len(tokens)):
            output = self.model(torch.tensor([feed]), cache=cache, use_cache=True)
            cache = output.cache
            rows.append(output.logits[0, -1].float())
            feed = [tokens[position]]
        return torch.stack(rows)


def chosen(logits: torch.Tensor, tokens: list[int]) -> list[float]:
    logprobs = logits.double().log_softmax(-1)
    return [logprobs[step, token].item() for step, token in enumerate(tokens)]
