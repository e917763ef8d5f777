# `make` alone lists what there is. Everything runs in `.venv`, made on first use from the locked requirements.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test check bench prove lock fix clean venv-run venv-dev

PYTHON ?= python3
PORT ?= 8000
DEMO ?= 1
# One test process a core; `make test TESTS=tests/app/registry` runs a part.
TESTS ?=
JOBS ?= auto

BIN := .venv/bin

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 16

run: venv-run ## set up and start everything; PORT=8000, DEMO=0 for no demo phones
	@exec $(BIN)/python -m scripts.run --port "$(PORT)" --demo "$(DEMO)"

test: venv-dev ## all tests
	@# Where the environment forbids compiled files each of the suite's many processes would compile the whole product.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q -j 0 agent app scripts
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $(JOBS) $(TESTS)

check: venv-dev ## lint, types, architecture, lock
	@$(BIN)/python -m scripts.check

fix: venv-dev ## let ruff mend and format what it can
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format --quiet .

bench: venv-dev ## measure; each figure against a limit measured in the same run
	@$(BIN)/python -m bench

prove: venv-dev ## the long proofs: hours; their result file is committed
	@$(BIN)/python -m bench.prove

lock: venv-dev ## resolve requirements*.in again into the locked files
	@$(BIN)/python -m scripts.lock write

clean: ## remove .venv and caches; data in var/ stays
	@rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv-run venv-dev: venv-%:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo " ✗ no $(PYTHON) on this machine: install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo " ✗ Python 3.11 or newer is needed, but $(PYTHON) is $$($(PYTHON) --version 2>&1). Another one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) scripts/venv.py $*
