# The two commands a newcomer needs: `make run` and `make test`. The rest is for working on it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.14 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
EMULATOR := .venv-emulator
CHECKOV := .venv-checkov
LOCK := $(BIN)/uv pip compile --universal --no-strip-extras --generate-hashes --quiet --no-header
LOCKED := functions/requirements.txt requirements.txt tests/performance/requirements.txt tests/support/emulator/requirements.txt \
	tests/support/checkov/requirements.txt
SETUP := $(VENV)/.ready
# What the BigQuery emulator needs; what is on the path may be pyenv's stand-in for a version that is not chosen.
PYTHON313 ?= $(shell for p in $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13 python3.13; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo $$p && break; done)

help: ## Say what there is.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(SETUP) ## Collect all endpoints here; from a simulated faction unless TORN_API_KEY is set.
	@$(BIN)/tcdatalogger run --all --answer

test: $(SETUP) emulator checkov ## Run every test, with coverage.
	@VENV=$(VENV) PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/run.py $(ARGS)

check: $(SETUP) ## Hold the house rules: lint, types, YAML, locks, generated files.
	@$(MAKE) --no-print-directory --jobs=2 check-types check-files lock-check

check-types: $(SETUP)
	$(BIN)/mypy

check-files: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/tcdatalogger endpoints --check
	$(BIN)/tcdatalogger schema check

generate: $(SETUP) ## Make the generated files again: schema, tables in the docs.
	$(BIN)/tcdatalogger endpoints --generate

bench: $(BENCH)/.ready emulator ## Measure against named peers, in an environment of their own.
	$(BENCH)/bin/python -m tests.performance $(ARGS)

lock: $(SETUP) ## Lock the packages of pyproject.toml again, with hashes.
	$(LOCK) pyproject.toml --python-version 3.11 -o $(TO)functions/requirements.txt
	$(LOCK) pyproject.toml --python-version 3.11 --extra local --extra test -c functions/requirements.txt -o $(TO)requirements.txt
	$(LOCK) pyproject.toml --python-version 3.11 --extra local --extra bench -c requirements.txt -o $(TO)tests/performance/requirements.txt
	$(LOCK) tests/support/emulator/requirements.in --python-version 3.13 -o $(TO)tests/support/emulator/requirements.txt
	$(LOCK) tests/support/checkov/requirements.in --python-version 3.11 -o $(TO)tests/support/checkov/requirements.txt

# The tree is left as it is: others read these files meanwhile.
lock-check: $(SETUP)
	@to=$$(mktemp -d) && trap 'rm -rf "$$to"' EXIT && \
	for file in $(LOCKED); do mkdir -p "$$to/$$(dirname $$file)" && cp $$file "$$to/$$file"; done && \
	$(MAKE) --no-print-directory lock TO="$$to/"; status=$$?; \
	for file in $(LOCKED); do cmp -s $$file "$$to/$$file" || \
		{ echo "$$file does not match what is declared: run make lock"; status=1; }; done; exit $$status

clean: ## Remove the environments and reports; data/ stays.
	rm -rf .venv .venv-* tests/reports

# uv takes a tenth of pip's time, but reads none of its settings (a mirror, a certificate): where uv fails, pip is asked.
# The locks are whole, so that nothing is left to resolve.
define install # environment, lock
	@$(BIN)/uv pip install --quiet --python $(1)/bin/python --no-deps --require-hashes -r $(2) 2>/dev/null || \
		$(PIP) --python $(1)/bin/python install $(QUIETLY) --no-deps --require-hashes -r $(2)
endef
PIP := $(BIN)/python -m pip
QUIETLY := --quiet --disable-pip-version-check
EDITABLE := --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .

$(SETUP): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv); set PYTHON=..."; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version), once ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install $(QUIETLY) --no-deps --require-hashes -r <(sed -n '/^uv==/,/# via/p' requirements.txt)
	$(call install,$(VENV),requirements.txt)
	@$(PIP) install $(QUIETLY) $(EDITABLE)
	@touch $@

$(BENCH)/.ready: tests/performance/requirements.txt pyproject.toml | $(SETUP)
	@$(PYTHON) -m venv --without-pip $(BENCH)
	$(call install,$(BENCH),$<)
	@$(PIP) --python $(BENCH)/bin/python install $(QUIETLY) $(EDITABLE)
	@touch $@

emulator:
	@if test -n "$(PYTHON313)"; then $(MAKE) --no-print-directory $(EMULATOR)/.ready; \
	else echo "Python 3.13 is not here: tests that need the BigQuery emulator are left out; set PYTHON313=..."; fi

# Its engine looks for extensions below the home folder: it has one of its own, where they are put beforehand.
$(EMULATOR)/.ready: tests/support/emulator/requirements.txt | $(SETUP)
	@echo "Setting up the BigQuery emulator in $(EMULATOR), once ..."
	@$(PYTHON313) -m venv --without-pip $(EMULATOR)
	$(call install,$(EMULATOR),$<)
	@mkdir -p $(EMULATOR)/home
	@HOME=$(CURDIR)/$(EMULATOR)/home $(EMULATOR)/bin/python -c 'from duckdb_extensions import import_extension as put; \
		[put(name) for name in ("ducklake", "icu", "spatial")]'
	@touch $@

checkov: $(CHECKOV)/.ready

$(CHECKOV)/.ready: tests/support/checkov/requirements.txt | $(SETUP)
	@echo "Setting up the scanner of infra/ in $(CHECKOV), once ..."
	@$(PYTHON) -m venv --without-pip $(CHECKOV)
	$(call install,$(CHECKOV),$<)
	@touch $@

.PHONY: help run test check check-types check-files generate bench lock lock-check clean emulator checkov
