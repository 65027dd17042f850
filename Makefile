# The front door. What a target needs is made by it; nothing but Python 3.11 and make has to be there.

BIN := .venv/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9
PACKAGES := pao api workflows activities catalog db sandbox
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo up test test-only lint types generate bench fuzz chaos lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/make \1|\2/p' Makefile | while IFS='|' read -r target text; do printf '%-16s %s\n' "$$target" "$$text"; done

demo: $(READY) ## start everything and show, step by step, what becomes of requests
	@$(BIN)/pao up --demo $(ARGS)

up: $(READY) ## start everything on this machine and leave it running (options: ARGS="--api-port 0")
	@$(BIN)/pao up $(ARGS)

test: $(READY) ## check and test everything, as CI does
	@$(MAKE) --no-print-directory lint types test-only

test-only: $(READY) ## the tests alone
	@$(BIN)/python -m pao.app.local.temporal_binary
	@$(BIN)/python -m pao.app.local.terraform_binary
	@$(BIN)/python -m tests.support.go
	@$(BIN)/pytest -q -n 2 --dist loadgroup

lint: $(READY) ## style, format and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(READY) ## types of code and tests
	@$(BIN)/mypy $(PACKAGES) tests $(wildcard benchmarks/*.py fuzz/*.py)

generate: $(READY) ## write anew what is made from the code: JSON Schemas, two pages of docs
	@$(BIN)/python -m pao.app.generate

bench: $(READY) ## measure submissions, actions, bundles and the catalog, against bare workflows on the same server
	@$(BIN)/python -m benchmarks.run
	@$(BIN)/python -m benchmarks.actions
	@$(BIN)/python -m benchmarks.bundles
	@$(BIN)/python -m benchmarks.catalog_pages

fuzz: $(READY) ## call the API at random from its own document, and judge documents that nobody would write
	@$(BIN)/python -m fuzz.documents
	@$(BIN)/python -m fuzz.run $(ARGS)

chaos: $(READY) ## kill and stop parts at random under load, then count what was lost (ARGS="--rounds 100")
	@$(BIN)/python -m sandbox.chaos.run $(ARGS)

lock: $(READY) ## write requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --all-extras pyproject.toml -o requirements.lock

clean: ## remove what was made here: environment, state, caches
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m pao.app.local.clean; fi
	rm -rf .venv .pao .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'PAO needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo 'Python cannot make an environment here: install its venv module (Debian: python3-venv)' >&2; exit 1; }
	@echo 'Installing what PAO needs into .venv (a minute or two the first time)'
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --editable .
	@touch $@
