"""How a checkpoint's files are laid out and named: ways that published ones differ and transformers reads alike."""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

TABLE, HEAD, PREFIX = "model.embed_tokens.weight", "lm_head.weight", "model."
INDEX = "model.safetensors.index.json"
ARCHITECTURES = {"null": None, "empty": [], "inner": ["LlamaModel"], "other": ["GPT2LMHeadModel"]}
ORIGINAL = "original_max_position_embeddings"
# What `shards` may be besides "plain".
STALE, TWICE, FOLDERS = "index with tensors that no shard has", "a tensor in two shards", "shards in folders"


def lay_out(folder: Path, options) -> None:
    """Rewrites what `save_pretrained` wrote as the drawn layout has it."""
    if options.head != "usual" or options.bare or options.doubles:
        for path in sorted(folder.glob("*.safetensors")):
            change_tensors(path, options)
        index = folder / INDEX
        if index.exists():
            rename_index(index, options)
    if options.shards != "plain":
        change_shards(folder, options)
    if options.consolidated:
        # The weights again in their makers' own names, here none that are right.
        save_file({"tok_embeddings.weight": torch.zeros(3, 4)}, folder / "consolidated.00.safetensors")
        (folder / "params.json").write_text('{"dim": 4}\n')
    change_config(folder / "config.json", options)


def stored_name(name: str, options) -> str:
    if name == TABLE and options.head == "alone":
        return HEAD
    return name.removeprefix(PREFIX) if options.bare else name


def change_tensors(path: Path, options) -> None:
    tensors = load_file(path)
    if options.head == "own" and TABLE in tensors:
        tensors[HEAD] = own_head(tensors[TABLE], options)
    if options.doubles:
        # Values between two floats, so that they must be rounded.
        tensors = {name: weight.double() * (1 + 1e-9) for name, weight in tensors.items()}
    tensors = {stored_name(name, options): weight.contiguous() for name, weight in tensors.items()}
    save_file(tensors, path, metadata={"format": "pt"})


def own_head(table: torch.Tensor, options) -> torch.Tensor:
    noise = torch.randn(table.shape, generator=torch.Generator().manual_seed(options.seed + 1))
    return (3.0 / table.shape[1] ** 0.5 * noise).to(table.dtype)


def rename_index(path: Path, options) -> None:
    index = json.loads(path.read_text())
    files = index["weight_map"]
    if options.head == "own":
        files[HEAD] = files[TABLE]
    index["weight_map"] = {stored_name(name, options): file for name, file in files.items()}
    path.write_text(json.dumps(index, indent=2) + "\n")


def change_shards(folder: Path, options) -> None:
    """Needs an index, so writes one where there is only one file."""
    path, whole = folder / INDEX, folder / "model.safetensors"
    if whole.exists():
        shard = "model-00001-of-00001.safetensors"
        whole.rename(folder / shard)
        index = {"metadata": {}, "weight_map": dict.fromkeys(load_file(folder / shard), shard)}
    else:
        index = json.loads(path.read_text())
    files = index["weight_map"]
    names = sorted(set(files.values()))
    if options.shards == STALE:
        files |= {"model.layers.99.self_attn.rotary_emb.inv_freq": names[0], "score.weight": names[-1]}
    elif options.shards == TWICE:
        tensors = {name: weight for shard in names for name, weight in load_file(folder / shard).items()}
        again = sorted(tensors)[options.seed % len(tensors)]
        other = next((shard for shard in names if shard != files[again]), "model-extra.safetensors")
        kept = load_file(folder / other) if (folder / other).exists() else {}
        if not kept:  # one shard: move something beside the copy, so that the index names the new file
            moved = next(name for name in sorted(tensors) if name != again)
            first = load_file(folder / names[0])
            kept[moved] = first.pop(moved)
            files[moved] = other
            save_file(first, folder / names[0], metadata={"format": "pt"})
        save_file(kept | {again: tensors[again]}, folder / other, metadata={"format": "pt"})
    elif options.shards == FOLDERS:
        for number, shard in enumerate(names):
            (folder / f"part{number}").mkdir()
            shutil.move(folder / shard, folder / f"part{number}" / shard)
        index["weight_map"] = {name: f"part{names.index(shard)}/{shard}" for name, shard in files.items()}
    path.write_text(json.dumps(index, indent=2) + "\n")


def change_config(path: Path, options) -> None:
    config = json.loads(path.read_text())
    if options.architectures == "absent":
        config.pop("architectures", None)
    elif options.architectures in ARCHITECTURES:
        config["architectures"] = ARCHITECTURES[options.architectures]
    if options.dtype_name:
        config["torch_dtype" if "torch_dtype" in config else "dtype"] = options.dtype_name
    if options.original_outside:
        rope = config.get("rope_parameters") or config["rope_scaling"]
        config[ORIGINAL] = rope.pop(ORIGINAL)
    path.write_text(json.dumps(config, indent=2) + "\n")
