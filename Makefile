# Every target of the project; `make help` lists them.
SHELL := bash
.DEFAULT_GOAL := help
BIN := .venv/bin
# pytest's status 5 is "no test": fine where ARGS choose from one half alone, a fault where everything should have run.
NONE_CHOSEN = { [ $$? -eq 5 ] && [ -n "$(ARGS)" ]; }

.PHONY: help setup demo run test unit lint format schemas bench lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  \033[1m%-9s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv and install what is missing (quick when nothing changed)
	@scripts/setup.sh

demo: setup ## Start everything and show a guided tour (ONCE=1: once, then stop)
	@$(BIN)/python -m devstack.demo $(if $(ONCE),--once)

run: setup ## Start everything on the development ports until Ctrl-C (ARGS="--gateways 2")
	@$(BIN)/python -m devstack.run $(ARGS)

test: setup lint ## Check style and run every test (ARGS="-k name")
	@$(BIN)/pytest -n 2 -m "not chaos" --durations 10 $(ARGS) || $(NONE_CHOSEN)
	@$(BIN)/pytest -m chaos --durations 10 $(ARGS) || $(NONE_CHOSEN)

unit: setup ## Run only the tests that start nothing
	@$(BIN)/pytest tests/unit $(ARGS)

lint: setup ## Check style, types and who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## Put the code into its form
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

schemas: setup ## Write the JSON schemas of the wire contracts
	@$(BIN)/python -m libs.schemas.generate

bench: setup ## Measure (BENCH=name: only that one)
	@$(BIN)/python -m bench $(BENCH)

lock: setup ## Resolve requirements/*.in again (ARGS="--upgrade-package rich")
	@scripts/lock.sh $(ARGS)

clean: ## Remove the environment, caches and the default data of make run
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	rm -rf tests/contract/js/node_modules clients/js/node_modules clients/js/dist "$$HOME/.cache/carillon/stack"
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
