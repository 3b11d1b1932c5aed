"""Settings of generation, drawn at random: apus' tokens and log-probabilities against transformers' logits processors along its
own tokens, step by step. What transformers lacks (penalties on occurrence, biases by id, the random numbers) is written here.

    python Tests/Parity/settings.py [--count 200] [--seed S] [--models qwen3,lfm2] [--beams 1]
    python Tests/Parity/settings.py --only SEED
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers import GenerationConfig, LogitsProcessorList
from transformers.generation import logits_process as processors

from apus_command import command, parsed, script
from families import write
from families_cases import draw
from models_reference import Reference

# None whose logits are capped: those at the cap are equal, and equal ones have no order.
MODELS = ["qwen3", "gemma3_text", "gpt2", "phi3", "olmo2"]
NEW_TOKENS = 24
# A choice that changes when the logits do by so much is a tie.
NOISE, TRIES = 3e-5, 30
ALLOWED = 1e-4


def philox(key, counter):
    """Philox4x32-10 (Salmon et al., SC 2011)."""
    for number in range(10):
        if number:
            key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(second >> 32) ^ counter[1] ^ key[0], second & 0xFFFFFFFF,
                   (first >> 32) ^ counter[3] ^ key[1], first & 0xFFFFFFFF]
    return counter


def uniform(seed, prompt, sequence, step):
    words = philox([seed & 0xFFFFFFFF, seed >> 32], [step, sequence, prompt & 0xFFFFFFFF, prompt >> 32])
    return ((words[0] << 32 | words[1]) >> 11) * 2.0**-53


class Biased:
    def __init__(self, biases):
        self.biases = biases

    def __call__(self, ids, scores):
        for token, bias in self.biases.items():
            scores[:, int(token)] += bias
        return scores


class Occurring:
    def __init__(self, presence, frequency, prompt_length):
        self.presence, self.frequency, self.start = presence, frequency, prompt_length

    def __call__(self, ids, scores):
        counts = torch.bincount(ids[0, self.start:], minlength=scores.shape[1])[: scores.shape[1]]
        return scores - self.presence * (counts > 0) - self.frequency * counts


def chain(settings, prompt_length):
    """In the order of `_get_logits_processor`."""
    get, found = settings.get, []
    if get("logit_bias"):
        found.append(Biased(settings["logit_bias"]))
    if get("repetition_penalty", 1) != 1:
        found.append(processors.RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"]))
    if get("presence_penalty") or get("frequency_penalty"):
        found.append(Occurring(get("presence_penalty", 0), get("frequency_penalty", 0), prompt_length))
    if get("no_repeat_ngram_size"):
        found.append(processors.NoRepeatNGramLogitsProcessor(settings["no_repeat_ngram_size"]))
    if get("bad_words_ids"):
        found.append(processors.NoBadWordsLogitsProcessor(settings["bad_words_ids"], torch.tensor(get("eos_token_id", [-1]))))
    if get("min_new_tokens") and get("eos_token_id"):
        found.append(processors.MinNewTokensLengthLogitsProcessor(
            prompt_length, settings["min_new_tokens"], torch.tensor(settings["eos_token_id"])))
    if get("do_sample"):
        if get("temperature", 1) != 1:
            found.append(processors.TemperatureLogitsWarper(settings["temperature"]))
        if get("top_k", 50):
            found.append(processors.TopKLogitsWarper(get("top_k", 50)))
        if get("top_p", 1) < 1:
            found.append(processors.TopPLogitsWarper(settings["top_p"]))
        if get("min_p") is not None:
            found.append(processors.MinPLogitsWarper(settings["min_p"]))
        if get("typical_p", 1) < 1:
            found.append(processors.TypicalLogitsWarper(settings["typical_p"]))
    return found


def choose(found, tokens, logits, number):
    ids, scores = torch.tensor([tokens]), logits.clone()[None]
    for processor in found:
        scores = processor(ids, scores)
    if number is None:
        return scores[0].argmax().item()
    sums = (scores[0].double() - scores[0].max().double()).exp().cumsum(0)
    return (sums > number * sums[-1]).nonzero()[0, 0].item()


def drawn(rng, vocabulary, searching):
    chance, settings = lambda share: rng.random() < share, {}
    token = lambda: rng.randrange(vocabulary)
    beams = chance(searching)
    if beams:
        settings["num_beams"] = rng.choice([2, 3, 4, 7])
        settings["num_return_sequences"] = rng.randrange(1, settings["num_beams"] + 1)
        if chance(0.6):
            settings["length_penalty"] = rng.choice([-1.0, 0.0, 0.5, 2.0])
        if chance(0.6):
            settings["early_stopping"] = rng.choice([True, False, "never"])
    elif chance(0.5):
        settings |= {"do_sample": True, "seed": rng.randrange(1 << 40)}
        if chance(0.7):
            settings["temperature"] = rng.choice([0.5, 0.8, 1.5, 3.0])
        if chance(0.6):
            settings["top_k"] = rng.choice([0, 2, 20, 400])
        if chance(0.4):
            settings["top_p"] = rng.choice([0.3, 0.8, 0.95])
        if chance(0.3):
            settings["min_p"] = rng.choice([0.01, 0.1])
        if chance(0.5):
            settings["typical_p"] = rng.choice([0.2, 0.6, 0.95])
        if chance(0.5):
            settings["num_return_sequences"] = rng.choice([2, 3, 5])
    # transformers has processors of one's own behind its own; only this one would notice.
    own = chance(0.5)
    if not own and chance(0.6):
        settings["repetition_penalty"] = rng.choice([0.8, 1.2, 2.0])
    if own and chance(0.6):
        settings["presence_penalty"] = rng.choice([-0.5, 0.7, 2.0])
    if own and chance(0.6):
        settings["frequency_penalty"] = rng.choice([-0.3, 0.5, 1.5])
    if chance(0.4):
        settings["no_repeat_ngram_size"] = rng.choice([1, 2, 3])
    if chance(0.4):
        settings["bad_words_ids"] = [[token() for _ in range(rng.choice([1, 1, 2, 3]))] for _ in range(rng.randrange(1, 40))]
    if own and chance(0.6):
        settings["logit_bias"] = {str(token()): rng.choice([-100.0, -1.5, 2.0, 5.0]) for _ in range(rng.randrange(1, 12))}
    if chance(0.3):
        settings["eos_token_id"] = [token() for _ in range(rng.randrange(1, 30))]
        if chance(0.6):
            settings["min_new_tokens"] = rng.randrange(1, 12)
    if chance(0.3):
        settings["prompt_logprobs"] = True
    if chance(0.6):
        settings["logprobs"] = True
    if chance(0.5):
        settings["top_logprobs"] = rng.choice([1, 3, 20])
    return settings


def check_sequence(reference, prompt, index, number, settings, sequence, failures):
    tokens, ties = sequence["token_ids"], 0
    logits, found = reference.follow(prompt, tokens), chain(settings, len(prompt))
    true = logits.double().log_softmax(-1)
    for step, token in enumerate(tokens):
        so_far = prompt + tokens[:step]
        own = uniform(settings["seed"], index, number, step) if settings.get("do_sample") else None
        if choose(found, so_far, logits[step], own) != token:
            again = (choose(found, so_far, logits[step] + NOISE * torch.randn(logits[step].shape), own) for _ in range(TRIES))
            # Where two tokens are as near to the entropy, what is nearer is for the digits of float64 to say.
            exact = choose(found, so_far, logits[step].double(), own)
            if token != exact and token not in again:
                failures.append(f"prompt {index}, sequence {number}, step {step}: {token}, due {choose(found, so_far, logits[step], own)}")
                return ties
            ties += 1
        if settings.get("logprobs") and abs(sequence["logprobs"][step] - true[step, token].item()) > ALLOWED:
            failures.append(f"prompt {index}, step {step}: log-probability {sequence['logprobs'][step]}")
            return ties
        if settings.get("top_logprobs"):
            best = true[step].topk(settings["top_logprobs"]).values.tolist()
            for (one, value), due in zip(sequence["top_logprobs"][step], best, strict=True):
                if abs(value - due) > ALLOWED or abs(true[step, one].item() - value) > ALLOWED:
                    failures.append(f"prompt {index}, step {step}: of the best, {one} has {value}, due {due}")
                    return ties
    ends = settings.get("eos_token_id", [])
    if len(tokens) != NEW_TOKENS and tokens[-1] not in ends or any(token in ends for token in tokens[:-1]):
        failures.append(f"prompt {index}: ends after {len(tokens)} tokens")
    return ties


@torch.no_grad()
def check_prompt(reference, prompt, index, found, failures):
    reference.forget()
    true = reference.model(torch.tensor([prompt])).logits[0].double().log_softmax(-1)
    due = [true[place, token].item() for place, token in enumerate(prompt[1:])]
    if found[0] is not None or len(found) != len(prompt) or any(abs(x - y) > ALLOWED for x, y in zip(found[1:], due)):
        failures.append(f"prompt {index}: its log-probabilities {found}, due {due}")


class Noise:
    def __call__(self, ids, scores):
        return scores + NOISE * torch.randn(scores.shape)


@torch.no_grad()
def searched(reference, prompt, settings, *more):
    """What transformers' own beam search finds: [(tokens, score)]."""
    known = ("num_beams", "num_return_sequences", "length_penalty", "early_stopping", "repetition_penalty",
             "no_repeat_ngram_size", "bad_words_ids", "eos_token_id", "min_new_tokens")
    ends = settings.get("eos_token_id", [])
    config = GenerationConfig(
        max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0, output_scores=True, return_dict_in_generate=True,
        **{key: settings[key] for key in known if key in settings})
    reference.forget()
    ids, own = torch.tensor([prompt]), [*more]
    if settings.get("logit_bias"):
        own.append(Biased(settings["logit_bias"]))
    if settings.get("presence_penalty") or settings.get("frequency_penalty"):
        each = Occurring(settings.get("presence_penalty", 0), settings.get("frequency_penalty", 0), len(prompt))
        own.append(lambda ids, scores: torch.cat([each(ids[row:row + 1], scores[row:row + 1]) for row in range(len(ids))]))
    output = reference.model.generate(
        ids, attention_mask=torch.ones_like(ids), generation_config=config, logits_processor=LogitsProcessorList(own))
    found = []
    for sequence, score in zip(output.sequences[:, len(prompt):].tolist(), output.sequences_scores.tolist()):
        end = next((place + 1 for place, token in enumerate(sequence) if token in ends), len(sequence))
        found.append((sequence[:end], score))
    return found


def check_beams(reference, prompt, index, settings, sequences, failures):
    mine = [sequence["token_ids"] for sequence in sequences]
    due = searched(reference, prompt, settings)
    scores = [sequence["score"] for sequence in sequences]
    if mine != [tokens for tokens, _ in due]:
        if sorted(mine) == sorted(tokens for tokens, _ in due) and all(
                abs(one - score) < NOISE * max(1, abs(score)) for one, (_, score) in zip(scores, due)):
            return 1
        # Sums of large penalised scores are coarse in float32, so that whole sets of candidates are equal: then the result
        # changes with any noise, seldom into the very same. It must at least be no worse than what noise makes of it.
        again = [searched(reference, prompt, settings, Noise()) for _ in range(TRIES)]
        changes = any([tokens for tokens, _ in found] != [tokens for tokens, _ in due] for found in again)
        worst = min(found[0][1] for found in [due, *again])
        if not changes or scores[0] < worst - ALLOWED * max(1, abs(worst)):
            failures.append(f"prompt {index}: beams {mine}, due {due}")
        return 1
    for sequence, (_, score) in zip(sequences, due):
        if abs(sequence["score"] - score) > ALLOWED * max(1, abs(score)):
            failures.append(f"prompt {index}: score {sequence['score']}, due {score}")
    for sequence in sequences:
        if settings.get("logprobs"):
            true = reference.follow(prompt, sequence["token_ids"]).double().log_softmax(-1)
            for step, token in enumerate(sequence["token_ids"]):
                if abs(sequence["logprobs"][step] - true[step, token].item()) > ALLOWED:
                    failures.append(f"prompt {index}, step {step}: log-probability {sequence['logprobs'][step]}")
                    return 0
    return 0


@torch.no_grad()
def calm(rng, folder, models):
    """A model that does not magnify roundings: transformers differs from itself in float64 by a third of a tie's noise."""
    while True:
        case = draw(rng.choice(models), rng.randrange(1 << 31), "f32")
        write(folder, case)
        prompt = torch.tensor([[rng.randrange(case.vocab_size) for _ in range(48)]])
        plain, exact = (Reference(folder, dtype, case.attention).model(prompt).logits.double()
                        for dtype in (torch.float32, torch.float64))
        if (plain - exact).abs().max() < NOISE / 3:
            return case


def check(apus, seed, models, searching):
    rng, failures, ties, tokens = random.Random(seed), [], 0, 0
    torch.manual_seed(seed)
    with tempfile.TemporaryDirectory(prefix="apus-settings-") as name:
        folder = Path(name)
        case = calm(rng, folder, models)
        prompts = [[rng.randrange(case.vocab_size) for _ in range(rng.choice([3, 17, 33]))] for _ in range(3)]
        chosen = [drawn(rng, case.vocab_size, searching) for _ in prompts]
        lines = [{"prompt_token_ids": prompt, **settings} for prompt, settings in zip(prompts, chosen)]
        records = apus.generate(
            folder, lines, "--max-new-tokens", NEW_TOKENS, "--batch-size", rng.choice([1, 2, 16]), "--threads",
            rng.choice([1, 2]), *(["-n", "2"] if rng.random() < 0.3 else []), isa=rng.choice(apus.sets))
        reference = Reference(folder, attention=case.attention)
        for index, (prompt, settings, record) in enumerate(zip(prompts, chosen, records)):
            if "error" in record:
                failures.append(record["error"])
                continue
            if settings.get("prompt_logprobs"):
                check_prompt(reference, prompt, index, record["prompt_logprobs"], failures)
            sequences = record.get("sequences", [record])
            if len(sequences) != settings.get("num_return_sequences", 1):
                failures.append(f"prompt {index}: {len(sequences)} sequences")
            if settings.get("num_beams"):
                tokens += sum(len(sequence["token_ids"]) for sequence in sequences)
                before = len(failures)
                ties += check_beams(reference, prompt, index, settings, sequences, failures)
                if len(failures) > before:
                    failures[-1] += f" with {settings}"
                continue
            for number, sequence in enumerate(sequences):
                tokens += len(sequence["token_ids"])
                before = len(failures)
                ties += check_sequence(reference, prompt, index, number, settings, sequence, failures)
                if len(failures) > before:
                    failures[-1] += f" with {settings}"
    return tokens, ties, failures


def main():
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--only", type=int)
    parser.add_argument("--models", type=lambda text: text.split(","), default=MODELS)
    parser.add_argument("--beams", type=float, default=0.35, help="the share of beam searches")
    arguments, seed = parsed(parser)
    apus, rng, start = command(parser, arguments), random.Random(seed), time.time()
    seeds = [arguments.only] if arguments.only is not None else [rng.randrange(1 << 31) for _ in range(arguments.count)]
    total, tied, failed = 0, 0, 0
    for own in seeds:
        tokens, ties, failures = check(apus, own, arguments.models, arguments.beams)
        total, tied = total + tokens, tied + ties
        if failures:
            failed += 1
            print(f"FAIL --only {own}: {failures[:3]}", flush=True)
    print(f"{len(seeds) - failed} of {len(seeds)} agree: {total} tokens, {tied} ties, {time.time() - start:.0f} s (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
