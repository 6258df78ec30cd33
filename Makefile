# Everything a newcomer types. `make` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# Where set, this makes every dbt start twice as slow; interpreters cache bytecode here.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
export DO_NOT_TRACK = 1
export DBT_SEND_ANONYMOUS_USAGE_STATS = false

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SUPERSET := dayslice/services/superset
# Tests run in so many processes; 0 is in pytest itself, for a debugger.
WORKERS := 2
UV_INSTALL = VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode

.PHONY: help demo test test-quick test-without-demo lint format docs bench env lock clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: env  ## Two weeks of New York's flights: import, compute, audit, publish, and show what stands
	@$(BIN)/dayslice demo $(ARGS)

test: env lint  ## Lint, types and every test
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

# Embedded services only: what a person runs before each commit.
test-quick: env lint  ## Lint, types and the tests that need no stack, no running Airflow and no Superset
	$(BIN)/pytest -n $(WORKERS) -m "not trino and not airflow and not superset" $(ARGS)

# Not in CI, whose machine and time they would not fit: three JVMs of Trino, and Airflow on three nodes (as root).
test-nodes: env  ## Trino of several processes, Airflow on several nodes; some of which are killed
	@$(UV_INSTALL) --only-binary :all: --no-deps --require-hashes -r requirements-nodes.txt
	$(BIN)/pytest -m nodes tests/nodes $(ARGS)

# The product stands without the demo: a copy of the tree, less what is the demo's, in a repository of its own.
test-without-demo: env  ## The tests of test-quick, where the demo's models, seeds and dashboards are deleted
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && chmod 755 "$$copy" \
	    && git ls-files -- . ':!models' ':!seeds' ':!dashboards' | tar --create --files-from - | tar --extract --directory "$$copy" \
	    && cd "$$copy" && git init --quiet && git add --all \
	    && PYTHONPATH="$$copy" $(CURDIR)/$(BIN)/python -m pytest -n $(WORKERS) -m "not demo and not trino and not airflow and not superset" $(ARGS)

lint: env  ## Ruff, sqlfluff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar --dialect duckdb models
	$(BIN)/sqlfluff lint --disable-progress-bar --dialect trino models
	$(BIN)/sqlfluff lint --disable-progress-bar --exclude-rules layout.indent adapters/dbt/include/dayslice/macros

format: env  ## Put the code in its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

env: $(READY)  ## The environment: pinned, wheels only, bytecode compiled

# The stamp is written last, so an interrupted installation is done again.
$(READY): requirements.txt requirements-uv.txt requirements-data.txt pyproject.toml Makefile
	@python=$$(for p in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	    $$p -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	    && { echo $$p; break; }; done); \
	if [ -z "$$python" ]; then \
	    echo "Dayslice needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt-get install python3-venv)." >&2; exit 1; \
	fi; \
	rm -f $(READY); \
	$(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	    || { echo "Making the environment with $$($$python --version) …"; $$python -m venv --clear $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements-uv.txt
	@$(UV_INSTALL) --only-binary :all: --require-hashes -r requirements.txt
	@$(UV_INSTALL) --no-deps --no-build-isolation --editable .
	@$(UV_INSTALL) --no-deps --build-constraints requirements-build.txt -r requirements-data.txt
	@touch $(READY)

lock: env  ## Resolve each requirements.in into its requirements.txt (no index addresses in them)
	$(BIN)/uv pip compile --quiet --only-binary :all: --generate-hashes --no-header --universal \
	    --python-version 3.11 requirements.in --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --only-binary :all: --generate-hashes --no-annotate --no-header --universal \
	    --python-version 3.11 requirements-nodes.in \
	    | awk 'NR == FNR { known[$$1]; next } /^[^ #]/ { more = !($$1 in known) } more' requirements.txt - > requirements-nodes.txt
	$(BIN)/uv pip compile --quiet --only-binary :all: --no-binary odfpy --no-binary wtforms-json --generate-hashes \
	    --no-header --universal --python-version 3.11 $(SUPERSET)/requirements.in --output-file $(SUPERSET)/requirements.txt

clean:  ## Remove the environment and the local warehouse
	rm -rf $(VENV) warehouse target logs
