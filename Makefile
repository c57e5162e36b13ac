# The commands of this project. Each works as the first one in a fresh clone, on a machine with Python 3.11 or newer,
# make, and a network that reaches PyPI and npm. Everything that they install stays inside the repository.

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
RUN := $(VENV)/bin/python
LOGS := .cache/logs

# What setup has finished, each made as its last step: after an interruption the step starts again. The demo's packages are
# a part of all packages.
PACKAGES := $(VENV)/.installed
DEMO := $(VENV)/.installed-demo
PRISM := mockserver/node_modules/.package-lock.json

# Tried in this order; the newest ones come late, because not every package has a build for them yet.
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11 python3 python3.14 python

# Its PyPI package brings pyright itself along, and would ask npm for a newer one at each run.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export npm_config_cache := $(CURDIR)/.cache/npm
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
# The Python is the one found below; uv would fetch another one from elsewhere.
export UV_PYTHON_DOWNLOADS := never
# These point at other packages than those installed here.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV
# Without byte code every process compiles every module again: the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

# $(call quietly,name,command) keeps a command's words to itself, unless it fails.
quietly = mkdir -p $(LOGS) && { $(2); } >$(LOGS)/$(1).log 2>&1 || \
    { cat $(LOGS)/$(1).log >&2; echo 'error: $(1) failed; what it said is above and in $(LOGS)/$(1).log' >&2; exit 1; }

.PHONY: help setup lock demo test quick test-python check sync spec spec-diff generate report update scaffold mock record bench

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(PACKAGES) $(PRISM) ## Install everything, which the other commands do by themselves
	@echo 'Everything is installed'

# A stamp holds the folder, because an environment does not work in another one.
usable = test "$$(cat $(1) 2>/dev/null)" = "$$(pwd -P)" && $(RUN) -c '' 2>/dev/null
ifneq ($(shell $(call usable,$(PACKAGES)) && echo usable),usable)
.PHONY: $(PACKAGES)
endif
ifneq ($(shell $(call usable,$(DEMO)) && echo usable),usable)
.PHONY: $(DEMO)
endif

# $(call environment) makes one, unless an earlier step has made one that works.
define environment
{ $(call usable,$(PACKAGES)); } || { $(call usable,$(DEMO)); } || { \
    for python in $(PYTHONS); do \
        rm -rf $(VENV); \
        if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
            && $$python -m venv $(VENV) >/dev/null 2>&1; then exit 0; fi; \
    done; \
    rm -rf $(VENV); \
    echo 'error: no Python 3.11 or newer that can make virtual environments;' \
        'install one (Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python3' >&2; \
    exit 1; \
}
endef

# $(call install,lock) installs what a lock pins and nothing else, and the package itself, built by pinned tools.
install = $(call quietly,pip,$(RUN) -m pip install --disable-pip-version-check --no-input --no-deps --require-hashes \
    -r requirements/setup.txt) && \
    $(call quietly,uv,$(RUN) -m uv pip sync --python $(RUN) --compile-bytecode --require-hashes requirements/$(1).txt && \
    $(RUN) -m uv pip install --python $(RUN) --no-deps --no-build-isolation -e .)

$(PACKAGES): requirements/dev.txt requirements/setup.txt pyproject.toml
	@$(environment)
	@rm -f $(PACKAGES) $(DEMO)
	@echo 'Installing Python packages into $(VENV)'
	@$(call install,dev)
	@pwd -P >$@

$(DEMO): requirements/demo.txt requirements/setup.txt pyproject.toml
	@$(environment)
	@rm -f $(PACKAGES) $(DEMO)
	@echo 'Installing what the demo needs into $(VENV)'
	@$(call install,demo)
	@pwd -P >$@

$(PRISM): mockserver/package.json mockserver/package-lock.json | $(PACKAGES)
	@echo 'Installing Prism from npm'
	@$(call quietly,npm,$(RUN) -c 'from contentgroove_mock.prism import install; install()')
	@touch $@

lock: $(PACKAGES) ## Renew what is installed, within requirements/*.in and pyproject.toml (KEEP=1: only what they changed)
	@$(RUN) -m toolchain.lock renew $(if $(KEEP),--keep)

# What everything else needs serves the demo, too.
demo: $(if $(wildcard $(PACKAGES)),$(PACKAGES),$(DEMO)) ## Do the main job offline: upload a video, wait, get the webhook and the clips
	@$(RUN) examples/demo.py

# What the tests have seen of the contract: a page to read, and the same for programs.
REPORTS := $(foreach kind,html json xml,--contentgroove-coverage=.cache/contract-coverage.$(kind))

test: check $(PRISM) ## Check and test everything
	@echo 'Running tests'
	@$(RUN) -m pytest -q -n 2 --contentgroove-fail-under=100 $(REPORTS)

# What can be tried at every save: what starts no process, reaches no further than loopback and takes no time. The folders
# that are left out hold little of that, and import much.
quick: $(PACKAGES) ## Format, lint and the quick tests
	@$(MAKE) --no-print-directory check-format check-lint
	@$(RUN) -m pytest -q -n 2 -m 'not process and not slow' \
	    $(addprefix --ignore=tests/,mcp plugin prism conformance spec/diff)

test-python: $(PACKAGES) ## Try the wheel on a Python (PYTHON=python3.14; VERSIONS=lowest or newest: of what it requires)
	@$(RUN) -m toolchain.try_python $(if $(VERSIONS),--versions '$(VERSIONS)') '$(or $(PYTHON),$(RUN))'

# Side by side: the type checkers take a core each.
check: $(PACKAGES) ## Formatting, lint, types, and whether locks and what is generated are up to date
	@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j2) $(addprefix check-,pyright mypy format lint locks generated sync)

.PHONY: check-format check-lint check-mypy check-pyright check-locks check-generated check-sync
check-format:
	@echo 'Checking format'
	@$(call quietly,format,$(RUN) -m ruff format --check .)
check-lint:
	@echo 'Checking lint'
	@$(call quietly,lint,$(RUN) -m ruff check .)
check-mypy:
	@echo 'Checking types with mypy'
	@$(call quietly,mypy,$(RUN) -m mypy)
check-pyright:
	@echo 'Checking types with pyright'
	@$(call quietly,pyright,$(RUN) -m pyright --pythonpath $(RUN))
check-locks:
	@echo 'Checking that the locks are what is wanted'
	@$(call quietly,locks,$(RUN) -m toolchain.lock check)
check-generated:
	@echo 'Checking that the contract and the generated client are up to date'
	@$(call quietly,generated,$(RUN) -m spec.pipeline check)
check-sync:
	@echo 'Checking that the sync client is up to date'
	@$(call quietly,sync,$(RUN) overlay/make_sync.py --check)

spec: $(PACKAGES) ## Pull the published document (MIRROR=1.3.1: of that npm release; FILE=path: a local one)
	@$(RUN) -m spec.pipeline pull $(if $(MIRROR),--mirror '$(MIRROR)') $(if $(FILE),--file '$(FILE)')

spec-diff: $(PACKAGES) ## What a newly published document means (MIRROR, FILE as above; or any two: OLD=1.3.1 NEW=1.3.17)
	@$(RUN) -m $(if $(OLD),contentgroove spec diff '$(OLD)' $(if $(NEW),'$(NEW)'),spec.pipeline diff \
	    $(if $(MIRROR),--mirror '$(MIRROR)') $(if $(FILE),--file '$(FILE)')) \
	    $(if $(FORMAT),--format '$(FORMAT)') $(if $(OUTPUT),--output '$(OUTPUT)') $(if $(FAIL_ON),--fail-on '$(FAIL_ON)')

sync: $(PACKAGES) ## Generate the sync client from the async one
	@$(RUN) overlay/make_sync.py

generate: $(PACKAGES) ## Correct the document, verify it, regenerate the client (ACCEPT=1: expect what is published now; FOLDER=path: of any API)
	@$(RUN) -m spec.pipeline $(if $(FOLDER),--folder '$(FOLDER)') generate $(if $(ACCEPT),--accept)

report: $(PACKAGES) ## What a document describes, and its problems (FOLDER=path: any API's; AGAINST=path: what changed since)
	@$(RUN) -m spec.pipeline $(if $(FOLDER),--folder '$(FOLDER)') report $(if $(AGAINST),--against '$(AGAINST)') \
	    $(if $(FORMAT),--format '$(FORMAT)') $(if $(OUTPUT),--output '$(OUTPUT)')

update: $(PACKAGES) $(PRISM) ## Take over a newly published document as far as no person is needed (MIRROR, FILE as above)
	@$(RUN) -m spec.pipeline update $(if $(MIRROR),--mirror '$(MIRROR)') $(if $(FILE),--file '$(FILE)') \
	    $(if $(FORMAT),--format '$(FORMAT)') $(if $(OUTPUT),--output '$(OUTPUT)')

scaffold: $(PACKAGES) $(PRISM) ## Write the code of a resource that the contract has and the SDK lacks (RESOURCE=projects; MODEL=Project)
	@$(RUN) -m spec.pipeline scaffold '$(RESOURCE)' $(if $(MODEL),--model '$(MODEL)')

mock: $(PACKAGES) $(if $(FOLDER),$(PRISM)) ## Serve the simulated service (PORT=8080; FOLDER=path: a checked mock of any API's document)
	@$(RUN) -m $(if $(FOLDER),spec.pipeline --folder '$(FOLDER)' mock,contentgroove mock) --port $(or $(PORT),0)

# A key in the environment stays there: it is no argument of any command.
record: $(PACKAGES) $(PRISM) ## Record tests/recorded/exchanges again (LIVE=1: from the service; WRITES=1: with what creates)
	@$(RUN) -m contentgroove_mock.recording tests/recorded/exchanges $(if $(LIVE),--live) $(if $(WRITES),--writes)

bench: $(PACKAGES) ## Measure calls and uploads against their rivals; needs curl (SIZE=1GiB of an upload)
	@$(RUN) -m benchmarks.calls
	@$(RUN) -m benchmarks.command_line
	@$(RUN) -m benchmarks.contract
	@$(RUN) -m benchmarks.documents
	@$(RUN) -m benchmarks.simulator
	@$(RUN) -m benchmarks.webhooks
	@$(RUN) -m benchmarks.inboxes
	@$(RUN) -m benchmarks.upload --size '$(or $(SIZE),1GiB)'
