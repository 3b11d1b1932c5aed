"""Writes what transformers' own logits processors make of given logits (`make fixtures`).

Each case: `logits` in, `input_ids` (prompt and what was generated so far), `prompt_length`, `eos_token_ids`, the
settings, and `expected`, where null is minus infinity. The order is that of `generate`: repetition penalty,
min_new_tokens, temperature, top-k, top-p, min-p.
"""

import json
from pathlib import Path

import torch
from transformers import (LogitsProcessorList, MinNewTokensLengthLogitsProcessor, MinPLogitsWarper,
                          RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

VOCABULARY = 23
TIED = [2.0, -1.0, 3.5, 2.0, 2.0, 0.0, -4.0, 3.5, 2.0, 1.0, -0.5, 2.0]
SETTINGS = [
    {},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.7},
    {"repetition_penalty": 1.0},
    {"min_new_tokens": 4},
    {"min_new_tokens": 2},
    {"temperature": 0.5},
    {"temperature": 1.7},
    {"top_k": 1},
    {"top_k": 5},
    {"top_k": 1000},
    {"top_p": 0.9},
    {"top_p": 0.5},
    {"top_p": 0.01},
    {"min_p": 0.05},
    {"min_p": 0.5},
    {"min_p": 1.0},
    {"temperature": 0.7, "top_k": 8},
    {"temperature": 0.7, "top_p": 0.8},
    {"top_k": 6, "top_p": 0.7},
    {"top_k": 9, "min_p": 0.2},
    {"repetition_penalty": 1.5, "temperature": 0.8, "top_k": 10, "top_p": 0.9, "min_p": 0.05},
    {"repetition_penalty": 1.2, "min_new_tokens": 5, "temperature": 1.3, "top_k": 12, "top_p": 0.95, "min_p": 0.01},
    {"min_new_tokens": 5, "top_k": 3},
]


def processors(settings: dict, prompt_length: int, eos: list[int]) -> LogitsProcessorList:
    chain = LogitsProcessorList()
    if settings.get("repetition_penalty", 1.0) != 1.0:
        chain.append(RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"]))
    if "min_new_tokens" in settings:
        chain.append(MinNewTokensLengthLogitsProcessor(prompt_length, settings["min_new_tokens"], eos))
    if "temperature" in settings:
        chain.append(TemperatureLogitsWarper(settings["temperature"]))
    if "top_k" in settings:
        chain.append(TopKLogitsWarper(settings["top_k"]))
    if "top_p" in settings:
        chain.append(TopPLogitsWarper(settings["top_p"]))
    if "min_p" in settings:
        chain.append(MinPLogitsWarper(settings["min_p"]))
    return chain


def nearest_boundary(settings: dict, chain: LogitsProcessorList, ids: torch.Tensor, logits: torch.Tensor) -> float:
    """How close a cumulative probability comes to the threshold: there, rounding would decide."""
    scores, nearest = logits, 1.0
    for processor in chain:
        if isinstance(processor, TopPLogitsWarper):
            sums = scores.double().sort().values.softmax(-1).cumsum(-1)
            nearest = min(nearest, (sums - (1 - settings["top_p"])).abs().min().item())
        if isinstance(processor, MinPLogitsWarper):
            ratios = scores.double().softmax(-1)
            # The best token itself sits on the threshold of min_p 1 exactly, by definition.
            distances = (ratios / ratios.max() - settings["min_p"]).abs()
            nearest = min(nearest, distances[ratios < ratios.max()].min().item())
        scores = processor(ids, scores)
    return nearest


def main() -> None:
    generator = torch.Generator().manual_seed(20)
    cases = []
    while len(cases) < 2 * len(SETTINGS):
        settings = SETTINGS[len(cases) // 2]
        prompt_length = len(cases) % 2 * 3 + 2
        ids = torch.randint(VOCABULARY, (1, prompt_length + 3), generator=generator)
        ids[0, -1] = ids[0, 0]  # an id that comes twice is penalised once
        eos = [[4], [0, 9, 22]][len(cases) % 2]
        logits = 3 * torch.randn(1, VOCABULARY, generator=generator)
        chain = processors(settings, prompt_length, eos)
        if nearest_boundary(settings, chain, ids, logits) > 1e-4:
            cases.append(case(settings, ids, prompt_length, eos, logits, chain))
    for settings in ({"top_k": 1}, {"top_k": 3}, {"top_k": 4}, {"top_k": 8}, {"min_p": 0.2}, {"repetition_penalty": 2.0}):
        ids, eos = torch.tensor([[1, 2, 2, 5]]), [6]
        cases.append(case(settings, ids, 2, eos, torch.tensor([TIED]), processors(settings, 2, eos)))
    (Path(__file__).parent / "expected.json").write_text(
        "{\"cases\": [\n" + ",\n".join(json.dumps(entry) for entry in cases) + "\n]}\n")
    print(f"{len(cases)} cases")


def case(settings: dict, ids: torch.Tensor, prompt_length: int, eos: list[int], logits: torch.Tensor,
         chain: LogitsProcessorList) -> dict:
    result = chain(ids, logits.clone())[0]
    return {"settings": settings, "input_ids": ids[0].tolist(), "prompt_length": prompt_length, "eos_token_ids": eos,
            "logits": logits[0].tolist(),
            "expected": [None if value == float("-inf") else value for value in result.tolist()]}


if __name__ == "__main__":
    main()
