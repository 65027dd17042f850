# Every target creates what it needs; all you need is Python 3.11 and make.

BIN := .venv/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9
# Tests also wait, so that two cores have something to do for a third process.
WORKERS ?= 3
PACKAGES := pao api workflows activities catalog db sandbox
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo up test test-only bytecode lint types generate bench bench-peers scale fuzz chaos mutate lock clean image-test compose-test chart-test machine-test proxy-test

help: ## list all targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/make \1|\2/p' Makefile | while IFS='|' read -r target text; do printf '%-17s %s\n' "$$target" "$$text"; done

demo: $(READY) ## start everything and show, step by step, what happens to requests
	@$(BIN)/pao up --demo $(ARGS)

up: $(READY) ## start everything on this machine and keep it running (ARGS="--api-port 0")
	@$(BIN)/pao up $(ARGS)

# Without kept bytecode every process of a test would compile what it imports, and pytest all tests.
test test-only bytecode: export PYTHONDONTWRITEBYTECODE =

test: $(READY) ## run all checks and tests, as CI does
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory --jobs 2 types bytecode
	@$(MAKE) --no-print-directory test-only

test-only: $(READY) ## run only the tests
	@$(BIN)/python -m pao.app.local.temporal_binary
	@$(BIN)/python -m pao.app.local.terraform_binary
	@$(BIN)/python -m tests.support.go
	@$(BIN)/python -m tests.support.browser >/dev/null
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(READY) ## check style, format and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(READY) ## check the types of code and tests
	@$(BIN)/mypy $(PACKAGES) tests deploy $(wildcard benchmarks/*.py fuzz/*.py)

# Before several processes begin to compile the same files.
bytecode: $(READY)
	@$(BIN)/pytest -q --collect-only >/dev/null || true  # the run itself says what is wrong

generate: $(READY) ## regenerate JSON Schemas and three pages of docs from the code
	@$(BIN)/python -m pao.app.generate

bench: $(READY) ## measure submissions, actions, bundles and the catalog, relative to bare workflows
	@$(BIN)/python -m benchmarks.run
	@$(BIN)/python -m benchmarks.actions
	@$(BIN)/python -m benchmarks.bundles
	@$(BIN)/python -m benchmarks.catalog_pages
	@$(BIN)/python -m benchmarks.catalog_sync
	@$(BIN)/python -m benchmarks.catalog_push
	@$(BIN)/python -m benchmarks.web_pages

bench-peers: $(READY) ## measure three steps in PAO, in bare Temporal, in DBOS and in Backstage (installed below .pao/peers)
	@$(BIN)/python -m benchmarks.peers

scale: $(READY) ## play a day of 20,000 requests on three APIs and three workers, all of them replaced meanwhile
	@$(BIN)/python -m benchmarks.day $(ARGS)

fuzz: $(READY) ## fuzz the API from its OpenAPI document, catalog validation with odd documents, and properties by random examples
	@$(BIN)/pytest -q -n $(WORKERS) -m hypothesis --hypothesis-profile random
	@$(BIN)/python -m fuzz.documents
	@$(BIN)/python -m fuzz.run $(ARGS)

chaos: $(READY) ## kill and pause processes at random under load, then check for losses (ARGS="--rounds 100")
	@$(BIN)/python -m sandbox.chaos.run $(ARGS)

mutate: $(READY) ## change the code at random where tests should notice (TARGET=catalog/forms; ARGS="--only checks --update")
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r mutation/requirements.lock
	@$(BIN)/python -m mutation.run $(TARGET) $(ARGS)

image-test: $(READY) ## build the image and run docker-compose.yml from it, without a container engine (root)
	@$(BIN)/python -m pao.app.local.temporal_binary
	@$(BIN)/python -m deploy.tests.compose.project >/dev/null
	@$(BIN)/python -m deploy.tests.image.build
	@unshare --net --mount $(BIN)/pytest -q deploy/tests/image

compose-test: $(READY) ## load docker-compose.yml as Docker does; with an engine, also start it and submit a request
	@$(BIN)/pytest -q deploy/tests/compose/test_compose_loading.py
	@if docker info >/dev/null 2>&1; then $(BIN)/pytest -q --timeout 1200 deploy/tests/compose/test_compose_engine.py; \
	  else echo 'No Docker engine answers: the file was loaded, nothing was started.'; fi

chart-test: $(READY) ## render the chart, scrape a running PAO, and install it on an API server without nodes
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r deploy/tests/chart/requirements.lock
	@$(BIN)/python -m deploy.tests.chart.programs
	@$(BIN)/pytest -q --timeout 900 deploy/tests/chart

machine-test: $(READY) ## install PAO as `pao install` does, upgrade it with open requests, remove it (systemd is a stand-in)
	@$(BIN)/python -m pao.app.local.temporal_binary
	@$(BIN)/pytest -q -n0 --timeout 1800 deploy/tests/machine

proxy-test: $(READY) ## call a running PAO through nginx and Caddy as the documents set them up (root)
	@$(BIN)/python -m pao.app.local.temporal_binary
	@$(BIN)/pytest -q -n0 --timeout 900 deploy/tests/proxies

lock: $(READY) ## update the lock files from pyproject.toml
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --all-extras pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements.lock pyproject.toml -o deploy/requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 --extra local -c requirements.lock pyproject.toml -o deploy/machine.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements.lock --group mutation -o mutation/requirements.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements.lock --group image -o deploy/image/tools.lock
	@$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements.lock --group chart -o deploy/tests/chart/requirements.lock

clean: ## remove everything generated: environment, state, caches
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m pao.app.local.clean; fi
	rm -rf .venv .pao .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'PAO needs Python 3.11 or newer: install it, or run make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { \
	  echo 'Python cannot create a virtual environment: install its venv module (Debian: python3-venv)' >&2; exit 1; }
	@echo 'Installing dependencies into .venv (a minute or two the first time)'
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip sync -q --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --editable .
	@$(BIN)/python -m compileall -q -j 0 $(PACKAGES)
	@$(BIN)/python -m pao.app.local.web_scripts
	@touch $@
