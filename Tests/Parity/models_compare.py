"""Judges apus' answers against transformers'. The tolerances are derived in README.md beside this file."""

from dataclasses import dataclass, field

import torch

from models_checkpoints import Options
from models_reference import Reference, chosen

TIE = 1e-4  # f32: two logits this close may be ordered either way
LOGPROB = 1e-4  # f32: allowed difference of a log-probability
ROUNDOFF = {"bf16": 2.0**-8, "f16": 2.0**-11, "int8": 2.0**-8, "int4": 2.0**-8}
ROUNDINGS_PER_LAYER = 8
RMS_FACTOR, WORST_FACTOR = 1.5, 2.0


@dataclass
class Verdict:
    failures: list[str] = field(default_factory=list)
    prompts: int = 0
    tokens: int = 0
    ties: int = 0
    worst: float = 0.0  # f32: largest difference of a log-probability
    noisy: int = 0  # f32: models whose reference is itself far from what float64 gives
    ratio: float = 0.0  # bf16, f16: apus' error over the tolerance

    def add(self, other: "Verdict") -> None:
        self.failures += other.failures
        self.prompts += other.prompts
        self.tokens += other.tokens
        self.ties += other.ties
        self.noisy += other.noisy
        self.worst, self.ratio = max(self.worst, other.worst), max(self.ratio, other.ratio)


def shape_faults(options: Options, eos: set[int], prompt: list[int], index: int, record: dict, limit: int) -> list[str]:
    """What must hold for any record, whatever the numbers."""
    tokens, faults = record.get("token_ids"), []
    if not isinstance(tokens, list) or not tokens or not all(type(token) is int for token in tokens):
        return [f"token_ids is {str(tokens)[:60]}"]
    if record.get("index") != index:
        faults.append(f"index is {record.get('index')}, not {index}")
    if record.get("num_prompt_tokens") != len(prompt):
        faults.append(f"num_prompt_tokens is {record.get('num_prompt_tokens')}, not {len(prompt)}")
    if record.get("num_tokens") != len(tokens):
        faults.append(f"num_tokens is {record.get('num_tokens')}, not {len(tokens)}")
    if len(record.get("logprobs") or []) != len(tokens):
        faults.append(f"{len(record.get('logprobs') or [])} logprobs for {len(tokens)} tokens")
    if any(not 0 <= token < options.vocab_size for token in tokens):
        faults.append("a token outside the vocabulary")
    elif any(token in eos for token in tokens[:-1]):
        faults.append("went on after an end token")
    stopped = tokens[-1] in eos
    if record.get("finish_reason") != ("stop" if stopped else "length"):
        faults.append(f"finish_reason is {record.get('finish_reason')} after token {tokens[-1]}")
    if len(tokens) > limit or (len(tokens) < limit and not stopped):
        faults.append(f"{len(tokens)} tokens of {limit}")
    return faults


def compare(options: Options, folder, prompts: list[list[int]], records: list[dict], limit: int, attention: str,
            left_out: float = 0, allowed: float = LOGPROB) -> Verdict:
    verdict = Verdict(prompts=len(prompts))
    if len(records) != len(prompts):
        verdict.failures.append(f"{len(records)} results for {len(prompts)} prompts")
        return verdict
    sound = []
    for index, (prompt, record) in enumerate(zip(prompts, records)):
        faults = shape_faults(options, set(options.eos), prompt, index, record, limit)
        verdict.failures += [f"prompt {index} ({len(prompt)} tokens): {fault}" for fault in faults]
        if not faults:
            sound.append((index, prompt, record["token_ids"], record["logprobs"]))
            verdict.tokens += len(record["token_ids"])
    if options.dtype == "f32":
        compare_exact(Reference(folder, attention=attention), sound, limit, verdict, allowed)
    else:
        compare_rounded(options, Reference(folder, attention=attention), Reference(folder, torch.float32), sound, verdict,
                        left_out)
    return verdict


def compare_exact(reference: Reference, answers, limit: int, verdict: Verdict, allowed: float = LOGPROB) -> None:
    for index, prompt, tokens, logprobs in answers:
        answer = reference.generate(prompt, limit)
        expected = answer.logits.double().log_softmax(-1)
        where = f"prompt {index} ({len(prompt)} tokens)"
        for step, token in enumerate(answer.tokens):
            mine = tokens[step] if step < len(tokens) else None
            if mine != token:
                gap = (answer.logits[step].max() - answer.logits[step, mine]).item() if mine is not None else float("inf")
                if not gap <= TIE:
                    verdict.failures.append(f"{where}: token {step} is {mine}, transformers has {token}, "
                                            f"whose logit is {gap:.3g} larger")
                    break
                verdict.ties += 1
            difference = abs(logprobs[step] - expected[step, mine].item())
            verdict.worst = max(verdict.worst, difference)
            if not difference <= allowed:
                verdict.failures.append(f"{where}: logprob of token {step} is {logprobs[step]:.6f}, transformers has "
                                        f"{expected[step, mine].item():.6f}")
                break
            if mine != token:
                break
        else:
            if len(tokens) > len(answer.tokens):
                verdict.failures.append(f"{where}: {len(tokens)} tokens, transformers has {len(answer.tokens)}")


def floor(options: Options, exact: list[torch.Tensor]) -> float:
    """The error of a logit that rounding alone explains: see README.md."""
    spread = torch.cat(exact).std(-1).mean().item()
    return ROUNDOFF[options.dtype] * (1 + ROUNDINGS_PER_LAYER * options.num_hidden_layers) ** 0.5 / 3**0.5 * spread


def compare_rounded(
    options: Options, own: Reference, full: Reference, answers, verdict: Verdict, left_out: float = 0
) -> None:
    """`left_out` is the share of tokens that may be far off, since another expert was chosen by a last bit."""
    if not answers:
        return
    mine, theirs, exact_rows = [], [], []
    for _, prompt, tokens, logprobs in answers:
        exact, low = full.follow(prompt, tokens), own.follow(prompt, tokens)
        truth = torch.tensor(chosen(exact, tokens))
        mine.append(torch.tensor(logprobs) - truth)
        theirs.append(torch.tensor(chosen(low, tokens)) - truth)
        exact_rows.append(exact)
    kept = lambda rows: torch.cat(rows).abs().sort().values[: max(round(sum(map(len, rows)) * (1 - left_out)), 1)]
    rms = lambda rows: kept(rows).pow(2).mean().sqrt().item()
    largest = lambda rows: kept(rows).max().item()
    base = floor(options, exact_rows)
    allowed_rms = RMS_FACTOR * rms(theirs) + base
    allowed = WORST_FACTOR * largest(theirs) + 3 * base
    verdict.ratio = max(rms(mine) / allowed_rms, largest(mine) / allowed)
    if not rms(mine) <= allowed_rms:
        verdict.failures.append(f"logprobs are off by {rms(mine):.4f} rms, allowed {allowed_rms:.4f} "
                                f"(transformers in {options.dtype}: {rms(theirs):.4f})")
    for (index, prompt, tokens, _), errors, exact in zip(answers, mine, exact_rows) if not left_out else ():
        where = f"prompt {index} ({len(prompt)} tokens)"
        if not errors.abs().max().item() <= allowed:
            verdict.failures.append(f"{where}: a logprob is off by {errors.abs().max().item():.4f}, allowed {allowed:.4f}")
        # Two logits compete, each with its own error.
        gaps = exact.max(-1).values - exact[torch.arange(len(tokens)), torch.tensor(tokens)]
        if not gaps.max().item() <= 2 * allowed:
            step = int(gaps.argmax())
            verdict.failures.append(f"{where}: token {step} is {tokens[step]}, {gaps.max().item():.4f} below the best, "
                                    f"allowed {2 * allowed:.4f}")
