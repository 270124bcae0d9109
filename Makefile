# `make` lists what it can do. Every target works on a machine that has only Python 3.11 or later.

SHELL := /usr/bin/env bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
# Tests start a few hundred processes, each of which would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install install-dev run check test lint services bench bench-detection nightly lock clean servers-installed

BIN := .venv/bin
STEP := .ci/step
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --system-certs --generate-hashes --universal --python-version 3.11 \
	--no-annotate --custom-compile-command "make lock" pyproject.toml

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/installed ## .venv with the locked dependencies and the `spotclaim` command
	@echo "Ready: $(BIN)/spotclaim"

install-dev: .venv/installed-dev ## the same, and what tests need

run: .venv/installed ## the whole system, with a demo fleet; ARGS="--port 9000 --data /tmp/x"
	@$(BIN)/spotclaim up --demo $(ARGS)

check: lint ## style, types and unit tests, in less than 90 s, without servers; ARGS="-k clock"
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal tests/unit $(ARGS)

test: lint servers-installed ## everything CI checks; ARGS="tests/unit -k clock" narrows the tests
	@$(BIN)/python -m tests.servers run -- \
		$(BIN)/python -m pytest -q -n 2 --dist loadfile --durations=5 $(ARGS)

lint: .venv/installed-dev ## style, types, direction of imports
	@$(STEP) "ruff check" $(BIN)/ruff check
	@$(STEP) "ruff format" $(BIN)/ruff format --check
	@$(STEP) "mypy" $(BIN)/mypy
	@$(STEP) "import-linter" $(BIN)/lint-imports

services: .venv/installed-dev ## private PostgreSQL, RabbitMQ and Redis until Ctrl-C; prints their URLs
	@.ci/install-servers rabbitmq-server redis-server
	@$(BIN)/python -m tests.servers up

bench: .venv/installed-dev ## benchmarks beside the usual ways, into bench.json; ARGS="intake --quick"
	@.ci/install-servers rabbitmq-server redis-server prometheus-alertmanager
	@$(BIN)/python -m tests.servers run -- $(BIN)/python -m tests.benchmarks $(ARGS)

bench-detection: .venv/installed-dev ## outbreaks noticed at one false alarm a day, beside usual ways; two minutes
	@$(BIN)/python -m tests.benchmarks detection $(ARGS)

nightly: .venv/installed-dev servers-installed ## long campaigns: tamperings, orders, fuzzing, requests, claims' lives
	@SPOTCLAIM_TAMPERINGS=1000 SPOTCLAIM_LIFE_STEPS=200000 SPOTCLAIM_ORDERS=1000 SPOTCLAIM_API_EXAMPLES=50 \
		SPOTCLAIM_FUZZ_EXAMPLES=10000 SPOTCLAIM_CLAIMS=100000 \
		$(BIN)/python -m tests.servers run -- $(BIN)/python -m pytest -q --timeout 3600 -n 2 --dist loadfile \
		tests/integration/audit/test_audit_tampering.py tests/integration/audit/test_row_tampering.py \
		tests/integration/claims/test_any_order.py \
		tests/integration/field/test_openapi.py tests/unit/domain/claims/test_claim_life.py \
		tests/unit/domain/eligibility/test_campaign.py $(FUZZED)

FUZZED = $(addprefix tests/unit/ingest/, ocpp/test_fuzz.py ocpi/test_fuzz.py tables/test_fuzz.py \
	cloudevents/test_decode.py cloudevents/test_schemas.py cloudevents/test_strict_json.py \
	cloudevents/test_split_array.py files/test_json_documents.py) tests/unit/adapters/ocmf/test_hostile.py

lock: $(BIN)/uv ## lock the dependencies in pyproject.toml; ARGS=--upgrade takes newer versions
	@$(COMPILE) --output-file requirements.lock $(ARGS)
	@$(COMPILE) --output-file requirements-dev.lock --extra dev --extra tables --extra signed --constraints requirements.lock $(ARGS)

clean: ## remove .venv and caches; never data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

servers-installed:
	@.ci/install-servers

.venv/installed: requirements.lock pyproject.toml | $(BIN)/pip
	@$(STEP) "requirements.lock" $(PIP) install --require-hashes -r requirements.lock
	@$(STEP) "spotclaim" $(PIP) install --no-deps --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@$(STEP) "requirements-dev.lock" $(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(BIN)/uv: | $(BIN)/pip
	@$(STEP) "uv" $(PIP) install uv

# pip is the last thing that a new virtual environment gets.
$(BIN)/pip:
	@python="$$(.ci/find-python)" && $(STEP) ".venv" "$$python" -m venv .venv
