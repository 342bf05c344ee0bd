# Every target does its own set-up in .venv, from lock files with hashes, and only once: what is done leaves a
# stamp in .venv/.stamps, and a second run starts at once. Works where PYTHON is 3.11 or newer and make is GNU make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
STAMPS := $(VENV)/.stamps
PY := $(VENV)/bin/python
# No packages of the machine's own, no questions asked. Wheels only: nothing is compiled, and no package's own code runs at set-up.
PIP := PYTHONNOUSERSITE=1 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip --quiet
FROM_LOCK := install --require-hashes --no-deps --only-binary :all: --requirement

# Numba keeps a compiled kernel until the file that holds it changes, but not when another file changes that it takes a
# kernel or a constant from. So each state of these sources gets a cache of its own; tests/conftest.py does the same.
ifndef NUMBA_CACHE_DIR
KERNELS := $(addprefix src/airvigil/,units.py reports.py settings.py feeds tracking airspace incidents)
export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba/$(shell find $(KERNELS) -name '*.py' | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-12)
endif

RUNTIME := $(STAMPS)/package
DEV := $(STAMPS)/dev
BENCH := $(STAMPS)/bench
SAMPLES := samples/SOURCES.txt

.PHONY: help demo test check bench fuzz proof samples boundaries services docs lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(RUNTIME) $(SAMPLES) ## two short stories, from reports to incidents, in the terminal and as a page
	@$(PY) -m airvigil.cli demo

# Coverage is of the rooms up to the engine and leaves out what Numba compiles, which the interpreter never runs; CONTRIBUTING.md
# has the figure. Nothing fails by it.
test: $(DEV) ## all tests, warnings as errors, with branch coverage of the pure rooms
	@$(PY) -m pytest -W error --cov --cov-report=term

check: $(DEV) ## format, lint, types, and the rules of the house
	@$(PY) -m ruff format --check --output-format concise
	@$(PY) -m ruff check --output-format concise
	@$(PY) -m mypy
	@$(PY) -m pytest -W error -q tests/test_house.py

bench: $(BENCH) $(SAMPLES) ## measure against peers in one process; writes bench/results.json and bench/README.md
	@$(VENV)/bench/bin/python bench/run.py $(BENCH_FLAGS)

fuzz: $(DEV) ## minutes of mutated bytes into every feed and airspace reader; FUZZ_FLAGS='--seconds 60 --seed 2'
	@$(PY) fuzz/feeds.py --seconds 600 $(if $(AIRVIGIL_RECORDINGS),--recordings '$(AIRVIGIL_RECORDINGS)') $(FUZZ_FLAGS)
	@$(PY) fuzz/airspace.py --seconds 200 $(if $(AIRVIGIL_RECORDINGS),--recordings '$(AIRVIGIL_RECORDINGS)') $(FUZZ_FLAGS)

# One hour of the Helsinki recording in four files. A row at a time takes minutes.
HOUR = $(wildcard $(foreach time,060104 061614 063124 064634,$(AIRVIGIL_RECORDINGS)/helsinki_beast/raw_adsb_20260107_$(time).bin.xz))
proof: $(DEV) ## an hour of real recordings in batches of 1, 100 and 100,000 rows: the same bytes
	@test -n '$(HOUR)' || { echo "make proof: AIRVIGIL_RECORDINGS does not name the folder of the recordings" >&2; exit 1; }
	@$(PY) bench/chunking.py $(HOUR) --name-utc-offset +02:00 --receiver 60.319555,24.830817,84

samples: $(SAMPLES) ## public recordings for the demo, from a pinned package

boundaries: $(RUNTIME) ## rebuild the shipped boundary file from its pinned source
	@command -v npm >/dev/null || { echo "make boundaries: npm is missing; install Node.js (Debian: apt-get install npm)" >&2; exit 1; }
	cd boundaries && npm ci --ignore-scripts --no-audit --no-fund
	$(PY) boundaries/build.py

services: ## what some tests need beside Python: Chromium, for the report page
	@.ci/services

docs: $(DEV) ## write the generated pages of docs/
	@$(PY) docs/make_formats.py

lock: $(STAMPS)/made ## resolve the lock files anew; LOCK_FLAGS=--upgrade takes newer versions
	$(PY) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --quiet $(FROM_LOCK) locks/tools.lock
	@UV=$(VENV)/lock/bin/uv LOCK_FLAGS='$(LOCK_FLAGS)' locks/resolve

clean: ## remove everything that make has made
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage build dist out src/*.egg-info boundaries/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find samples -mindepth 1 ! -name unpack.py -delete

# ---- set-up ----

$(STAMPS)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $(PYTHON) is not Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	@echo "set-up: making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "make: no venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: locks/runtime.lock | $(STAMPS)/made
	@echo "set-up: installing what Airvigil runs on, by hash"
	@$(PIP) $(FROM_LOCK) locks/runtime.lock
	@touch $@

# setuptools comes from the lock, so that building the package fetches nothing.
$(STAMPS)/package: pyproject.toml $(STAMPS)/runtime
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(STAMPS)/dev: locks/dev.lock $(STAMPS)/package
	@echo "set-up: installing what the tests need, by hash"
	@$(PIP) $(FROM_LOCK) locks/dev.lock
	@touch $@

# The peers live apart: some of them hold others back.
$(STAMPS)/bench: locks/bench.lock pyproject.toml | $(STAMPS)/made
	@echo "set-up: installing the peers that the bench compares with, by hash"
	@$(PYTHON) -m venv $(VENV)/bench
	@$(subst $(PY),$(VENV)/bench/bin/python,$(PIP)) $(FROM_LOCK) locks/bench.lock
	@$(subst $(PY),$(VENV)/bench/bin/python,$(PIP)) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(SAMPLES): locks/samples.lock samples/unpack.py | $(STAMPS)/made
	@echo "samples: fetching a pinned package for its recordings, by hash"
	@rm -rf .cache/samples && mkdir -p .cache/samples
	@$(PIP) download --require-hashes --no-deps --only-binary :all: --dest .cache/samples --requirement locks/samples.lock
	@$(PY) samples/unpack.py .cache/samples/*.whl samples
	@rm -rf .cache/samples
