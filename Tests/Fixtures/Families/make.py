"""Writes families.json: for one small model of every family its configuration, how its weights are made, and what transformers
answers. The weights are no part of it: their elements follow from their names.

    python Tests/Fixtures/Families/make.py
"""

import json
import random
import sys
import tempfile
import zlib
from pathlib import Path

import numpy
import torch
import transformers
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "Parity"))

import families  # noqa: E402
from families_cases import FAMILIES, draw  # noqa: E402
from models_reference import Reference, chosen  # noqa: E402

TEXT, PROMPT, NEW = 40, 20, 12
# Whose files are written as no reference reads them.
LEFT_OUT = ("internlm2", "minicpm", "gpt_oss_packed", "gemma3", "gemma4", "mistral3", "qwen3_5", "qwen3_5_moe")


def elements(name: str, shape: list[int], base: float, spread: float) -> numpy.ndarray:
    """base + spread * u, u from -1 to 1: SplitMix64 from the name's FNV-1a on, its upper 24 bits."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed) + numpy.arange(1, int(numpy.prod(shape)) + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    u = (z >> numpy.uint64(40)).astype(numpy.float32) / numpy.float32(2**23) - numpy.float32(1)
    return (numpy.float32(base) + numpy.float32(spread) * u).reshape(shape)


@torch.no_grad()
def fixture(family: str) -> dict:
    case = draw(family, zlib.crc32(family.encode()), "f32")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "model"
        families.write(folder, case)
        (path,) = folder.glob("*.safetensors")
        tensors, described = {}, {}
        for key, tensor in sorted(load_file(path).items()):
            base = float(tensor.mean().round()) if tensor.dim() == 1 else 0.0
            spread = round(float((tensor - base).pow(2).mean().sqrt()) * 3**0.5, 3)
            described[key] = [base, spread, *tensor.shape]
            tensors[key] = torch.from_numpy(elements(key, list(tensor.shape), base, spread))
        save_file(tensors, path, {"format": "pt"})
        reference = Reference(folder, attention=case.attention)
        rng = random.Random(case.seed)
        text = [rng.randrange(case.vocab_size) for _ in range(TEXT)]
        rows = reference.model(torch.tensor([text[:-1]])).logits[0]
        answer = reference.generate(text[:PROMPT], NEW)
        return {
            "config": json.loads((folder / "config.json").read_text()), "switches": case.switches, "tensors": described,
            "text": text, "text_logprobs": [round(value, 6) for value in chosen(rows, text[1:])],
            "prompt": PROMPT, "tokens": answer.tokens, "logprobs": [round(value, 6) for value in answer.logprobs]}


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    lines = [f"{json.dumps(family)}: {json.dumps(fixture(family), separators=(',', ':'))}"
             for family in FAMILIES if family not in LEFT_OUT]
    (HERE / "families.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
