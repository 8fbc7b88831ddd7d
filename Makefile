# `make help` lists what there is. Needs Python 3.11 - 3.13 and make; everything else is installed
# into .venv from requirements.lock.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test check audit format bench repro champion registry lock clean

# Any of them that is recent enough; name another with `make PYTHON=/path/to/python3.12`.
PYTHON ?= python3 python3.13 python3.12 python3.11
VENV := .venv
BIN := $(VENV)/bin
# Stages say `python`, and DVC takes what PATH says.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# The machine may forbid writing bytecode, which doubles the time to import TensorFlow.
unexport PYTHONDONTWRITEBYTECODE
READY := $(VENV)/ready

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(READY): requirements.lock pyproject.toml
	@for python in $(PYTHON); do \
	  $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && break; \
	  python=; \
	done; \
	test -n "$$python" || { echo "Expected Python 3.11, 3.12 or 3.13, found none of: $(PYTHON). Install one, or name it: make PYTHON=/path/to/python3.12"; exit 1; }; \
	$$python -c 'import ensurepip' 2>/dev/null || { echo "Expected $$python to come with venv and pip, it does not. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }; \
	echo "Installing into $(VENV) with $$python (once, about 1 GB to fetch)"; \
	$$python -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==0.13.8"
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" UV_LINK_MODE=copy $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --no-deps --editable .
	@$(BIN)/python -c 'import cv2' 2>/dev/null || { echo "OpenCV does not load: $$($(BIN)/python -c 'import cv2' 2>&1 | tail -1). On Debian and Ubuntu: apt-get install libgl1 libglib2.0-0"; exit 1; }
	@test -e .git || $(BIN)/dvc config --local core.no_scm true
	@touch $@

demo: $(READY) ## the whole loop on drawn faces: first champion, new camera, update, verdict
	@$(BIN)/python -m pipelines.demo

test: $(READY) ## the tests
	@$(BIN)/python -m pytest

check: $(READY) ## format, lint, types, import contracts, tests, known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest
	@$(MAKE) --no-print-directory audit

# In an environment of its own: it is none of what the product needs. Without a network this is said,
# and does not fail.
audit: $(READY) ## whether a package of requirements.lock has a vulnerability that OSV knows
	@told=$$($(BIN)/uvx --quiet --from pip-audit==2.10.1 pip-audit --requirement requirements.lock \
	  --disable-pip --vulnerability-service osv --progress-spinner off 2>&1); \
	case "$$?:$$told" in \
	  0:*) echo "audit: no known vulnerability" ;; \
	  *"known vulnerabilit"*) echo "$$told"; exit 1 ;; \
	  *) echo "audit: not done, OSV could not be asked: $${told##*$$'\n'}" ;; \
	esac

format: $(READY) ## mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## every benchmark but `faults`, which breaks things; side by side measurements
	@for file in benchmarks/[a-z]*.py; do \
	  name=$$(basename $$file .py); echo "== $$name"; \
	  brief=; test $$name != soak || brief="--minutes 1 --updates 0"; \
	  $(BIN)/python -m benchmarks.$$name $$brief || exit 1; done

repro: $(READY) ## bring everything up to date: `dvc repro`
	@$(BIN)/dvc repro

champion: $(READY) ## train the shipped champion anew: make champion DATA=path/to/fer2013.csv with fer2013new.csv beside it
	@$(BIN)/python -m pipelines.champion "$(DATA)"

registry: $(READY) ## MLflow's pages at http://127.0.0.1:5000
	@$(BIN)/mlflow --env-file mlflow.env server --workers 1 --host 127.0.0.1 --port 5000

lock: $(READY) ## work out requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --extra test --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock pyproject.toml

clean: ## remove the environment and caches; data, models and registry stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
