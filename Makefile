# The ways in: `make demo` shows the main job at work, `make test` checks everything.
SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow lint types contracts docs docs-serve bench bench-statistics lock clean system-packages

VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0
SEED ?= 7
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OMP_NUM_THREADS ?= 1
WORKERS ?= 2

help:
	@echo 'make demo       draw a CT with known fractures, analyse it, show the table with the truth beside it'
	@echo 'make test       everything the tests need, then lint, types, import contracts and fast tests'
	@echo 'make test-slow  the tests that take minutes'
	@echo 'make docs       build the documentation into site/'
	@echo 'make bench      speed, memory and accuracy benchmarks'
	@echo 'make bench-statistics  the statistics against scikit-learn, MONAI and plain loops'
	@echo 'make lock       resolve the pinned requirements anew (needs uv)'

# -- what is installed, and when it is out of date ---------------------------------------------------------------

$(VENV)/pyvenv.cfg:
	"$$(./scripts/python)" -m venv $(VENV)

$(VENV)/.run: $(VENV)/pyvenv.cfg requirements.lock pyproject.toml
	$(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/pyvenv.cfg requirements-dev.lock pyproject.toml
	$(BIN)/python -m pip install -q $(TORCH)
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --no-deps -e .
	@touch $@ $(VENV)/.run

$(VENV)/.bench: $(VENV)/.dev requirements-bench.lock
	$(BIN)/python -m pip install -q --no-deps --require-hashes -r requirements-bench.lock
	@touch $@

system-packages:
	@./scripts/system-packages

# -- the two commands ---------------------------------------------------------------------------------------------

demo: $(VENV)/.run
	@rm -rf demo
	OMP_NUM_THREADS= $(BIN)/python scripts/demo.py --seed $(SEED) --out demo

test: system-packages $(VENV)/.dev lint types contracts
	$(BIN)/pytest -q -n $(WORKERS) -m 'not slow'

# -- their parts --------------------------------------------------------------------------------------------------

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

test-slow: system-packages $(VENV)/.dev
	$(BIN)/pytest -q -m slow --timeout 3600

docs: $(VENV)/.dev
	$(BIN)/zensical build --clean

docs-serve: $(VENV)/.dev
	$(BIN)/zensical serve

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/analyze_speed.py

bench-statistics: $(VENV)/.bench
	$(BIN)/pytest -q -m slow tests/evaluation/test_segmentation.py
	$(BIN)/python benchmarks/evaluation_speed.py

lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --extra stats --extra seg --extra openvino --extra cluster --extra radiomics \
	  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements.lock \
	  -o requirements-dev.lock
	uv pip compile --group bench --no-deps --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  -q -o requirements-bench.lock

clean:
	rm -rf $(VENV) demo site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
