# Needs python3 (3.11 or newer) and make; everything else is installed into .venv.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
BIN    := $(VENV)/bin

# Thousands of test files and processes: without bytecode each of them is compiled anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.NOTPARALLEL:

# ---- installing: one stamp per dependency group, renewed when pyproject.toml changes -------------------------

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gatekit needs Python 3.11 or newer, and $(PYTHON) is older: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# pip 25.1 is the first that reads dependency groups.
$(VENV)/.installed: pyproject.toml | $(PY)
	$(PY) -m pip install --quiet 'pip>=25.1'
	$(PY) -m pip install --quiet --editable .
	@touch $@

$(VENV)/.group-%: $(VENV)/.installed
	$(PY) -m pip install --quiet --group $*
	@touch $@

.PHONY: setup
setup: $(VENV)/.group-dev ## install gatekit and all that its development needs

# ---- using ---------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.installed ## an agent tidies a folder and asks; HEADLESS=1 lets a script decide
	$(BIN)/gatekit demo $(if $(filter-out 0,$(HEADLESS)),--headless)

.PHONY: screenshot
screenshot: $(VENV)/.installed ## draw the dashboard's pictures in the pages again; ALL=FOLDER draws all there are into it
	$(PY) docs/make_screenshot.py $(ALL)

.PHONY: bench
bench: $(VENV)/.group-test ## the table of ratios, with the floor beside each
	$(PY) -m benchmarks

# ---- checking ------------------------------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.group-test ## the tests, in under three minutes; ARGS="-k name" narrows them
	$(PY) -m pytest -q -n 2 --dist worksteal --ignore tests/frameworks $(ARGS)

.PHONY: long
long: $(VENV)/.group-test ## the long forms of the tests, several minutes
	$(PY) -m pytest -q -m long --timeout 900 --ignore tests/frameworks $(ARGS)

.PHONY: sweep
sweep: $(VENV)/.group-test ## crashes, power loss, file faults and whole pages typed, in a short form
	$(PY) -m pytest -q -n 4 --dist worksteal -m "sweep and not long" --timeout 300 --ignore tests/frameworks $(ARGS)

.PHONY: lint
lint: $(VENV)/.group-lint ## ruff, mypy, pyright, the floors, and whether the reference is up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(PY) docs/make_reference.py --check

.PHONY: check
check: lint test ## what to run before a commit

.PHONY: docs
docs: $(VENV)/.installed ## write docs/reference.md from the docstrings
	$(PY) docs/make_reference.py

.PHONY: examples
examples: $(VENV)/.installed ## run every example that needs no framework, a script deciding
	scripts/run_examples.sh $(PY) examples

.PHONY: wheel
wheel: $(VENV)/.group-build ## build the wheel, install it elsewhere and test it there
	scripts/wheel_test.sh $(PY)

.PHONY: frameworks
frameworks: .venv-frameworks/.installed ## tests and examples with real agent frameworks, in an environment of their own
	.venv-frameworks/bin/python -m pytest -q -W default tests/frameworks $(ARGS)
	scripts/run_examples.sh .venv-frameworks/bin/python examples/frameworks

.venv-frameworks/.installed: pyproject.toml | $(PY)
	$(PY) -m venv .venv-frameworks
	.venv-frameworks/bin/python -m pip install --quiet 'pip>=25.1'
	.venv-frameworks/bin/python -m pip install --quiet --editable . --group frameworks
	@touch $@

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
