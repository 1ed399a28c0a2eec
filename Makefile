# Two commands do everything on a fresh machine: `make demo` and `make test`. Each makes its environment by itself.
# Needed before: python3.13 and make; for `make test` also Node 20, for two of its checkers.

PYTHON ?= python3.13
UV_VERSION := 0.13.8
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH="$(CURDIR):$(CURDIR)/layers/signalbox:$(CURDIR)/local:$(CURDIR)/operate"
WHEELS := $(CURDIR)/.cache/wheels
# What a build of the layer installs from, so that it needs no network: see layers/signalbox/Makefile.
OFFLINE := PIP_NO_INDEX=1 PIP_FIND_LINKS="$(WHEELS)" SAM_CLI_TELEMETRY=0
PATHS := functions layers/signalbox/signalbox local operate projects tests
PROGRAMS := projects/iris/iris-decision-tree/train projects/iris/iris-decision-tree/serve

.PHONY: help demo up test install check unit gates system bench format clean

help:  ## Show what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*##/\t/'

demo: .venv/ready .cache/wheels/ready  ## Run the main job on this machine: upload, train, review, release, predict
	@$(RUN) $(BIN)/python -m signalbox_local demo $(DEMO)

up: .venv/ready .cache/wheels/ready  ## Keep a deployed local cloud running until Ctrl-C
	@$(RUN) $(BIN)/python -m signalbox_local up $(UP)

test: install check unit gates system  ## Run every check and every test

install: .venv/ready .cache/wheels/ready tests/gates/node/node_modules/ready

check: .venv/ready  ## Format, lint, types
	@$(RUN) ruff format --check $(PATHS) $(PROGRAMS)
	@$(RUN) ruff check $(PATHS) $(PROGRAMS)
	@$(RUN) mypy

unit: .venv/ready  ## Unit and contract tests, with the coverage that they reach
	@$(RUN) $(OFFLINE) python -m pytest -n 3 --dist loadfile tests/unit tests/sagemaker_local tests/contract --cov --cov-report=term --cov-fail-under=90

gates: install  ## The template, the machines, the rules, IAM, the built artefacts
	@$(RUN) $(OFFLINE) python -m pytest -n 2 tests/gates

system: .venv/ready .cache/wheels/ready  ## The whole thing on the local cloud
	@$(RUN) $(OFFLINE) python -m pytest tests/system

bench: .venv/ready .cache/wheels/ready  ## Measure, as ratios side by side
	@$(RUN) $(OFFLINE) python -m tests.bench

format: .venv/ready  ## Format and mend what can be mended
	@$(RUN) ruff check --fix $(PATHS) $(PROGRAMS)
	@$(RUN) ruff format $(PATHS) $(PROGRAMS)

clean:  ## Remove what builds, tests and the local cloud left
	rm -rf .aws-sam .signalbox .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov

.venv/ready: uv.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Signalbox needs Python 3.13: install it, or name yours with make PYTHON=..."; exit 1; }
	@echo "Installing what Signalbox needs into .venv (once; one or two minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@$(BIN)/uv sync --frozen --quiet --inexact
	@touch $@

.cache/wheels/ready: layers/signalbox/requirements.txt | .venv/ready
	@mkdir -p "$(WHEELS)"
	@$(RUN) $(MAKE) --no-print-directory -C layers/signalbox wheels WHEELS="$(WHEELS)"
	@touch $@

tests/gates/node/node_modules/ready: tests/gates/node/package-lock.json
	@command -v npm >/dev/null || { echo "make test needs Node 20 for two of its checkers: install it and run again"; exit 1; }
	@npm ci --silent --no-audit --no-fund --prefix tests/gates/node
	@touch $@
