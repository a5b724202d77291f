# Gerbang: `make help` lists what can be asked for.

PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=
# Tests wait more than they compute (browsers, killed servers, codes that must grow old): half as many again as cores.
TEST_PROCESSES ?= $(shell echo $$(( ($$(nproc 2>/dev/null || echo 2) * 3 + 1) / 2 )))

.DEFAULT_GOAL := help
.PHONY: help install demo test check format docs bench interop certification clean python

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  make %-13s %s\n", $$1, $$2 }'

install: .venv/.development ## Build .venv with everything; the command is .venv/bin/idp

demo: .venv/.runtime ## Run the provider and three applications, to try it (Ctrl-C stops all)
	@$(BIN)/python -m idp demo $(DEMO_ARGS)

test: .venv/.development ## Run all tests (PYTEST_ARGS="-n 0 tests/unit" for some)
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: .venv/.development ## Formatting, lints, types, the direction of imports, fresh documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m idp.setting_docs --check docs/settings.md
	$(BIN)/python -m tests.specifications --check docs/specifications.md

format: .venv/.development ## Format the code and mend what ruff can mend by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/.development ## Write the generated documents anew
	$(BIN)/python -m idp.setting_docs docs/settings.md
	$(BIN)/python -m tests.specifications docs/specifications.md

bench: .venv/.development ## Measure against the floors (docs/performance.md); uses both cores for some minutes
	$(BIN)/python -m tests.load $(BENCH_ARGS)

interop: .venv/.development ## Let real clients sign in (README.md names them); installs what they need (INTEROP_ARGS="-k sqlite")
	$(BIN)/python -m tests.interop $(INTEROP_ARGS)

certification: .venv/.development ## Run the plans of a running conformance suite (SUITE=https://…, PLANS="--plan basic"); writes docs/conformance.md
	@test -n "$(SUITE)" || { echo "Say where the suite runs:  make certification SUITE=https://localhost:8443"; exit 1; }
	$(BIN)/python -m tests.certification $(SUITE) $(PLANS)

clean: ## Remove the virtual environment and what tools left behind
	rm -rf .venv build .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# A .venv of the runtime packages is enough for the demo; `make install` adds what development needs.
.venv/.runtime: requirements/runtime.lock | python
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -e .venv/.development || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	@touch $@

.venv/.development: requirements/dev.lock pyproject.toml | python
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ .venv/.runtime

python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing. On Debian, as root:  apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Name another:  make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "The module venv is missing. On Debian, as root:  apt-get install python3-venv"; exit 1; }
