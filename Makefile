# `make train` and `make test` need nothing but Python ≥ 3.11: they make .venv and install into it.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: install train test test-all test-gpu check clean

install: $(BIN)/.installed

$(BIN)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

train: install
	$(BIN)/mmattn train image

test: install
	$(PYTEST)

test-all: install
	$(PYTEST) -m "slow or not slow"

test-gpu: install
	$(BIN)/python -m pytest -m gpu

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

clean:
	rm -rf .venv build dist *.egg-info
