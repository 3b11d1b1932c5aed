SWIFT ?= swift
PYTHON ?= python3

.PHONY: build test lint format parity fixtures demo bench

build:            ## the apus command, optimised
	$(SWIFT) build -c release

test:             ## every test, against the optimised build that people run
	$(SWIFT) test -c release

lint:             ## formatting and the size of files
	$(SWIFT) format lint --strict --recursive Sources Tests Examples Package.swift
	Scripts/file-sizes.sh

format:           ## rewrite every file in the house style
	$(SWIFT) format --in-place --recursive Sources Tests Examples Package.swift
