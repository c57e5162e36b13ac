# The commands of this project. `make demo` and `make test` work from nothing: Python 3.11+, make and a network that
# reaches PyPI and npm.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
READY := $(VENV)/.ready
LOG := .cache/setup.log
RUN := $(VENV)/bin/python
# Inside the repository, because HOME may be empty or not writable.
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.cache/pyright
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help setup demo test check spec generate mock

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-16s %s\n' "$$name" "$$text"; done

setup: $(READY) ## Install everything into .venv

# The stamp is made last: an interrupted setup begins anew.
$(READY): requirements/dev.txt pyproject.toml
	@mkdir -p .cache
	@for python in python3.13 python3.12 python3.11 python3 python; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	        found=$$python; break; \
	    fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo 'error: no Python 3.11 or newer with venv was found; install one (Debian: python3 and python3-venv).' >&2; \
	    exit 1; \
	fi; \
	echo "Setting up .venv with $$found (a minute or two; log in $(LOG))"; \
	rm -rf $(VENV); \
	{ $$found -m venv $(VENV) && $(VENV)/bin/python -m pip install --disable-pip-version-check -r requirements/dev.txt -e '.[all]'; } \
	    >$(LOG) 2>&1 || { tail -n 20 $(LOG) >&2; echo 'error: setup failed; the log above says why.' >&2; rm -rf $(VENV); exit 1; }
	@touch $@

demo: $(READY) ## Do the main job offline: upload, wait, webhook, clips
	@$(RUN) examples/demo.py

test: check ## Check and test everything
	@$(RUN) -m pytest -q

check: $(READY) ## Formatting, lint, types, and whether what is generated is up to date
	@$(VENV)/bin/ruff format --check --quiet . || { echo 'error: run `.venv/bin/ruff format .`' >&2; exit 1; }
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/pyright --pythonpath $(RUN)
	@$(RUN) -m spec.pipeline check

spec: $(READY) ## Pull the published document (MIRROR=1.3.1 or FILE=path for another source)
	@$(RUN) -m spec.pipeline pull $(if $(MIRROR),--mirror "$(MIRROR)") $(if $(FILE),--file "$(FILE)")

generate: $(READY) ## Correct, verify and regenerate
	@$(RUN) -m spec.pipeline generate

mock: $(READY) ## Serve the simulated service (PORT=8080)
	@$(VENV)/bin/contentgroove mock --port $(or $(PORT),0)
