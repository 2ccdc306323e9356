# Everything runs in a virtual environment inside the clone, made on first use from Python 3.11
# or newer and nothing else. `make PYTHON=python3.12 test` takes another interpreter.
.DEFAULT_GOAL := help
.PHONY: help demo test attack check docs bench wheel-test clean

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:
	@echo "make demo        the main job on the bundled mice; opens the way to out/mice/report.html"
	@echo "make test        the test suite"
	@echo "make attack      bad tables, spoilt files, kills and odd surroundings, many and at random"
	@echo "make check       ruff, pyright, documentation build"
	@echo "make docs        the documentation as a web site in site/"
	@echo "make bench       speed and memory, one table"
	@echo "make wheel-test  build the wheel and try it in an empty environment of every Python found"
	@echo "make clean       remove everything that was made, the environment included"

# Remade when the dependencies change. The stamp comes last, so an interrupted installation is
# taken up again. The build backend is installed first and pinned like the rest.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "inverseq needs Python 3.11 or newer; $(PYTHON) is" \
	    "$$($(PYTHON) -V 2>/dev/null || echo not there). Try: make PYTHON=python3.12 $(or $(MAKECMDGOALS),test)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "could not make .venv; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing inverseq into .venv (once, one to three minutes) ..."
	@$(BIN)/python -m pip install -qq -c constraints.txt hatchling editables
	@$(BIN)/python -m pip install -qq -c constraints.txt --no-build-isolation -e '.[test,docs]'
	@touch $@

demo: $(READY)
	$(BIN)/inverseq fit mice --out out/mice

# A file stays with one worker, which makes what its tests share once. What is compiled is kept,
# whatever the shell says: tests start many processes.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

# The seed is said, so that what failed can be had again: make attack SEED=...
attack: SEED := $(shell date +%s)
attack: $(READY)
	@echo "SEED=$(SEED)"
	INVERSEQ_ATTACKS=$(SEED) HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -q -n 2 \
	  --hypothesis-seed=$(SEED) tests/attack tests/readers \
	  tests/app/test_app_server.py tests/app/test_app_http.py tests/app/test_app_tours.py

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/stubs.py --check
	$(BIN)/python scripts/notebooks.py --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site

bench: $(READY)
	$(BIN)/python -m benchmarks

wheel-test: $(READY)
	$(BIN)/python tests/wheel_everywhere.py

clean:
	rm -rf .venv build dist out site .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
