"""python dask_shards.py MODEL PROMPTS PARTS OUTPUT: shards as tasks of Dask, which runs a task again if its worker dies."""
import subprocess
import sys

from dask.distributed import Client

MODEL, PROMPTS, PARTS, OUTPUT = sys.argv[1:5]
SHARDS = 16


def shard(index):
    code = subprocess.call(["apus", "generate", "--model", MODEL, "--prompts", PROMPTS, "--output", PARTS,
                            "--shard", f"{index}/{SHARDS}", "--threads", "1", "--quiet"])
    if code == 75:
        raise RuntimeError("try again")
    return code


if __name__ == "__main__":
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        print("exit codes:", client.gather(client.map(shard, range(SHARDS), pure=False, retries=5)))
    sys.exit(subprocess.call(["apus", "merge", PARTS, "--output", OUTPUT]))
