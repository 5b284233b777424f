# Heliograph's chores. Each target works from a fresh clone: what it needs is installed first.

.POSIX:
.SUFFIXES:

PYTHON = python3
SECONDS = 60
ARGS =

BIN = .venv/bin
STAMP = .venv/.installed
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --extra local --extra arrow --extra traces
TESTS = $(BIN)/python -m pytest -n 3 --dist worksteal

help: ## list the targets
	@awk -F ' *:.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## make .venv from the locks, with this tree installed into it

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --require-hashes --requirement requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## run the whole path on a simulated venue: SECONDS=60, 0 until Ctrl-C
	@$(BIN)/heliograph demo --seconds $(SECONDS)

test: $(STAMP) ## run every test: ARGS='-k claims'
	$(TESTS) $(ARGS)

check: lint types layers quick ## run what a commit must pass, in about a minute

lint: $(STAMP) ## check format, style, and declared dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/deptry .
	cd client && ../$(BIN)/deptry .

types: $(STAMP) ## check types
	$(BIN)/mypy .

layers: $(STAMP) ## check that imports point down
	$(BIN)/lint-imports

quick: $(STAMP) ## run the quick tests
	$(TESTS) -m 'not slow' $(ARGS)

format: $(STAMP) ## rewrite files in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## choose versions anew within pyproject.toml: ARGS=--upgrade
	$(COMPILE) $(ARGS) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(ARGS) --group dev --constraints requirements.lock pyproject.toml --output-file requirements-dev.lock

bench: $(STAMP) ## measure beside limits and peers, into docs/performance.md: ARGS='write --seconds 5'
	$(BIN)/python -m bench --record $(ARGS)

bench-quick: $(STAMP) ## measure shares of the limit beside the recorded ones, in two minutes
	$(BIN)/python -m bench quick

clean: ## remove .venv and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help install demo test check lint types layers quick format lock bench bench-quick clean
