# Two commands do everything: `make devnet` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TALLYSTICK := $(BIN)/tallystick
WORKERS ?= 2
L1 ?= embedded

.DEFAULT_GOAL := help
.PHONY: help setup devnet demo tools test check coverage mutate format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## make .venv with the locked dependencies

$(READY): requirements/dev.txt pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh

devnet: $(READY) ## run L1, sequencer, follower, claimant and a market maker (L1=anvil)
	$(TALLYSTICK) devnet --l1 $(L1)

demo: $(READY) ## tell the story over real sockets: under bond, with a liar, and in validity mode (L1=anvil)
	$(TALLYSTICK) demo --l1 $(L1)
	$(TALLYSTICK) demo --l1 $(L1) --evil priority
	$(TALLYSTICK) demo --l1 $(L1) --mode validity-mock

tools: ## install anvil, cast and viem into .tools, as locked; needs npm
	@sh scripts/tools.sh

test: $(READY) ## run the whole suite
	$(BIN)/python -P -m pytest -n $(WORKERS) --dist worksteal

check: $(READY) ## lint, types, import arrows, spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

coverage: $(READY) ## lines and branches of state/ that its tests reach
	$(BIN)/python -P -m coverage run -m pytest tests/state tests/prover
	$(BIN)/python -P -m coverage report

mutate: $(READY) ## break the money modules of state/ on purpose; an hour or more, in a copy
	@BIN="$(BIN)" WORKERS="$(WORKERS)" sh scripts/mutate.sh $(MUTANTS)

format: $(READY) ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what setup, tools and the tests made
	rm -rf $(VENV) .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
