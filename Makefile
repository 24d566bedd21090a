# Everything installs into .venv; every target that needs it makes it first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install search test test-slow test-instructions lint ui faults

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(STAMP)

search: install
	$(BIN)/python -m search.run space=aug_policy

ui: install
	$(BIN)/python -m search.ui

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=12 --durations-min=5

test-slow: install
	$(BIN)/pytest -m slow

# What trains or computes statistics, under the instruction sets of older processors: other last
# bits are other scores, and no test may depend on those.
COMPUTES := tests/trainables tests/results tests/search/test_leaderboard_commands.py

test-instructions: install
	$(BIN)/pytest -n 2 --dist loadfile $(COMPUTES)
	ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 OPENBLAS_CORETYPE=Haswell \
		$(BIN)/pytest -n 2 --dist loadfile $(COMPUTES)
	ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 OPENBLAS_CORETYPE=Prescott \
		$(BIN)/pytest -n 2 --dist loadfile $(COMPUTES)

faults: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,cluster]'
	$(BIN)/python -m tests.faults
