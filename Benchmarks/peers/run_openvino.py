"""OpenVINO GenAI in a process of its own: takes the work of compare.py, prints one JSON line.

Continuous batching on paged attention, in bfloat16 where the processor has it; what is left alone is as it ships.
"""

import time

from work import Work, finish

work = Work.from_arguments()

import numpy  # noqa: E402: a cold start counts the imports, and begins before them
import openvino  # noqa: E402
import openvino_genai as genai  # noqa: E402

scheduler = genai.SchedulerConfig()
scheduler.max_num_batched_tokens = 512
scheduler.max_num_seqs = work.in_flight
scheduler.enable_prefix_caching = False
# Gigabytes. A cache that grows is what a measurement of memory is about, and costs time elsewhere.
scheduler.cache_size = 0 if work.parts == ["memory"] else 2
properties = {"INFERENCE_NUM_THREADS": work.threads}
if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
    properties["INFERENCE_PRECISION_HINT"] = "bf16"
pipeline = genai.ContinuousBatchingPipeline(work.model, scheduler, "CPU", properties)


def configuration(count: int) -> genai.GenerationConfig:
    config = genai.GenerationConfig()
    config.max_new_tokens = config.min_new_tokens = count
    config.ignore_eos = True
    config.do_sample = False
    return config


def generate(prompts: list[list[int]], count: int) -> int:
    """Makes `count` new tokens of each prompt. Returns how many came."""
    inputs = [openvino.Tensor(numpy.array([prompt], dtype=numpy.int64)) for prompt in prompts]
    return sum(len(result.m_generation_ids[0])
               for result in pipeline.generate(inputs, [configuration(count)] * len(inputs)))


def seconds(prompts: list[list[int]], count: int) -> float:
    begin = time.monotonic()
    generate(prompts, count)
    return time.monotonic() - begin


def batched(size: int) -> float:
    begin = time.monotonic()
    return generate(work.prompts, work.new_tokens) / (time.monotonic() - begin)


def decode() -> float:
    """By what the engine says of itself: the time from the first token to the last."""
    inputs = [openvino.Tensor(numpy.array([work.prompts[0]], dtype=numpy.int64))]
    results = pipeline.generate(inputs, [configuration(work.decode_tokens)])
    return 1000 / results[0].perf_metrics.get_tpot().mean


def prefill() -> float:
    return len(work.long_prompt) / seconds([work.long_prompt], 1)


finish(work, f"OpenVINO GenAI {genai.__version__}", generate, decode, prefill, batched)
