# For people who develop Tradefloor. To use it, ./run is enough.
PYTHON := .venv/bin/python
ROOTS := $(wildcard agents arena bench evals graphs memory prompts tools trading)
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

.DEFAULT_GOAL := help
.PHONY: help setup check lint format types contracts test bench lock

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup:  ## .venv with the development tools
	@./run setup dev

check: lint types contracts test  ## all that continuous integration checks

lint: setup  ## ruff: rules and format
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

format: setup  ## mend what ruff can mend
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

types: setup  ## mypy, strict, on every room
	@$(PYTHON) -m mypy run $(wildcard app.py) $(ROOTS)

contracts: setup  ## imports only point down
	@.venv/bin/lint-imports --no-logo

test:  ## the tests, on all cores
	@./run test

bench: setup  ## measure speed and memory, and say where the time goes
	@$(PYTHON) -m bench

lock: setup  ## renew the lock files from pyproject.toml
	@$(LOCK) --all-extras pyproject.toml -o requirements/dev.lock > /dev/null
	@$(LOCK) -c requirements/dev.lock pyproject.toml -o requirements/core.lock > /dev/null
	@$(LOCK) -c requirements/dev.lock --group build -o requirements/build.lock > /dev/null
	@$(LOCK) --group installer -o requirements/installer.lock > /dev/null
	@git diff --stat -- requirements
