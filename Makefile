# `make` lists the targets. Everything is installed into .venv, at the versions of constraints.txt.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
DEMO_EXTRAS := emulator,storage,text
CODE := airflow_healthcare_deid dags demo docs quality scripts tests benchmarks
# Two workers; tests/conftest.py says which tests go to which.
PYTEST := $(BIN)/python -m pytest -q -n 2 --no-loadscope-reorder

# uv installs the same packages several times faster than pip; without it pip does the work.
INSTALL = if [ -x $(BIN)/uv ]; then \
    $(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt $(1); \
  else \
    $(BIN)/python -m pip install --quiet --constraint constraints.txt $(1); \
  fi

.PHONY: help demo airflow test test-e2e test-matrix check docs quality bench constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## de-identify, prove and publish a real dataset through Airflow, end to end, on this machine
	@$(BIN)/python -m demo

airflow: $(VENV)/.demo ## the same set-up with Airflow's UI to click in, until Ctrl-C
	@exec $(BIN)/python -m demo airflow

test: $(VENV)/.dev ## every test: units, emulator, and a real Airflow
	@$(PYTEST)

test-e2e: $(VENV)/.dev ## the tests that start a real Airflow, alone
	@$(PYTEST) -m e2e tests/e2e

test-matrix: $(VENV)/.dev ## one wheel on Airflow 2.11 to 3.3, and on the lowest versions (VERSIONS="2.11 lowest")
	@$(BIN)/python scripts/matrix.py --versions "$(VERSIONS)" $(TESTS)

check: $(VENV)/.dev ## ruff, mypy, the import rules between the parts of the package, and the docs
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy $(CODE)
	@PATH="$(BIN):$$PATH" lint-imports
	@$(MAKE) docs

docs: $(VENV)/.dev ## build the docs into site/; anything that does not add up is an error
	@$(BIN)/python -m scripts.doc_tables --check
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --builder html docs site
	@echo "Docs: site/index.html"

quality: $(VENV)/.dev ## how many of some two thousand planted identifiers are left, in ten measures
	@$(BIN)/python -m quality

bench: $(VENV)/.bench ## the measurements behind the figures in the docs
	@$(BIN)/python -m benchmarks

constraints: $(VENV)/.dev ## pin what is new in pyproject.toml (UPGRADE=1: take the newest of everything)
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --group docs --group bench --python-version 3.11 --quiet \
	  --no-header --no-annotate $(if $(UPGRADE),--upgrade) --output-file constraints.txt
	@$(BIN)/python scripts/matrix.py --pin $(if $(UPGRADE),--upgrade)
	@wc -l constraints.txt constraints/*.txt

clean: ## remove .venv and everything else that was made here
	@rm -rf $(VENV) .venvs .build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@$(if $(PYTHON),,echo "Python 3.11 or newer is needed: name it with make PYTHON=/path/to/python3.11" >&2; exit 1)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is older: name one with make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing Airflow, the package and its emulator (a few minutes the first time)"
	@$(call INSTALL,--editable '.[$(DEMO_EXTRAS)]')
	@touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing the package with every extra, and the development tools (a few minutes the first time)"
	@$(call INSTALL,--editable '.[all]' --group dev --group docs)
	@touch $(VENV)/.demo $@

$(VENV)/.bench: $(VENV)/.dev
	@echo "Installing what the measurements compare with"
	@$(call INSTALL,--group bench)
	@touch $@
