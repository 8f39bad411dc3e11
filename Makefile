# For people who develop Tradefloor. To use it, ./run is enough.
PYTHON := .venv/bin/python
ROOTS := $(wildcard agents arena bench evals graphs memory prompts tools trading)
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

.DEFAULT_GOAL := help
.PHONY: help setup check lint format types contracts test bench chaos chaos-evals soak soak-feeds fuzz-api lock

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

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

chaos: setup  ## kill a trading process at random instants, 300 times, and compare its books with the exchange's
	@$(PYTHON) -m tests.chaos 300

chaos-evals: setup  ## kill an eval of a loopback model twenty times and compare what is left
	@TRADEFLOOR_KILLS=20 $(PYTHON) -m pytest -q -s -n0 --timeout 3000 tests/arena/commands/test_evals_killed.py

soak: setup  ## a simulated day of one-minute rounds with faults and restarts; memory must stay flat
	@$(PYTHON) -m tests.arena.autonomous.soak --hours 24

soak-feeds: setup  ## ten minutes of every fault on live feeds from loopback exchanges
	@$(PYTHON) -m tests.exchanges.soak --minutes 10

fuzz-api: setup  ## a hundred requests to every operation of the API, right and wrong ones: answers must be as described
	@TRADEFLOOR_API_EXAMPLES=100 $(PYTHON) -m pytest -q -s -n0 --timeout 3600 tests/arena/api/test_conformance.py

lock: setup  ## renew the lock files from pyproject.toml
	@rm -f requirements/*.lock  # an old lock would be read as a preference
	@$(LOCK) --all-extras pyproject.toml -o requirements/dev.lock > /dev/null
	@$(LOCK) -c requirements/dev.lock pyproject.toml -o requirements/core.lock > /dev/null
	@for extra in embed evals scale; do $(LOCK) -c requirements/dev.lock --extra $$extra pyproject.toml -o requirements/$$extra.lock > /dev/null; done
	@$(LOCK) -c requirements/dev.lock --group build -o requirements/build.lock > /dev/null
	@$(LOCK) --group installer -o requirements/installer.lock > /dev/null
	@git diff --stat -- requirements
