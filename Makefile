# Every target creates the virtual environment if needed: on a fresh machine `make demo` is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OWN := .
DISTRIBUTE := --dist loadgroup --no-loadscope-reorder
WORKERS := -n auto $(DISTRIBUTE)
# Bytecode is kept, also where an image turns it off: without it each start compiles for seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help .venv .venv-dbt demo up dashboard dbt quick test setup-tests acceptance bench bench-record scaling chaos least-privilege load fuzz audit trino pulumi-cli pr format format-check lint types coverage reference lock clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# Rebuilt when the lock changes. The stamp is written last, so an interrupted install is repeated.
$(VENV)/.stamp: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/python -m ensurepip > /dev/null
	touch $@

.venv: $(VENV)/.stamp ## Create the virtual environment from requirements.lock

demo: $(VENV)/.stamp ## Run the pipeline on this machine: from DynamoDB to Athena
	$(BIN)/python -m local demo

up: $(VENV)/.stamp ## Keep the local stack running for other shells
	$(BIN)/python -m local up

dashboard: $(VENV)/.stamp ## Run the local stack with a flow of orders and a live dashboard
	$(BIN)/python -m local dashboard

# dbt pins other versions of what we use, so it has an environment of its own.
.venv-dbt: .venv-dbt/.stamp
.venv-dbt/.stamp: examples/dbt/requirements.txt | $(VENV)/.stamp
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-dbt
	$(BIN)/uv pip install --quiet --python .venv-dbt/bin/python -r examples/dbt/requirements.txt
	touch $@

dbt: $(VENV)/.stamp .venv-dbt/.stamp ## Build examples/dbt on the running local stack, or on STACK=dev
	$(BIN)/python -m scripts.dbt $(if $(STACK),--stack $(STACK))

quick: $(VENV)/.stamp ## Run the tests that need no emulator, Spark, browser or Pulumi CLI
	$(BIN)/python -m pytest -n $$(getconf _NPROCESSORS_ONLN) $(DISTRIBUTE) -q -m "not (browser or emulator or engine or spark)"

test: $(VENV)/.stamp ## Run all tests
	$(BIN)/python -m pytest $(WORKERS)

setup-tests: pulumi-cli .venv-dbt/.stamp ## Install a browser, the Pulumi CLI and dbt; without them some tests are skipped
	scripts/browser.sh

acceptance: $(VENV)/.stamp ## Deploy, test and destroy a stack in a real account; asks before it costs money
	$(BIN)/python -m acceptance

bench: $(VENV)/.stamp ## Benchmark against alternatives
	$(BIN)/python -m benchmarks

bench-record: $(VENV)/.stamp ## Run the benchmarks and record the results in docs/
	$(BIN)/python -m benchmarks --json > docs/benchmarks.new
	mv docs/benchmarks.new docs/benchmarks.jsonl
	$(BIN)/python -m scripts.reference

scaling: $(VENV)/.stamp ## Simulate the disturbances of docs/scaling.md, and record figures and plots
	$(BIN)/python -m simulation --record
	$(BIN)/python -m scripts.reference

chaos: $(VENV)/.stamp ## Inject 210 faults into the running pipeline and check that nothing is lost
	$(BIN)/python -m chaos

least-privilege: $(VENV)/.stamp ## Remove each permission in turn and check that the run fails without it
	$(BIN)/python -m chaos.least_privilege

load: $(VENV)/.stamp ## Run at a high rate for 5 minutes and check for flat memory and no lag
	$(BIN)/python -m chaos.load --rate 400

fuzz: $(VENV)/.stamp ## Fuzz every parser of external input with 2,000 inputs
	$(BIN)/python -m pytest -n auto --hypothesis-profile=long tests/operations/test_any_input.py tests/operate/test_replay_input.py tests/transform/test_transform_properties.py

pulumi-cli: ## Build the Pulumi CLI from its Go modules if it cannot be downloaded
	$(PYTHON) scripts/pulumi_cli.py

trino: $(VENV)/.stamp ## Record what Trino answers to the golden statements of tests/athena; needs Java 24
	$(BIN)/python -m scripts.trino

audit: $(VENV)/.stamp ## Check the locked packages for known vulnerabilities; needs a network
	$(BIN)/python scripts/audit.py

pr: format-check lint types coverage ## Run the CI checks: format, lint, types, all tests, coverage

format: $(VENV)/.stamp ## Format the code
	$(BIN)/ruff format $(OWN)
	$(BIN)/ruff check --fix $(OWN)

format-check: $(VENV)/.stamp
	$(BIN)/ruff format --check $(OWN)

lint: $(VENV)/.stamp
	$(BIN)/ruff check $(OWN)

types: $(VENV)/.stamp
	$(BIN)/mypy

coverage: $(VENV)/.stamp
	$(BIN)/python -m pytest $(WORKERS) --cov --cov-report=term:skip-covered --cov-fail-under=85

reference: $(VENV)/.stamp ## Generate the tables in docs/ from the code
	$(BIN)/python -m scripts.reference

lock: $(VENV)/.stamp ## Lock the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --all-extras --python-version 3.11 --upgrade \
	  --no-header --no-annotate --quiet --output-file requirements.lock

clean: ## Remove all generated files
	rm -rf $(VENV) .venv-dbt .build .local .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
