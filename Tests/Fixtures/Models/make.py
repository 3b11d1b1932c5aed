"""Writes the tiny checkpoints of this folder and what transformers answers for them (`make fixtures`).

    python Tests/Fixtures/Models/make.py [NAME ...]    all of them, or those named
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1] / "Parity"))

from models_checkpoints import Options, write_checkpoint  # noqa: E402
from models_reference import Reference  # noqa: E402

SMALL = dict(hidden_size=24, intermediate_size=22, vocab_size=101)
TINY = dict(hidden_size=24, intermediate_size=22, vocab_size=61)
CHECKPOINTS = {
    "mha": Options(1, **SMALL, rope_spelling="rope_type", eos=[7]),
    "gqa-tied": Options(2, hidden_size=32, intermediate_size=33, vocab_size=131, num_key_value_heads=2, tied=True),
    "mqa-biases-sharded": Options(3, **SMALL, num_key_value_heads=1, head_dim=10, attention_bias=True, mlp_bias=True,
                                  shard_bytes=16_000, eos=[3, 50, 99], generation_config=False),
    "linear": Options(4, **SMALL, rope_kind="linear", rope={"factor": 2.5}, rope_spelling="type"),
    "dynamic": Options(5, **SMALL, num_key_value_heads=2, head_dim=8, rope_kind="dynamic", rope={"factor": 2.0},
                       rope_spelling="type", max_position_embeddings=20),
    "llama3": Options(6, **SMALL, num_key_value_heads=2, head_dim=16, rope_kind="llama3", rope_theta=500_000.0,
                      rope={"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                            "original_max_position_embeddings": 16}),
    "yarn": Options(7, **SMALL, head_dim=16, num_key_value_heads=2, rope_kind="yarn", rope_spelling="rope_type",
                    rope={"factor": 4.0, "original_max_position_embeddings": 16}, max_position_embeddings=64),
    "gelu": Options(8, **SMALL, hidden_act="gelu_pytorch_tanh", rms_norm_eps=1e-3, tied=True),
    "bf16": Options(9, hidden_size=48, intermediate_size=51, vocab_size=157, num_key_value_heads=2, dtype="bf16"),
    "f16": Options(10, hidden_size=48, intermediate_size=37, vocab_size=143, num_key_value_heads=2, dtype="f16",
                   attention_bias=True, rope_spelling="type"),
    # The prompts lie below and beyond the original length, and three cross it as they go on.
    "longrope": Options(11, **TINY, num_key_value_heads=2, head_dim=8, rope_kind="longrope", original_outside=True,
                        rope={"short_factor": [1.0, 1.05, 1.1, 1.3], "long_factor": [1.0, 1.8, 3.5, 6.0],
                              "original_max_position_embeddings": 16}, max_position_embeddings=64),
    "proportional": Options(12, **TINY, num_key_value_heads=2, head_dim=8, rope_kind="proportional",
                            rope={"partial_rotary_factor": 0.5}),
    "own-head": Options(13, **TINY, tied=True, head="own", architectures="inner"),
    "head-only": Options(14, **TINY, tied=True, head="alone"),
    "bare": Options(15, **TINY, bare=True, architectures="null"),
    "window": Options(16, **TINY, num_key_value_heads=2, sliding_window=5),
}
LENGTHS = (1, 5, 12, 40)
STEPS = 32
MARGIN = 1e-3


def expected(folder: Path, options: Options) -> dict | None:
    """The answers, or None where the two best logits come so close that rounding could choose between them."""
    generator = torch.Generator().manual_seed(options.seed)
    exact, own = Reference(folder, torch.float32), Reference(folder)
    cases = []
    for length in LENGTHS:
        prompt = torch.randint(options.vocab_size, (length,), generator=generator).tolist()
        answer = exact.generate(prompt, STEPS)
        best = answer.logits.topk(2).values
        low = own.follow(prompt, answer.tokens)
        error = (low.log_softmax(-1) - answer.logits.log_softmax(-1)).abs().max().item()
        margins = best[:, 0] - best[:, 1]
        if margins.min() < MARGIN:
            return None
        case = {"prompt_token_ids": prompt, "token_ids": answer.tokens,
                "finish_reason": "stop" if answer.tokens[-1] in options.eos else "length",
                "logprobs": answer.logprobs, "margins": margins.tolist(), "logprob_error_of_transformers": error}
        if not cases:
            case["last_logits"] = answer.logits[0].tolist()
        cases.append(case)
    # Numbers are those of the stored weights computed in f32. In bf16 and f16 transformers is off by the error given,
    # and a token may go another way where the margin between the two best logits is of that size.
    return {"dtype": options.dtype, "eos_token_ids": options.eos, "cases": cases}


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    names = sys.argv[1:] or list(CHECKPOINTS)
    if unknown := set(names) - set(CHECKPOINTS):
        sys.exit(f"{', '.join(sorted(unknown))}: not among {', '.join(CHECKPOINTS)}")
    for name in names:
        folder, options = HERE / name, CHECKPOINTS[name]
        while True:
            shutil.rmtree(folder, ignore_errors=True)
            write_checkpoint(folder, options)
            if answers := expected(folder, options):
                break
            options.seed += 100
        (folder / "expected.json").write_text(json.dumps(answers) + "\n")
        size = sum(path.stat().st_size for path in folder.glob("model*"))
        stops = [case["finish_reason"] for case in answers["cases"]]
        print(f"{name}: seed {options.seed}, {size} bytes of weights, {stops}", flush=True)


if __name__ == "__main__":
    main()
