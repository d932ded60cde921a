# The same commands here and in CI. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=

# Without it, every program that a test starts would compile all of the bot anew.
unexport PYTHONDONTWRITEBYTECODE

# Half as many more than cores: tests wait for disks and for other programs much of the time.
WORKERS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))

.PHONY: help install run test check docs fmt migration messages bench backfill-trial first-day fit model screenshot gallery situations clean

help: ## List what can be made
	@echo "Threadwise: make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Options go in ARGS, for example: make run ARGS="--no-browser --port 8765"'

install: $(VENV)/.dev ## Make .venv with everything for running and developing

run: $(VENV)/.demo ## Start the bot: on Discord with a token, otherwise a demo in the browser
	@$(BIN)/python -m bot $(ARGS)

test: $(VENV)/.dev ## Run all tests (with ARGS=--cov, report branch coverage, which takes longer)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

check: $(VENV)/.dev ## Check format, lint, types and import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: $(VENV)/.dev ## Build the documentation into site/; a broken link is an error
	$(BIN)/zensical build --strict --clean

fmt: $(VENV)/.dev ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

migration: $(VENV)/.dev ## Begin a migration of the database: make migration NAME="what it does"
	$(BIN)/python -m scripts.new_migration "$(NAME)"
	@$(BIN)/ruff format --quiet bot/store/migrations/versions

messages: $(VENV)/.dev ## Bring bot/locale up to date with the words in the code (LANGUAGE=nl begins one)
	@$(BIN)/python -m scripts.messages $(if $(filter command line,$(origin LANGUAGE)),$(LANGUAGE))

bench: $(VENV)/.bench ## Measure speed, memory and disk, beside other ways to search
	$(BIN)/python scripts/bench.py $(ARGS)

backfill-trial: $(VENV)/.dev ## Fill 5,000 posts in with a bot that is killed 20 times (ARGS: --posts, --kills, --seed)
	$(BIN)/python -m scripts.backfill_trial $(ARGS)

first-day: $(VENV)/.dev ## Ask what people ask on the first day (ARGS: --seeds, --wrong, --missed)
	$(BIN)/python scripts/first_day.py $(ARGS)

fit: $(VENV)/.fit ## Fit the ranker's constants on the test sets named in ARGS
	$(BIN)/python scripts/fit.py $(ARGS)

model: $(VENV)/.models ## Build a better model, mpnet or multilingual: make model NAME=mpnet
	@$(BIN)/python scripts/build_model.py "$(NAME)" $(ARGS)

screenshot: $(VENV)/.screenshots ## Make docs/demo.png from the demo (needs Debian's chromium)
	$(BIN)/python scripts/screenshot.py $(ARGS)

gallery: $(VENV)/.screenshots ## Make docs/gallery.png, hard posts as the demo shows them (needs chromium)
	$(BIN)/python scripts/gallery.py $(ARGS)

situations: $(VENV)/.screenshots ## Make docs/first-day.png, what people meet first (needs chromium)
	$(BIN)/python scripts/situations.py $(ARGS)

clean: ## Remove .venv, caches and build leftovers (not your data)
	rm -rf $(VENV) build dist site .cache .coverage .coverage.* htmlcov
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What the bot itself has, wherever there are wheels for it: see `run` below.
EXTRAS_demo := demo,dumps,semantic
EXTRAS_models := demo,models

# One stamp for each set of extras (each holds the demo's); stale when pyproject.toml has changed.
$(VENV)/.demo $(VENV)/.dev $(VENV)/.bench $(VENV)/.fit $(VENV)/.models $(VENV)/.screenshots: $(VENV)/.%: $(VENV)/.made pyproject.toml
	@echo "Installing Threadwise into $(VENV) (once; a minute or two) ..."
	@$(PIP) --editable '.[$(or $(EXTRAS_$*),$*)]' || { [ $* = demo ] && \
		echo "Not everything is to be had for this machine: trying without meaning ..." && \
		$(PIP) --editable '.[demo]'; }
	@touch $@ $(VENV)/.demo

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Threadwise needs Python 3.11 or newer, and there is no '$(PYTHON)' here." \
			"Install it from https://www.python.org/downloads/" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Threadwise needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V)." \
			"With another one: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv module is missing." \
			"On Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 2; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@
