# The two commands a newcomer needs: `make run` and `make test`. The rest is for working on it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.14 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --quiet --no-header
SETUP := $(VENV)/.ready

help: ## Say what there is.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(SETUP) ## Collect all endpoints here; from a simulated faction unless TORN_API_KEY is set.
	@$(BIN)/tcdatalogger run --all --answer

test: $(SETUP) ## Run every test, with coverage.
	@VENV=$(VENV) PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run.py $(ARGS)

check: $(SETUP) ## Hold the house rules: lint, types, YAML, locks, generated files.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/tcdatalogger endpoints --check
	$(BIN)/tcdatalogger schema check
	@$(MAKE) --no-print-directory lock-check

generate: $(SETUP) ## Make the generated files again: schema, tables in the docs.
	$(BIN)/tcdatalogger endpoints --generate

bench: $(BENCH)/.ready ## Measure against named peers, in an environment of their own.
	$(BENCH)/bin/python -m tests.performance $(ARGS)

lock: $(SETUP) ## Lock the packages of pyproject.toml again, with hashes.
	$(LOCK) -o functions/requirements.txt
	$(LOCK) --extra local --extra test -c functions/requirements.txt -o requirements.txt
	$(LOCK) --extra local --extra bench -c requirements.txt -o tests/performance/requirements.txt

lock-check: $(SETUP)
	@for file in functions/requirements.txt requirements.txt tests/performance/requirements.txt; do cp $$file $$file.before; done; \
	$(MAKE) --no-print-directory lock; status=$$?; \
	for file in functions/requirements.txt requirements.txt tests/performance/requirements.txt; do \
		cmp -s $$file $$file.before || { echo "$$file does not match pyproject.toml: run make lock"; status=1; }; \
		mv $$file.before $$file; done; exit $$status

clean: ## Remove the environments and reports; data/ stays.
	rm -rf .venv .venv-* tests/reports

$(SETUP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv); set PYTHON=..."; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version), once ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

$(BENCH)/.ready: tests/performance/requirements.txt pyproject.toml
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/performance/requirements.txt
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

.PHONY: help run test check generate bench lock lock-check clean
