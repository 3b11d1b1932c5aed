"""Writes splits.json: what Accelerate's split_between_processes gives each of P processes of n items.

Run: python make.py   (needs accelerate; written with 1.15.0)
Each entry is [n, P, padded, [items of process 0, items of process 1, ...]]. Accelerate fails on n = 0 with padding and
more than one process; there all shares are written as empty.
"""

import json
import pathlib

from accelerate import PartialState
from accelerate.utils import DistributedType


def split(items, processes, rank, padded):
    state = PartialState._shared_state
    state.update(num_processes=processes, process_index=rank, distributed_type=DistributedType.MULTI_CPU)
    with PartialState().split_between_processes(items, apply_padding=padded) as share:
        return list(share)


def main():
    PartialState(cpu=True)
    entries = []
    for n in range(41):
        for processes in range(1, 9):
            for padded in (False, True):
                if padded and n == 0:
                    shares = [[] for _ in range(processes)]
                else:
                    shares = [split(list(range(n)), processes, rank, padded) for rank in range(processes)]
                # A single process gets its items untouched, as the same object.
                entries.append([n, processes, padded, shares])
    text = "[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "\n]\n"
    (pathlib.Path(__file__).parent / "splits.json").write_text(text)


main()
