#!/usr/bin/env bash
# Installs the peers that compare.py runs beside Apus, and converts a checkpoint for each: their pins disagree, so each
# has a Python environment of its own. What is there already stays. About 12 GB and half an hour. Versions are those that
# were seen to work together, in November 2026 on Python 3.11.
#
#     Benchmarks/install_peers.sh DIR CHECKPOINT [llama.cpp] [openvino] [transformers]
#
# Needs: python3 with venv, a C++ compiler, and PyPI (torch from an index that has its +cpu builds; TORCH overrides it).
set -euo pipefail
if (($# < 2)); then
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 64
fi
mkdir -p "$1"
peers=$(cd "$1" && pwd)
checkpoint=$(cd "$2" && pwd)
name=$(basename "$checkpoint")
shift 2
(($#)) || set -- llama.cpp openvino transformers
torch=${TORCH:-torch==2.13.0+cpu}

environment() { # NAME: a Python environment, made once
    [[ -x $peers/$1/bin/python ]] || python3 -m venv "$peers/$1"
}

install_transformers() {
    environment transformers
    "$peers/transformers/bin/pip" install -q "$torch" transformers==5.24.0 accelerate==1.15.0
}

# The source of llama.cpp comes with its Python package. Built for this very processor: AMX and AVX-512 where it has them.
install_llama_cpp() {
    local place=$peers/llama.cpp label
    environment llama.cpp/venv
    if [[ ! -x $place/build/bin/llama-completion ]]; then
        "$place/venv/bin/pip" install -q scikit-build-core==1.1.2 cmake==4.4.5 ninja==1.13.2
        "$place/venv/bin/pip" download -q --no-deps --no-binary llama-cpp-python --no-build-isolation \
            -d "$place/sdist" llama-cpp-python==0.3.36
        mkdir -p "$place/src"
        tar xzf "$place"/sdist/llama_cpp_python-*.tar.gz -C "$place/src" --strip-components=1
        (
            PATH=$place/venv/bin:$PATH
            cmake -G Ninja -S "$place/src/vendor/llama.cpp" -B "$place/build" -DCMAKE_BUILD_TYPE=Release \
                -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF
            ninja -C "$place/build" llama-bench llama-batched-bench llama-completion llama-quantize
        )
    fi
    sed -n 's/^__version__ = "\(.*\)"/llama.cpp of llama-cpp-python \1/p' "$place/src/llama_cpp/__init__.py" \
        > "$place/version"
    if [[ ! -f $peers/$name-bf16.gguf ]]; then
        environment llama.cpp/convert
        "$place/convert/bin/pip" install -q "$torch" transformers==5.24.0 sentencepiece==0.2.3
        # A tokenizer that it doesn't know by its hash is split as GPT-2's; no timing depends on that.
        sed -i 's/raise NotImplementedError("BPE pre-tokenizer was not recognized.*/res = "gpt-2"/' \
            "$place/src/vendor/llama.cpp/conversion/base.py"
        "$place/convert/bin/python" "$place/src/vendor/llama.cpp/convert_hf_to_gguf.py" "$checkpoint" \
            --outtype bf16 --outfile "$peers/$name-bf16.gguf"
    fi
    for label in q8_0 q4_0; do
        [[ -f $peers/$name-$label.gguf ]] || LD_LIBRARY_PATH=$place/build/bin "$place/build/bin/llama-quantize" \
            "$peers/$name-bf16.gguf" "$peers/$name-$label.gguf" $label
    done
}

install_openvino() {
    local format
    environment openvino
    "$peers/openvino/bin/pip" install -q openvino-genai==2026.4.1.0 optimum-intel==2.2.0 nncf==3.4.0 \
        transformers==5.5.4 "$torch"
    # It comes with optimum-intel. Made for another build of torch, it would keep the exporter from starting, which
    # does without it.
    "$peers/openvino/bin/pip" uninstall -q -y torchvision
    for format in fp16 int8; do
        [[ -f $peers/$name-ov-$format/openvino_model.bin ]] || "$peers/openvino/bin/optimum-cli" export openvino \
            -m "$checkpoint" --task text-generation-with-past --weight-format $format "$peers/$name-ov-$format"
    done
}

for peer in "$@"; do
    case $peer in
    llama.cpp) install_llama_cpp ;;
    openvino) install_openvino ;;
    transformers) install_transformers ;;
    *) echo "unknown peer: $peer" >&2 && exit 64 ;;
    esac
done
