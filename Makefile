# Everyday commands; `make` alone lists them. For POSIX sh and GNU make from 3.81 on, the one macOS brings.

PYTHON ?= python3
ENV := .venv
BIN := $(ENV)/bin

INSTALLED := $(ENV)/.installed
# The lock that was installed, written when it has been: an installation that was interrupted is known by its lack.
LOCKED := $(ENV)/requirements.lock
LOG := $(ENV)/install.log

RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help reports lab test check bench soak docs lock setup
.DELETE_ON_ERROR:

help: ## list these commands
	@echo "qieval, from tidy tables to reports. Commands:"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "The first one sets up $(ENV), which takes about a minute. It needs Python 3.11 or newer; to name"
	@echo "one that is not called python3: make reports PYTHON=python3.12"

reports: setup ## make a report for every file in params/
	@$(BIN)/qieval run params/*.yaml

lab: setup ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=notebooks

test: setup ## run all tests
	@$(BIN)/python -m pytest -q -n auto

check: setup ## check style, types, and that notebooks are stored without outputs
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb
	@echo "Checked: style, types and notebooks are in order."

bench: setup ## measure how many charts a second there are, and what a batch costs beside other ways, in half an hour
	@$(BIN)/python benchmarks/spc.py
	@$(BIN)/python benchmarks/batch.py
	@$(BIN)/python benchmarks/batch.py --of small --long
	@$(BIN)/python benchmarks/batch.py --of demo --rounds 1

soak: setup ## kill a batch at 50 random moments and see that nothing is lost, in some ten minutes
	@QIEVAL_KILLS=50 $(BIN)/python -m pytest -q tests/batch/test_kills.py

docs: setup ## write docs/data.md and docs/parameters.md anew from the source
	@$(BIN)/python -m qieval.study.dictionary docs

lock: ## write requirements.lock anew, with the newest versions that pyproject.toml allows
	@$(PYTHON) -c '$(RECENT)' 2>/dev/null || { $(TOO_OLD); exit 1; }
	@echo "Choosing versions ..."
	@new=$$(mktemp -d) && trap 'rm -rf "$$new"' EXIT && trap 'exit 1' INT TERM && \
	$(PYTHON) -m venv "$$new/env" && \
	"$$new/env/bin/python" -m pip --quiet --disable-pip-version-check install uv && \
	"$$new/env/bin/uv" pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--output-file "$$new/requirements.lock" pyproject.toml && \
	cp "$$new/requirements.lock" requirements.lock
	@echo "requirements.lock is new; the next command installs it."

# Bytecode is compiled even where the environment forbids Python to write it: every notebook is a new process.
setup: $(INSTALLED)
	@$(BIN)/python -m compileall -q src

# An environment made for another lock, interrupted, or whose Python has gone is made again from nothing, since pip
# would leave in it what is no longer asked for.
$(INSTALLED): requirements.lock pyproject.toml
	@rm -f $@
	@if ! $(BIN)/python -c '$(RECENT)' 2>/dev/null || { [ -e $(LOCKED) ] && ! cmp -s requirements.lock $(LOCKED); }; then \
		$(PYTHON) -c '$(RECENT)' 2>/dev/null || { $(TOO_OLD); exit 1; }; \
		rm -rf $(ENV) && mkdir $(ENV) && : > $(LOCKED) && $(PYTHON) -m venv $(ENV); \
	fi
	@if ! cmp -s requirements.lock $(LOCKED); then \
		echo "Installing what qieval needs into $(ENV) (once, about a minute)"; \
		: > $(LOCKED); \
		$(PIP) install --require-hashes --compile --requirement requirements.lock > $(LOG) 2>&1 || { $(FAILED); exit 1; }; \
		cp requirements.lock $(LOCKED); \
	fi
	@$(PIP) install --no-deps --no-build-isolation --compile --editable . > $(LOG) 2>&1 || { $(FAILED); exit 1; }
	@touch $@

define TOO_OLD
echo "qieval needs Python 3.11 or newer, and $(PYTHON) is not: install one and name it, as in: make reports PYTHON=python3.12" >&2
endef

define FAILED
tail -n 20 $(LOG) >&2; echo "The installation failed, see above. Once that is mended, give the same command again." >&2
endef
