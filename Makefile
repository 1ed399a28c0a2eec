# Two commands do everything on a fresh machine: `make demo` and `make test`. Each makes its environment by itself.
# Needed before: python3.13 and make; for `make test` also Node 20, for three of its checkers. Linux or macOS: make is
# that of macOS too (3.81), and no program is used that only GNU has.

PYTHON ?= python3.13
UV_VERSION := 0.13.8
BIN := .venv/bin
# What is compiled is kept, whatever the environment says: the tests start hundreds of programs of ours.
RUN := PYTHONDONTWRITEBYTECODE= PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH="$(CURDIR):$(CURDIR)/layers/signalbox:$(CURDIR)/local:$(CURDIR)/operate:$(CURDIR)/features:$(CURDIR)/notebooks/worker"
WHEELS := $(CURDIR)/.cache/wheels
# What a build of the layer installs from, so that it needs no network: see layers/signalbox/Makefile.
# pip takes a list with spaces between: a space inside of a folder's name has to be written otherwise.
SPACE := $(subst ,, )
OFFLINE := PIP_NO_INDEX=1 PIP_FIND_LINKS="file://$(subst $(SPACE),%20,$(WHEELS))" SAM_CLI_TELEMETRY=0
# What stops in a sentence, before anything is made: no right to write, another Python, another Node.
WRITABLE := test -w . || { echo "Signalbox writes into its folder, and may not write into $(CURDIR): give yourself that right, or clone it elsewhere"; exit 1; }
PYTHON_FITS := $(WRITABLE); \
	command -v $(PYTHON) >/dev/null || { echo "Signalbox needs Python 3.13: install it, or name yours with make PYTHON=..."; exit 1; }; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || { echo "Signalbox needs Python 3.13, and $(PYTHON) is `$(PYTHON) --version 2>&1`: name another with make PYTHON=..."; exit 1; }
NODE_FITS := $(WRITABLE); \
	command -v npm >/dev/null || { echo "make test needs Node 20 or later with npm, for three of its checkers: install it and run again"; exit 1; }; \
	node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || { echo "make test needs Node 20 or later, and this is `node --version`: install it and run again"; exit 1; }
VENV := test "`$(BIN)/uv --version 2>/dev/null | cut -d ' ' -f 2`" = "$(UV_VERSION)" || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"; }
PATHS := functions layers/signalbox/signalbox features local notebooks operate projects tests
PROGRAMS := projects/iris/iris-decision-tree/train projects/iris/iris-decision-tree/serve

.PHONY: help demo up env test install check unit gates system bench fidelity pictures format clean

help:  ## Show what can be made
	@awk -F ':.*## *' '/^[a-z]+:.*##/ {printf "%-10s%s\n", $$1, $$2}' Makefile

demo: .venv/demo .cache/wheels/ready  ## Run the main job on this machine: upload, train, review, release, predict, push
	@$(RUN) $(BIN)/python -m signalbox_local demo $(DEMO)

up: .venv/demo .cache/wheels/ready  ## Keep a deployed local cloud running until Ctrl-C
	@$(RUN) $(BIN)/python -m signalbox_local up $(UP)

env: .venv/demo  ## Print what a shell needs to work with it, for: eval "$(make -s env)"
	@$(RUN) $(BIN)/python -m signalbox_local env

test: install check unit gates system  ## Run every check and every test

install: .venv/ready .cache/wheels/ready tests/gates/node/node_modules/ready

check: .venv/ready  ## Format, lint, types
	@$(RUN) ruff format --check $(PATHS) $(PROGRAMS)
	@$(RUN) ruff check $(PATHS) $(PROGRAMS)
	@$(RUN) mypy

unit: .venv/ready  ## Unit and contract tests, with the coverage of the backend that they reach
	@$(RUN) $(OFFLINE) python -m pytest -n 4 --dist loadfile tests/unit tests/contract tests/sagemaker_local --cov --cov-report=term --cov-fail-under=95

gates: install  ## The template, the machines, the rules, IAM, the built artefacts
	@$(RUN) $(OFFLINE) python -m pytest -n 2 tests/gates

system: .venv/ready .cache/wheels/ready  ## The whole thing on the local cloud
	@$(RUN) $(OFFLINE) python -m pytest -n 2 tests/system

bench: .venv/ready .cache/wheels/ready  ## Measure, as ratios side by side: PARTS=... for some
	@$(BIN)/uv sync --frozen --quiet --inexact --group bench
	@$(RUN) $(OFFLINE) python -m tests.bench $(PARTS)

fidelity: .venv/ready  ## Run what others wrote for SageMaker, and say how each case went: CASES=... for some
	@$(RUN) python -m tests.fidelity $(CASES)

pictures: .venv/ready  ## Take the pictures of docs/mails-and-pages.md and docs/own-data.md anew, with a Chromium or Chrome
	@$(RUN) python -m tests.pictures

format: .venv/ready  ## Format and mend what can be mended
	@$(RUN) ruff check --fix $(PATHS) $(PROGRAMS)
	@$(RUN) ruff format $(PATHS) $(PROGRAMS)

clean:  ## Remove what builds, tests and the local cloud left
	rm -rf .aws-sam .signalbox .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov

# The demo and the local cloud need less than the tests do. The figures are those of Linux; a test compares them.
.venv/demo: uv.lock pyproject.toml
	@$(PYTHON_FITS)
	@echo "Installing what the demo needs into .venv, once: 140 MB to download, 550 MB on the disk; one or two minutes ..."
	@$(VENV)
	@$(BIN)/uv sync --frozen --quiet --inexact --no-group dev --no-group features
	@touch $@

# Tests start hundreds of programs, some without the right to write: the libraries are compiled once, for all of them.
.venv/ready: uv.lock pyproject.toml
	@$(PYTHON_FITS)
	@echo "Installing what Signalbox's tests need into .venv, once: 240 MB to download, 1,100 MB on the disk; two minutes ..."
	@$(VENV)
	@$(BIN)/uv sync --frozen --quiet --inexact --compile-bytecode
	@touch .venv/demo $@

.cache/wheels/ready: layers/signalbox/requirements.txt | .venv/demo
	@mkdir -p "$(WHEELS)"
	@$(RUN) $(MAKE) --no-print-directory -C layers/signalbox wheels WHEELS="$(WHEELS)"
	@touch $@

tests/gates/node/node_modules/ready: tests/gates/node/package-lock.json
	@$(NODE_FITS)
	@npm ci --silent --no-audit --no-fund --prefix tests/gates/node
	@touch $@
