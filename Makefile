# What a user needs is at the top; `make` alone lists it.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help run up setup test slow lint trials bench lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

run: setup ## run the pilot: real mortgage applications through the Dagster job (ARGS=--fresh starts over)
	@$(BIN)/orchestrate pilot $(ARGS)

up: setup ## start PostgreSQL, Dagster's webserver and daemon, and show where they are; Ctrl-C stops all
	@$(BIN)/orchestrate up $(ARGS)

setup: .venv/.installed ## make .venv and install the locked dependencies

test: .venv/.installed-dev ## run the tests
	@$(BIN)/pytest $(or $(ARGS),-m "not slow" -n 2 --dist loadfile --no-loadscope-reorder)

slow: .venv/.installed-dev ## run the slow tests: the real daemon, browsers, whole processes, hard kills (a few minutes)
	@$(BIN)/pytest $(or $(ARGS),-m slow -n 2 --dist loadfile --no-loadscope-reorder)

lint: .venv/.installed-dev ## format, lint, types and the floors
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

trials: .venv/.installed-dev ## every trial at full size: kills and mutants, speed, latency (about an hour)
	@$(BIN)/python -m orchestration_pipelines_tests.trials $(ARGS)

bench: setup ## the sweep's speed (ARGS="--cases 100000 --json")
	@$(BIN)/orchestrate bench $(ARGS)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python requirements.lock pyproject.toml
	@echo "installing the locked dependencies (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

UV_LOCK = uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --no-strip-extras --group build pyproject.toml
lock: ## renew the locks (needs uv)
	@$(UV_LOCK) -o requirements.lock
	@$(UV_LOCK) --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove .venv and what the product wrote here
	@$(BIN)/orchestrate down --remove || true
	@rm -rf .venv
