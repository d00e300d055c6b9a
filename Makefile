# make        installs everything into .venv and runs the default experiment to its report
# make test   installs the same and runs the tests
# make lint   checks style; all three need nothing but Python 3.11 to 3.13 and a network
#
# More for Snakemake goes into ARGS:  make ARGS="--configfile resources/experiments/real_fields.yaml"
# More for pytest goes into TESTS:    make test TESTS="tests/test_sheet.py -x"

PYTHON ?= python3
ARGS ?=
TESTS ?=

INSTALLED := .venv/installed
BIN := .venv/bin

# rules and tests call `lusco` by its name
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test lint

run: $(INSTALLED)
	$(BIN)/snakemake --workflow-profile workflow/profiles/local $(ARGS)

test: $(INSTALLED)
	$(BIN)/pytest $(TESTS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
