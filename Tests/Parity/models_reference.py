"""What transformers answers for a checkpoint: each prompt alone, no padding."""

from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.models.qwen3_5 import modeling_qwen3_5
from transformers.models.qwen3_5_moe import modeling_qwen3_5_moe


# The delta rule token by token: what is computed in chunks differs from it by roundings that grow.
for delta in (modeling_qwen3_5, modeling_qwen3_5_moe):
    delta.torch_chunk_gated_delta_rule = delta.torch_recurrent_gated_delta_rule


def model_class(config):
    """What loads a model that continues texts, whole where that is one of several that it is made of."""
    known = type(config) in AutoModelForCausalLM._model_mapping and not hasattr(config, "text_config")
    return AutoModelForCausalLM if known else AutoModelForImageTextToText


@dataclass
class Answer:
    tokens: list[int]
    logprobs: list[float]
    logits: torch.Tensor  # [steps, vocabulary], f32


class Reference:
    """A loaded checkpoint. `dtype` is "auto" for the checkpoint's own, or torch.float32 for the exact comparison."""

    def __init__(self, folder: Path, dtype="auto", attention: str = "eager"):
        self.model = model_class(AutoConfig.from_pretrained(folder)).from_pretrained(
            folder, dtype=dtype, attn_implementation=attention, experts_implementation="eager").eval()

    @property
    def recomputed_at(self) -> int | None:
        """The length at which Phi-3 begins anew."""
        config = self.model.config
        longrope = config.model_type == "phi3" and config.rope_parameters["rope_type"] == "longrope"
        return config.original_max_position_embeddings + 1 if longrope else None

    def forget(self) -> None:
        """Dynamic scaling keeps the longest length seen in the module, and longrope its last factors; a prompt alone
        starts without that memory."""
        for module in list(self.model.modules()):
            rotary = getattr(module, "rotary_emb", None)
            if hasattr(rotary, "config"):
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
            if len(prompt) + position == self.recomputed_at:
                cache, feed = None, prompt + tokens[:position]
            output = self.model(torch.tensor([feed]), cache=cache, use_cache=True)
            cache = output.cache
            rows.append(output.logits[0, -1].float())
            feed = [tokens[position]]
        return torch.stack(rows)


def chosen(logits: torch.Tensor, tokens: list[int]) -> list[float]:
    logprobs = logits.double().log_softmax(-1)
    return [logprobs[step, token].item() for step, token in enumerate(tokens)]
