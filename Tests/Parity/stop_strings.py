"""Stop strings: apus against transformers' `generate(stop_strings=...)`, with tokenizers of three kinds.

    python Tests/Parity/stop_strings.py [--count 200] [--seed S]
    python Tests/Parity/stop_strings.py --only SEED:KIND     one model again with its sets, as named in a failure

A model is made that says a drawn sequence of tokens; stop strings are cut out of what that decodes to.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM
from transformers.generation.stopping_criteria import StopStringCriteria

from apus_command import Command, command, parsed, script
from models_text import WORDS
from stop_tokenizers import KINDS, SPECIAL, draw_tokenizer

SETS, WIDTH, LIMIT = 10, 128, 24
BEYOND = 3  # ids of the model that the tokenizer doesn't have
NEVER = ["zebra crossing", "🙃", "\u00ff", "�", "ж", "\x00", "<|none|>", "東", "  \t "]
LEAST_STOPPED = 0.3


@dataclass
class Outcome:
    failures: list[str] = field(default_factory=list)
    stopped: int = 0
    impossible: int = 0  # no token can end the strings


@dataclass
class Case:
    prompt: list[int]
    stops: list[str]
    limit: int


# The model.

@torch.no_grad()
def write_chain(folder: Path, sequence: list[int], vocabulary: int, eos: int | None) -> None:
    """A model that says sequence[i + 1] after sequence[i], whose tokens are distinct, and goes around at the end."""
    config = LlamaConfig(vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=8, num_hidden_layers=1,
                         num_attention_heads=2, max_position_embeddings=512, bos_token_id=None, eos_token_id=eos)
    model, generator = LlamaForCausalLM(config).float(), torch.Generator().manual_seed(sequence[0])
    table = torch.randn(vocabulary, WIDTH, generator=generator)
    table /= table.norm(dim=1, keepdim=True)
    head = 0.01 * torch.randn(vocabulary, WIDTH, generator=generator)
    for token, following in zip(sequence, sequence[1:] + sequence[:1]):
        head[following] += 6 * table[token]
    model.model.embed_tokens.weight.copy_(10 * table)
    model.lm_head.weight.copy_(head)
    for name, weight in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.zero_()
    model.generation_config = GenerationConfig(eos_token_id=eos)
    model.save_pretrained(folder)


def write_tokenizer(folder: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
    options = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(options))


def draw_sequence(tokenizer: Tokenizer, rng: random.Random) -> list[int]:
    """Distinct tokens: pieces of text, and of characters, special ones, any others."""
    ids = []
    while len(set(ids)) < 40:
        match rng.choices(["text", "special", "emoji", "any", "beyond"], [6, 2, 2, 3, 1])[0]:
            case "text":
                text = " ".join(rng.choices(WORDS, k=rng.randint(1, 5)))
                ids += tokenizer.encode(text, add_special_tokens=False).ids
            case "special":
                ids.append(tokenizer.token_to_id(rng.choice(SPECIAL[1:])))
            case "emoji":
                text = rng.choice(["🙂", "🎉", "\n", "ÿ", " ", "€5"])
                ids += tokenizer.encode(text, add_special_tokens=False).ids
            case "any":
                ids.append(rng.randrange(tokenizer.get_vocab_size()))
            case "beyond":
                ids.append(tokenizer.get_vocab_size() + rng.randrange(BEYOND))
    return list(dict.fromkeys(ids))


# The cases.

def draw_case(tokenizer, sequence: list[int], rng: random.Random) -> Case:
    start, limit = rng.randrange(len(sequence)), rng.randint(1, LIMIT)
    around = sequence[start:] + sequence[:start]
    known = rng.randint(1, 8)
    # What stands before the chain is anything.
    prompt = [rng.choice(sequence) for _ in range(rng.choice([0, 0, 2, 9]))] + around[:known]
    said = (around[known:] + around)[:limit]
    skips = rng.random() < 0.5
    text = tokenizer.decode(prompt + said, skip_special_tokens=skips)
    border = len(tokenizer.decode(prompt, skip_special_tokens=skips))
    stops = [draw_stop(tokenizer, text, border, said, rng) for _ in range(rng.choice([1, 1, 2, 4]))]
    return Case(prompt, [stop for stop in stops if stop] or ["."], limit)


def draw_stop(tokenizer, text: str, border: int, said: list[int], rng: random.Random) -> str:
    match rng.choices(["inside", "border", "special", "never", "spaces", "tokens"], [8, 4, 2, 2, 1, 3])[0]:
        case "inside" if text:
            start = rng.randrange(min(border, len(text) - 1), len(text))
            return text[start:start + rng.choice([1, 1, 2, 3, 5, 9, 20])]
        case "border" if text:
            start = max(0, border - rng.randint(1, 12))
            return text[start:border + rng.randint(0, 8)]
        case "special":
            name = rng.choice(SPECIAL)
            place = tokenizer.decode(said).find(name)
            whole = tokenizer.decode(said)
            if place >= 0 and rng.random() < 0.6:
                return whole[max(0, place - rng.randint(0, 4)):place + rng.randint(1, len(name) + 4)]
            return name
        case "spaces":
            return rng.choice([" ", "\n", "\n\n", "  ", "\t", " \n"])
        case "tokens":
            start = rng.randrange(len(said))
            return tokenizer.decode(said[start:start + rng.randint(1, 3)])
    return rng.choice(NEVER)


def judge(model, tokenizer, case: Case, record: dict, eos: int | None, outcome: Outcome) -> list[str]:
    try:
        criteria = StopStringCriteria(tokenizer, case.stops)
        options = {"stop_strings": case.stops, "tokenizer": tokenizer}
    except ValueError as error:
        if "unable to identify tokens" not in str(error):
            raise
        outcome.impossible += 1
        criteria, options = None, {}
    ids = torch.tensor([case.prompt])
    output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=case.limit, do_sample=False,
                            pad_token_id=0, **options)
    expected = output[0, len(case.prompt):].tolist()
    tokens, faults = record.get("token_ids"), []
    if tokens != expected:
        return [f"{len(tokens or [])} tokens {str(tokens)[-60:]} {record.get('error', '')}, transformers has "
                f"{len(expected)} {str(expected)[-60:]}"]
    ending = [] if criteria is None else [stop for stop in case.stops if ends_with(tokenizer, stop, output)]
    ended = bool(ending)
    outcome.stopped += ended
    counts = record["num_tokens"], len(record["logprobs"])
    if counts != (len(tokens), len(tokens)):
        faults.append(f"num_tokens and the count of logprobs are {counts} for {len(tokens)} tokens")
    reason = "stop_string" if ended else "stop" if tokens[-1] == eos else "length"
    if record["finish_reason"] != reason:
        faults.append(f"finish_reason is {record['finish_reason']}, not {reason}")
    before = tokenizer.decode(case.prompt, skip_special_tokens=True)
    whole = tokenizer.decode(case.prompt + tokens, skip_special_tokens=True)
    if whole.startswith(before):
        wanted = cut(tokenizer, case.prompt + tokens, ending)
        if before + record["text"] != wanted:
            faults.append(f"text is {record['text']!r}, not {wanted[len(before):]!r}")
    return faults


def ends_with(tokenizer, stop: str, ids: torch.Tensor) -> bool:
    try:
        return bool(StopStringCriteria(tokenizer, [stop])(ids, None)[0])
    except ValueError:
        return False


def cut(tokenizer, ids: list[int], ending: list[str]) -> str:
    """The text of all tokens up to the stop string that ends first, of those that ended the result."""
    shown = tokenizer.decode(ids, skip_special_tokens=True)
    ends = []
    for skips in (True, False):
        # The last token added what one more adds to the text before it; each stop string ends in there.
        whole, older = (tokenizer.decode(some, skip_special_tokens=skips) for some in (ids, ids[:-1]))
        known = len(os.path.commonprefix([whole, older]))
        for stop in ending:
            start = whole.find(stop, max(0, known - len(stop) + 1))
            rest = whole[start + len(stop):]
            if start >= 0 and shown.endswith(rest):
                ends.append(len(shown) - len(rest))
    return shown[:min(ends, default=len(shown))]


def check(apus: Command, seed: int, kind: str, count: int) -> Outcome:
    rng, outcome = random.Random(f"{seed} {kind}"), Outcome()
    made = draw_tokenizer(kind, rng)
    sequence = draw_sequence(made, rng)
    eos = made.token_to_id("</s>") if rng.random() < 0.3 else None
    with tempfile.TemporaryDirectory(prefix="apus-parity-") as name:
        folder = Path(name)
        write_chain(folder, sequence, made.get_vocab_size() + BEYOND, eos)
        write_tokenizer(folder, made)
        tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
        cases = [draw_case(tokenizer, sequence, rng) for _ in range(count)]
        key = rng.choice(["stop", "stop_strings"])
        requests = [{"prompt_token_ids": case.prompt, "max_new_tokens": case.limit, key: case.stops} for case in cases]
        settings = ["--logprobs", "--batch-size", rng.choice([1, 3, 16]), "-n", rng.choice([1, 1, 2])]
        try:
            records = apus.generate(folder, requests, *settings, isa=rng.choice(apus.sets), statuses=(0, 1))
            # The same from the command line, where all prompts share them.
            shared = [part for stop in cases[0].stops for part in ("--stop", stop)]
            if "\0" not in "".join(shared):
                asked = {name: value for name, value in requests[0].items() if name != key}
                again = apus.generate(folder, [asked], "--logprobs", *shared, statuses=(0, 1))[0]
                if again != records[0]:
                    outcome.failures.append(f"{cases[0].stops}: --stop gives {again}, {key!r} {records[0]}")
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            outcome.failures.append(str(error))
            return outcome
        for case, record in zip(cases, records, strict=True):
            for fault in judge(model, tokenizer, case, record, eos, outcome):
                outcome.failures.append(f"stop strings {case.stops} after {tokenizer.decode(case.prompt)!r} "
                                        f"{case.prompt}: {fault}")
        if outcome.failures:
            describe = json.loads(made.to_str())
            outcome.failures.append(f"decoder {json.dumps(describe['decoder'])[:300]}")
    return outcome


def main() -> int:
    parser = script(__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--only", metavar="SEED:KIND")
    arguments, seed = parsed(parser)
    rng = random.Random(seed)
    models = [(rng.randrange(1 << 31), KINDS[number % len(KINDS)]) for number in range(-(-arguments.count // SETS))]
    if arguments.only:
        own, _, kind = arguments.only.partition(":")
        models = [(int(own), kind)]
    print(f"seed {seed}, {len(models)} models with {SETS} sets each", flush=True)
    apus, failed, stopped, impossible, start = command(parser, arguments), 0, 0, 0, time.time()
    for own, kind in models:
        outcome = check(apus, own, kind, SETS)
        stopped, impossible = stopped + outcome.stopped, impossible + outcome.impossible
        if outcome.failures:
            failed += 1
            print(f"FAIL --only '{own}:{kind}'")
            for failure in outcome.failures[:8]:
                print(f"     {failure}", flush=True)
    total = len(models) * SETS
    print(f"{len(models) - failed} of {len(models)} models stop where transformers {transformers.__version__} does: "
          f"{total} sets of stop strings, {stopped} ended a result, {impossible} can't, {time.time() - start:.0f} s "
          f"(seed {seed})")
    if stopped < LEAST_STOPPED * total and not arguments.only:
        print("FAIL too few results were ended: this run says little")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
