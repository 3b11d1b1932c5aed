"""Plans of random models and budgets against Accelerate's `infer_auto_device_map`, and against all contiguous placements.

    .venv/bin/python Tests/Parity/device_maps.py [--models 500] [--seed 0]

Sizes are computed here once more, from the configuration alone, so that they are held to apus plan's to the byte; what
operations take beside their tensors is asked of it. A placement is contiguous if each device has neighbouring parts, in the
order of the devices: table, layers, norm with head.
"""

import itertools
import json
import logging
import random
import subprocess
import tempfile
import warnings

import torch
from accelerate import infer_auto_device_map, init_empty_weights
from transformers import LlamaConfig, LlamaForCausalLM

from apus_command import parsed, script

BATCH, CONTEXT, STEP = 2, 48, 512


# The command that is tried.
apus = ""


def plan(path, budgets, *more):
    memory = ",".join(f"{name}={size}" for name, size in budgets)
    command = [apus, "plan", path, "--batch-size", str(BATCH), "--context-length", str(CONTEXT), "--max-memory", memory]
    run = subprocess.run(command + ["--json", *more], capture_output=True, text=True)
    if run.returncode == 2:
        return None, run.stderr.strip()
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout), ""


def padded(value, unit):
    return (value + unit - 1) // unit * unit


class Sizes:
    """What each part takes, by the rules of docs/DEVICES.md."""

    def __init__(self, config, path):
        self.config, self.path = config, path
        h, i = config.hidden_size, config.intermediate_size
        heads, kv, dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim
        self.parts = config.num_hidden_layers + 2

        def matrix(outputs, inputs):
            return padded(outputs, 16) * padded(inputs, 32) * 2

        projections = [(heads * dim, h), (kv * dim, h), (kv * dim, h), (h, heads * dim), (i, h), (i, h), (h, i)]
        layer = sum(matrix(*p) for p in projections) + 2 * h * 4
        self.weights = [config.vocab_size * h * 2] + [layer] * config.num_hidden_layers
        self.weights.append(matrix(config.vocab_size, h) + h * 4)
        blocks = BATCH * padded(CONTEXT, 16) // 16
        self.kv = 2 * kv * padded(dim, 16) * 2 * blocks * 16
        tables = BATCH * padded(CONTEXT, 16) // 16
        staging = (5 + dim) * STEP * 4 + BATCH * 4 + 3 * tables * 4
        self.activations = STEP * 4 * (h + (2 * heads + 2 * kv) * dim + i) + staging + tables * 4
        self.workspace = {}

    def load(self, parts, lanes):
        """Weights, kv, activations, workspace of a device."""
        if not parts:
            return [0, 0, 0, 0]
        head = self.parts - 1
        layers = [p for p in parts if 0 < p < head]
        activations = self.activations
        if head in parts:
            activations += BATCH * 4 * (self.config.hidden_size + self.config.vocab_size + lanes)
        elif 0 in parts:
            activations += BATCH * 4 * lanes
        weights = sum(self.weights[p] for p in parts)
        if self.config.tie_word_embeddings and 0 in parts and head in parts:
            weights -= self.weights[0]
        return [weights, self.kv * len(layers), activations, self.workspace[(bool(layers), head in parts)]]

    def ask_workspace(self):
        """For a device with layers and without, with the head and without."""
        names = self.names()
        for cut in range(1, self.parts):
            for a, b in ((range(0, cut), range(cut, self.parts)),):
                table = {names[p]: "cuda:0" if p in a else "cuda:1" for p in range(self.parts)}
                found, _ = plan(self.path, [("cuda:0", 1 << 50), ("cuda:1", 1 << 50)], "--device-map", json.dumps(table))
                for row, parts in zip(found["devices"], (a, b)):
                    key = (any(0 < p < self.parts - 1 for p in parts), self.parts - 1 in parts)
                    self.workspace[key] = row["workspace"]
        found, _ = plan(self.path, [("cuda:0", 1 << 50)])
        self.workspace[(True, True)] = found["devices"][0]["workspace"]

    def names(self):
        layers = [f"model.layers.{i}" for i in range(self.config.num_hidden_layers)]
        return ["model.embed_tokens", *layers, "lm_head"]

    def cuts(self, devices):
        for ends in itertools.combinations_with_replacement(range(self.parts + 1), devices - 1):
            ends = [0, *ends, self.parts]
            yield [range(a, b) for a, b in zip(ends, ends[1:])]


def model(rng):
    kv = rng.choice([1, 2, 4])
    return LlamaConfig(
        hidden_size=32 * rng.randint(1, 12), intermediate_size=16 * rng.randint(2, 80), num_hidden_layers=rng.randint(1, 9),
        num_attention_heads=kv * rng.choice([1, 2, 4]), num_key_value_heads=kv, head_dim=16 * rng.randint(1, 4),
        vocab_size=16 * rng.randint(10, 1500), tie_word_embeddings=rng.random() < 0.4, dtype="bfloat16")


def accelerate_map(config, budgets, host):
    with init_empty_weights():
        empty = LlamaForCausalLM(config)
    empty.tie_weights()
    memory = {**dict(enumerate(budgets)), "cpu": host}
    return infer_auto_device_map(
        empty, max_memory=memory, no_split_module_classes=["LlamaDecoderLayer"], dtype=torch.bfloat16)


def main():
    global apus
    parser = script(__doc__)
    parser.add_argument("--models", type=int, default=500)
    arguments, seed = parsed(parser)
    apus = arguments.apus
    # It says of every device that this machine has none of those.
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    tally = dict(fits=0, refused=0, theirs=0, needless=0, tied=0, spilled=0)
    for number in range(arguments.models):
        rng = random.Random(seed * 1_000_003 + number)
        config = model(rng)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({**config.to_dict(), "torch_dtype": "bfloat16"}, file)
            file.flush()
            sizes = Sizes(config, file.name)
            sizes.ask_workspace()
            count = rng.randint(1, 4)
            whole = sum(sizes.load(range(sizes.parts), 1))
            # Of any device; norms have twice the bytes that Accelerate counts.
            outputs = BATCH * 4 * (config.hidden_size + config.vocab_size + count)
            norms = (2 * config.num_hidden_layers + 1) * config.hidden_size * 2
            fixed = sizes.activations + outputs + norms + max(sizes.workspace.values())
            budgets = [int(whole * rng.uniform(0.4, 1.8) / count + fixed * rng.random()) for _ in range(count)]
            named = [(f"cuda:{i}", b) for i, b in enumerate(budgets)]
            found, complaint = plan(file.name, named)

            def largest(cut, more=0):
                used = sum(1 for parts in cut if parts)
                return max(sum(sizes.load(parts, used)) / (b + more) for parts, b in zip(cut, budgets))

            # A plan is made with a lane for each device there is, a few bytes more than those it uses.
            best = min(largest(cut) for cut in sizes.cuts(count))
            slack = BATCH * 4 * count / min(budgets)
            where = f"model {number}: {config.to_dict()} {budgets}"
            if found is None:
                assert best > 1 - slack, f"{where}: a cut of {best} was not found: {complaint}"
                tally["refused"] += 1
            else:
                tally["fits"] += 1
                for row in found["devices"]:
                    parts = list(row["weights"] and [i + 1 for i in row["layers"]] or [])
                    names = found["device_map"]
                    if names["model.embed_tokens"] == row["device"]:
                        parts.append(0)
                    if names["lm_head"] == row["device"]:
                        parts.append(sizes.parts - 1)
                    used = len(set(names.values()))
                    expected = sizes.load(parts, used)
                    own = [row["weights"], row["kv"], row["activations"], row["workspace"]]
                    assert own == expected and row["total"] == sum(own), f"{where}: {row} is not {expected}"
                if best <= 1:
                    share = max(row["share"] for row in found["devices"])
                    assert share <= best + slack, f"{where}: share {share}, but {best} would do"
                else:
                    assert config.tie_word_embeddings, where
                    tally["tied"] += 1
            # Accelerate knows weights only: it gets what is left of each budget for those.
            left = [max(b - fixed - sizes.kv * config.num_hidden_layers, 1) for b in budgets]
            theirs = accelerate_map(config, left, 1 << 50)
            spills = any(device in ("cpu", "disk") for device in theirs.values())
            if not spills:
                assert found is not None, f"{where}: Accelerate finds {theirs}: {complaint}"
                tally["theirs"] += 1
            elif found is not None:
                tally["needless"] += 1
            # With a disk, no more is left out than Accelerate leaves out.
            if found is None:
                spilled, complaint = plan(file.name, [*named, ("disk", 1 << 50)])
                if spilled is not None:
                    names = sizes.names()
                    out = sum(
                        sizes.weights[p] for p in range(1, sizes.parts) if spilled["device_map"][names[p]] == "disk")

                    def is_out(name):
                        match = max((k for k in theirs if name == k or name.startswith(k + ".") or not k), key=len, default="")
                        return theirs.get(match) in ("cpu", "disk")

                    their_out = sum(sizes.weights[p] for p in range(1, sizes.parts) if is_out(names[p]))
                    # Rows of a matrix that is packed at its use take some room.
                    assert out <= their_out + sizes.weights[1], f"{where}: {out} bytes on disk, Accelerate {their_out}"
                    tally["spilled"] += 1
        if (number + 1) % 50 == 0:
            print(f"{number + 1} models: {tally}", flush=True)
    assert tally["fits"] >= arguments.models // 4, tally
    print(f"{arguments.models} models: {tally}")


if __name__ == "__main__":
    main()
