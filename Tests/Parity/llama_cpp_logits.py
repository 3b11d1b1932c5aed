"""The references of models that transformers does not know, against llama.cpp: the logits of drawn checkpoints in f32.

    Benchmarks/install_peers.sh DIR CHECKPOINT llama.cpp
    python Tests/Parity/llama_cpp_logits.py DIR/llama.cpp [--count 4] [--seed S]

families.py compares apus with a Llama, or a Granite, whose weights and settings get the names of such a model. Whether that
is the model, llama.cpp says here, from what is published: it converts and runs the checkpoint by code of its own. Needs
sentencepiece, diskcache and jinja2.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch

from families import prompts_of, write
from families_cases import FAMILIES, draw
from models_reference import Reference

NAMES = ["internlm2", "minicpm"]
# It adds up in another order; logits are of the size of 3.
ALLOWED = 5e-4


def write_vocabulary(folder: Path, size: int) -> None:
    """The converter asks for one; no token of it matters."""
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto()
    model.trainer_spec.model_type = 2
    for index in range(size):
        special = index < 3
        model.pieces.add(piece=["<unk>", "<s>", "</s>"][index] if special else f"t{index}", score=-index,
                         type=[2, 3, 3][index] if special else 1)
    (folder / "tokenizer.model").write_bytes(model.SerializeToString())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"bos_token_id": 1, "eos_token_id": 2}))


def convert(source: Path, folder: Path, target: Path) -> None:
    """By the converter of llama.cpp's source."""
    done = subprocess.run(
        [sys.executable, source / "convert_hf_to_gguf.py", folder, "--outtype", "f32", "--outfile", target],
        env=os.environ | {"PYTHONPATH": str(source / "gguf-py")}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-600:])


def logits_of(llama_cpp, path: Path, prompt: list[int]) -> torch.Tensor:
    model = llama_cpp.Llama(str(path), n_ctx=256, n_threads=1, logits_all=True, flash_attn=False, verbose=False,
                            type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32)
    model.eval(prompt)
    return torch.from_numpy(numpy.array(model.scores[: len(prompt)]))


@torch.no_grad()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    arguments = parser.parse_args()
    os.environ["LLAMA_CPP_LIB_PATH"] = str(arguments.place / "build/bin")
    sys.path.insert(0, str(arguments.place / "src"))
    import llama_cpp

    rng, failed = random.Random(arguments.seed), 0
    for family in NAMES * arguments.count:
        case = draw(family, rng.randrange(1 << 31), "f32")
        # What it does not know of InternLM2, since none that is published has it.
        while family == "internlm2" and {"bias", "tied"} & set(case.switches):
            case = draw(family, rng.randrange(1 << 31), "f32")
        with tempfile.TemporaryDirectory(prefix="apus-llama-cpp-") as name:
            folder, given = Path(name) / "model", Path(name) / "published"
            write(folder, case)
            FAMILIES[family].published(folder, given)
            write_vocabulary(given, case.vocab_size)
            path = given / "model.gguf"
            convert(arguments.place / "src/vendor/llama.cpp", given, path)
            worst = 0.0
            for prompt in prompts_of(case, rng):
                expected = Reference(folder).model(torch.tensor([prompt])).logits[0]
                worst = max(worst, (logits_of(llama_cpp, path, prompt) - expected).abs().max().item())
        failed += not worst <= ALLOWED
        print(f"{'ok  ' if worst <= ALLOWED else 'FAIL'} {family} {case.seed} {case.switches}: logits within {worst:.1e}",
              flush=True)
    print(f"seed {arguments.seed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
