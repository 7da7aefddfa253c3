# The words a user types. Every target installs what it needs into .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
# What is installed: the project alone, with the test tools, or with place and route
CORE := .venv/.installed
DEV := .venv/.installed-dev
FPGA := .venv/.installed-fpga

# Several BLAS threads per process only get in each other's way: the matrices are small
export OPENBLAS_NUM_THREADS := 1

# Network of the main job: digits, or fashion with DATA=folder of the idx files of Fashion-MNIST
NETWORK ?= digits
DATA ?=
# First seed of the long targets
SEED ?= 1000
# Time budget of the long targets
MINUTES ?= 30

# Board of `make synth` and `make program`, and what is put on it; the board's own preset when empty
BOARD ?= ulx3s-85f
PRESET ?=
ON_BOARD = --board $(BOARD) $(if $(PRESET),--preset $(PRESET))

.PHONY: sim sim-stochastic test prove gate-level soak soak-attention soak-network soak-stochastic check bench rtl \
	synth program clean

sim: $(CORE)  ## the main job: a trained transformer through the generated RTL
ifeq ($(NETWORK),digits)
	$(BIN)/onespike sim
endif
	$(BIN)/onespike infer --network $(NETWORK) $(if $(DATA),--data $(DATA)) -o build/infer-$(NETWORK)

sim-stochastic: $(CORE)  ## the digits network with stochastic attention in RTL
	$(BIN)/onespike stochastic demo

test: check  ## everything that shows that it is right
	$(BIN)/python -m pytest -n auto --dist worksteal

prove: $(DEV)  ## proofs of the hardware, for all time where the statement allows: minutes
	$(BIN)/python -m tests.proofs.prove

gate-level: $(DEV)  ## netlists of the small presets on three device families, in the core's bench: half an hour
	$(BIN)/python -m pytest -m long -n 2 tests/synth/test_gate_level.py

soak: $(CORE)  ## 10,000 faulty frames between driver and simulated board
	$(BIN)/onespike dev soak --frames 10000 --seed 1

soak-attention: $(DEV)  ## random attention cores and heads in RTL for MINUTES; SEED of the first core
	$(BIN)/python -m tests.hw.attention.soak --minutes $(MINUTES) --seed $(SEED)

soak-network: $(DEV)  ## random networks on random cores in RTL for MINUTES; SEED of the first core
	$(BIN)/python -m tests.hw.network.soak --seed $(SEED) --minutes $(MINUTES)

soak-stochastic: $(DEV)  ## random stochastic engines and jobs in RTL for MINUTES; SEED of the first engine
	$(BIN)/python -m tests.hw.stochastic.soak --seed $(SEED) --minutes $(MINUTES)

check: $(DEV)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(CORE)  ## ratios of speed, measured side by side
	$(BIN)/onespike bench

rtl: $(CORE)  ## Verilog of the default preset in build/rtl
	$(BIN)/onespike rtl -o build/rtl

synth: $(FPGA)  ## a bitstream in build/synth
	$(BIN)/onespike synth $(ON_BOARD)

program: $(FPGA)  ## the same into the board
	$(BIN)/onespike program $(ON_BOARD)

clean:
	rm -rf build

# One make at a time installs: another waits, looks again and finds it done. Where flock (util-linux)
# is missing, nobody waits
ifndef INSTALLING
$(CORE) $(DEV) $(FPGA): pyproject.toml
	@$(if $(shell command -v flock),flock $<) $(MAKE) --no-print-directory INSTALLING=yes $@
else
# pip is what venv makes last: an interrupted one is made again
.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-%: pyproject.toml | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
endif
