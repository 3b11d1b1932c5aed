#!/bin/bash
# sbatch --array=0-99 slurm-array.sh MODEL PROMPTS PARTS
#
# A task that was preempted or lost its node runs again and goes on where it ended: exit 75 means try again, which is what
# requeueing is for. Missing shards are named by `apus merge PARTS --output out.jsonl`; submit those with --array=3,7-9.
#SBATCH --job-name=apus
#SBATCH --cpus-per-task=8
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=apus-%A_%a.log
set -u
MODEL=$1 PROMPTS=$2 PARTS=$3 SHARDS=${SHARDS:-100}

apus generate --model "$MODEL" --prompts "$PROMPTS" --output "$PARTS" --shard "auto/$SHARDS" \
    --threads "${SLURM_CPUS_PER_TASK:-1}"
code=$?
[ "$code" = 75 ] && [ -n "${SLURM_ARRAY_JOB_ID:-}" ] && command -v scontrol >/dev/null &&
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
# Results that are errors are no reason to run a shard again.
[ "$code" = 1 ] && exit 0
exit "$code"
