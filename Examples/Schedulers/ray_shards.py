"""python ray_shards.py MODEL PROMPTS PARTS OUTPUT: shards as tasks of Ray, which runs a task again if its node dies."""
import subprocess
import sys

import ray

MODEL, PROMPTS, PARTS, OUTPUT = sys.argv[1:5]
SHARDS = 16


@ray.remote(num_cpus=1, max_retries=5, retry_exceptions=True)
def shard(index):
    code = subprocess.call(["apus", "generate", "--model", MODEL, "--prompts", PROMPTS, "--output", PARTS,
                            "--shard", f"{index}/{SHARDS}", "--threads", "1", "--quiet"])
    if code == 75:
        raise RuntimeError("try again")
    return code


ray.init()
print("exit codes:", ray.get([shard.remote(index) for index in range(SHARDS)]))
sys.exit(subprocess.call(["apus", "merge", PARTS, "--output", OUTPUT]))
