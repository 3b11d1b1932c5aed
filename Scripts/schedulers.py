"""Runs the recipes of Examples/Schedulers: Slurm's with the environment of its array tasks, Ray's and Dask's for real.

Run: make schedulers   (or: python Scripts/schedulers.py)
Needs a release build and the demo model; ray and dask[distributed] are installed into a virtual environment of their own.
Each must give the bytes of one run. What the Kubernetes recipe says is read and its command run with the variable that an
indexed pod gets. Exits 1 if any does not.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECIPES = ROOT / "Examples" / "Schedulers"
RELEASE = ROOT / ".build" / "release"
DEMO = ROOT / "Sources" / "Apus" / "Demo"
VENV = pathlib.Path(os.environ.get("APUS_SCHEDULERS_VENV", ROOT / ".build-schedulers"))


def main():
    place = pathlib.Path(tempfile.mkdtemp(prefix="schedulers-"))
    prompts = place / "prompts.jsonl"
    with open(prompts, "w") as file:
        for index in range(60):
            file.write(json.dumps({"prompt": f"the dog number {index}", "max_new_tokens": 5 + index % 20}) + "\n")
    environment = {**os.environ, "PATH": f"{RELEASE}:{os.environ['PATH']}"}
    reference = place / "reference.jsonl"
    subprocess.run(["apus", "generate", "--model", DEMO, "--prompts", prompts, "--output", reference, "-q"],
                   env=environment, check=True)

    def slurm(parts, output):
        for task in range(6):
            array = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_COUNT": "6", "SLURM_ARRAY_TASK_MIN": "0",
                     "SLURM_ARRAY_TASK_MAX": "5", "SHARDS": "6", "SLURM_CPUS_PER_TASK": "1"}
            subprocess.run(["bash", RECIPES / "slurm-array.sh", DEMO, prompts, parts], env={**environment, **array},
                           check=True)
        subprocess.run(["apus", "merge", parts, "--output", output], env=environment, check=True)

    def kubernetes(parts, output):
        text = (RECIPES / "kubernetes-indexed-job.yaml").read_text()
        command = re.search(r"args:\n\s+- (.*\n.*)\n", text).group(1)
        count = int(re.search(r"auto/(\d+)", command).group(1))
        assert f"completions: {count}\n" in text
        command = command.replace("/work/model", str(DEMO)).replace("/work/prompts.jsonl", str(prompts))
        command = command.replace("/work/parts", str(parts)).replace("\n", " ").replace(f"/{count}", "/6")
        for index in range(6):
            subprocess.run(["sh", "-c", command], env={**environment, "JOB_COMPLETION_INDEX": str(index)}, check=True)
        subprocess.run(["apus", "merge", parts, "--output", output], env=environment, check=True)

    def python(script):
        def recipe(parts, output):
            subprocess.run([VENV / "bin" / "python", RECIPES / script, DEMO, prompts, parts, output], env=environment,
                           check=True)
        return recipe

    if not (VENV / "bin" / "ray").exists():
        venv.create(VENV, with_pip=True)
        subprocess.run([VENV / "bin" / "pip", "install", "--quiet", "ray", "dask[distributed]"], check=True)
    wrong = 0
    recipes = {"slurm": slurm, "kubernetes": kubernetes, "ray": python("ray_shards.py"), "dask": python("dask_shards.py")}
    for name, recipe in recipes.items():
        output = place / f"{name}.jsonl"
        try:
            recipe(place / f"parts-{name}", output)
            same = output.read_bytes() == reference.read_bytes()
        except (subprocess.CalledProcessError, OSError) as error:
            print(error)
            same = False
        print(f"{name}: {'the bytes of one run' if same else 'WRONG'}", flush=True)
        wrong += not same
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
