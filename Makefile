# Everything installs into .venv; every target that needs it makes it first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install search test test-slow test-gpu test-instructions lint ui faults bench

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

test-gpu: install
	$(BIN)/pytest -m gpu tests/gpu

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

# What docs/benchmarks.md tells, in minutes; FULL=1 with as many runs as it states or more, in hours.
BENCH = $(BIN)/python -W ignore -m tests.benchmarks

bench: install
	$(BENCH).tracking $(if $(FULL),60 5,20 2)
	$(BENCH).curves $(if $(FULL),100,10)
	$(BENCH).end_to_end $(if $(FULL),12 12 5,6 6 1)
	$(BENCH).promotion $(if $(FULL),100,10)
	$(BENCH).per_trial $(if $(FULL),60 5,10 1)
	$(BENCH).scale $(if $(FULL),10000 2 16 128 1000,500 2 128)
	$(BENCH).start $(if $(FULL),7,2)
	$(BENCH).feed
	$(BENCH).policies $(if $(FULL),15,3)
	$(BENCH).setting first_share=0.5 $(if $(FULL),5,1)
	$(BENCH).setting precision=fp32 $(if $(FULL),10,1)
	$(BENCH).averages $(if $(FULL),8,1)
	$(BENCH).batched $(if $(FULL),9,3)
	$(BENCH).windows $(if $(FULL),20,1)
	$(BENCH).ranks $(if $(FULL),10,3)
	$(BENCH).mask_labels 4 epochs=20 data.group=
	$(BENCH).forecasts $(if $(FULL),20,4)
	$(BENCH).agreements $(if $(FULL),12,2)
	$(BENCH).more_images $(if $(FULL),5 0.3,2 0.3)
	$(BENCH).starts $(if $(FULL),8 12,2 6)
	$(BENCH).fidelity $(if $(FULL),24,4)
	$(BENCH).compiled
	$(BENCH).run_lengths $(if $(FULL),1000,100)
	$(BENCH).memory_format
	$(BENCH).optimizer_step
	$(BENCH).overhead $(if $(FULL),12,2)
