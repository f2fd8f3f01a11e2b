# Each target makes the virtual environment it needs: on a fresh machine `make demo` is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OWN := .

.DEFAULT_GOAL := help
.PHONY: help .venv demo up dashboard quick test setup-tests acceptance bench bench-record chaos least-privilege load fuzz audit pulumi-cli pr format format-check lint types coverage reference lock clean

help: ## What there is to make
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# Made again when the lock changes. The stamp is written last, so an interrupted install is redone.
$(VENV)/.stamp: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/python -m ensurepip > /dev/null
	touch $@

.venv: $(VENV)/.stamp ## The virtual environment, from requirements.lock

demo: $(VENV)/.stamp ## Orders into DynamoDB, answers out of Athena, on this machine
	$(BIN)/python -m local demo

up: $(VENV)/.stamp ## The same, kept running for other shells
	$(BIN)/python -m local up

dashboard: $(VENV)/.stamp ## The stack with orders coming in, and a web page of the figures
	$(BIN)/python -m local dashboard

quick: $(VENV)/.stamp ## The tests that need no emulator, Spark, browser or Pulumi CLI
	$(BIN)/python -m pytest -n auto --dist loadgroup -q -m "not (browser or emulator or engine or spark)"

test: $(VENV)/.stamp ## Every test
	$(BIN)/python -m pytest -n auto --dist loadgroup

setup-tests: pulumi-cli ## A browser and the Pulumi CLI, without which some tests are skipped
	scripts/browser.sh

acceptance: $(VENV)/.stamp ## Prove a real account: a stack from nothing to nothing; asks before it costs
	$(BIN)/python -m acceptance

bench: $(VENV)/.stamp ## Measure against named peers
	$(BIN)/python -m benchmarks

bench-record: $(VENV)/.stamp ## The same, kept in docs/
	$(BIN)/python -m benchmarks --json > docs/benchmarks.new
	mv docs/benchmarks.new docs/benchmarks.jsonl
	$(BIN)/python -m scripts.reference

chaos: $(VENV)/.stamp ## Break the running chain 210 times and see that nothing is lost
	$(BIN)/python -m chaos

least-privilege: $(VENV)/.stamp ## Take each permission away and see the run fail for want of it
	$(BIN)/python -m chaos.least_privilege

load: $(VENV)/.stamp ## Hold the chain at a high rate for 5 minutes: flat memory, no lag
	$(BIN)/python -m chaos.load --rate 400

fuzz: $(VENV)/.stamp ## 2,000 inputs to each thing that reads what comes from outside
	$(BIN)/python -m pytest -n auto --hypothesis-profile=long tests/operations/test_any_input.py tests/operate/test_replay_input.py tests/transform/test_transform_properties.py

pulumi-cli: ## Build Pulumi's CLI from its Go modules, where it cannot be downloaded
	$(PYTHON) scripts/pulumi_cli.py

audit: $(VENV)/.stamp ## Known holes in the locked packages; needs a network
	$(BIN)/python scripts/audit.py

pr: format-check lint types coverage ## All that CI does: format, lint, types, every test, coverage

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
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered --cov-fail-under=85

reference: $(VENV)/.stamp ## Write the tables of docs/ from the code
	$(BIN)/python -m scripts.reference

lock: $(VENV)/.stamp ## Lock the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --all-extras --python-version 3.11 --upgrade \
	  --no-header --no-annotate --quiet --output-file requirements.lock

clean: ## Remove everything that was made
	rm -rf $(VENV) .build .local .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
