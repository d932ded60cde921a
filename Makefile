# The same commands here and in CI. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(PIP) --require-hashes --requirement
TOOLS := $(VENV)/tools
ARGS ?=

# Without it, every program that a test starts would compile all of the bot anew.
unexport PYTHONDONTWRITEBYTECODE

# Half as many more than cores: tests wait for disks and for other programs much of the time.
WORKERS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))

.PHONY: help install run test test-all check docs fmt migration messages bench backfill-trial soak first-day fit model screenshot gallery situations lock outdated image clean

help: ## List what can be made
	@echo "Threadwise: make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Options go in ARGS, for example: make run ARGS="--no-browser --port 8765"'

install: $(VENV)/.dev ## Make .venv with everything for running and developing

run: $(VENV)/.run ## Start the bot: on Discord with a token, otherwise a demo in the browser
	@$(BIN)/python -m bot $(ARGS)

test: $(VENV)/.dev ## Run the tests, but for the slow ones; or those that ARGS names
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(ARGS)

test-all: $(VENV)/.dev ## Run all tests, the slow ones as well (with ARGS=--cov, report branch coverage)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal --all $(ARGS)

check: $(VENV)/.dev ## Check format, lint, types, import directions and the Dockerfile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/hadolint Dockerfile

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

bench: $(VENV)/.scripts ## Measure speed, memory and disk, beside other ways to search
	$(BIN)/python scripts/bench.py $(ARGS)

backfill-trial: $(VENV)/.dev ## Fill 5,000 posts in with a bot that is killed 20 times (ARGS: --posts, --kills, --seed)
	$(BIN)/python -m scripts.backfill_trial $(ARGS)

soak: $(VENV)/.dev ## Let the bot live through a year of ten servers (ARGS: --events, --servers, --restarts, --seed)
	$(BIN)/python scripts/soak.py $(ARGS)

first-day: $(VENV)/.dev ## Ask what people ask on the first day (ARGS: --seeds, --wrong, --missed)
	$(BIN)/python scripts/first_day.py $(ARGS)

fit: $(VENV)/.scripts ## Fit the ranker's constants on the test sets named in ARGS
	$(BIN)/python scripts/fit.py $(ARGS)

model: $(VENV)/.scripts ## Build a better model, mpnet or multilingual: make model NAME=mpnet
	@$(BIN)/python scripts/build_model.py "$(NAME)" $(ARGS)

screenshot: $(VENV)/.scripts ## Make docs/demo.png from the demo (needs Debian's chromium)
	$(BIN)/python scripts/screenshot.py $(ARGS)

gallery: $(VENV)/.scripts ## Make docs/gallery.png, hard posts as the demo shows them (needs chromium)
	$(BIN)/python scripts/gallery.py $(ARGS)

situations: $(VENV)/.scripts ## Make docs/first-day.png, what people meet first (needs chromium)
	$(BIN)/python scripts/situations.py $(ARGS)

lock: $(VENV)/.tools ## Renew requirements/*.txt from pyproject.toml (ARGS=--upgrade: the newest)
	@$(TOOLS)/bin/python scripts/lock.py $(ARGS)

outdated: $(VENV)/.run $(VENV)/.tools ## List packages with newer versions, and with known vulnerabilities
	@$(TOOLS)/bin/python scripts/outdated.py $(ARGS)

image: ## Build the container image threadwise (needs podman, docker or buildah)
	@tool=$$(command -v podman || command -v docker || command -v buildah) || { \
		echo "A container image is built by podman, docker or buildah; none of them is here." >&2; \
		exit 2; }; "$$tool" build --tag threadwise $(ARGS) .

clean: ## Remove .venv, caches and build leftovers (not your data)
	rm -rf $(VENV) build dist site .cache .coverage .coverage.* htmlcov
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each lock (each holds what `run` needs). pip takes no file but those with a checksum
# in the lock; the package itself is built by what the lock brings. After an update, no package that
# a lock has no longer is removed: `make clean` does.
$(VENV)/.run $(VENV)/.dev $(VENV)/.scripts: $(VENV)/.%: $(VENV)/.made pyproject.toml requirements/%.txt
	@echo "Installing Threadwise into $(VENV) (once; a minute or two) ..."
	@$(LOCKED) requirements/$*.txt || { [ $* = run ] && \
		echo "Not everything is to be had for this machine: trying without meaning ..." && \
		$(LOCKED) requirements/words.txt; }
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m bot model fetch || \
		echo "Until '$(BIN)/threadwise model fetch' succeeds, questions are matched by their words."
	@touch $@ $(VENV)/.run

$(VENV)/.tools: $(VENV)/.made requirements/tools.txt
	@echo "Installing what renews the locks into $(TOOLS) ..."
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --require-hashes --requirement requirements/tools.txt
	@touch $@

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
