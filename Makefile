# What one types here: `make` lists it. The work itself is in tools/ and in the command `labs`.

# The Python that starts the set-up; the set-up finds one that fits, or builds on PYTHON if that is given.
START := $(firstword $(foreach name,python3 python3.12 python3.13 python3.11 python,$(shell command -v $(name))))
BIN   := .venv/bin
SETUP  = $(if $(START),$(START),$(error No Python found: install Python 3.11 to 3.13)) tools/environment.py \
         $(if $(PYTHON),--python "$(PYTHON)") $(if $(INSTALLER),--installer $(INSTALLER)) $(if $(GPU),gpu)

WORKERS ?= 2
CORES   := $(or $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null),2)
# A notebook waits for a part of its time, asleep or for a thread: one more at a time than cores keeps them busy.
NOTEBOOKS ?= $(shell expr $(CORES) + 1)
PYTEST   = $(BIN)/python -m pytest --dist loadscope
NBVAL    = $(PYTEST) -n $(NOTEBOOKS) -p labs.kit.author.nbval_plugin \
           --nbval-sanitize-with labs/kit/author/sanitize.cfg

.DEFAULT_GOAL := help
.PHONY: help lab test build verify lint lock bench site extension clean environment

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Settings: PYTHON=python3.12  INSTALLER=pip|uv  GPU=1 (with the CUDA libraries)"
	@echo "            LAB=keras/sequential  BROWSER=no  PORT=8888  for lab and, LAB only, build and verify"
	@echo "            WORKERS=2  NOTEBOOKS=3  how many tests and notebooks test runs at a time"

lab: ## Make the environment and open JupyterLab where you stopped (BROWSER=no prints the address)
	@$(SETUP) learn
	@$(BIN)/labs start $(LAB) $(if $(filter no,$(BROWSER)),--no-browser) $(if $(PORT),--port $(PORT))

environment: ## Make the environment of authors and CI, and nothing more
	@$(SETUP) dev site

test: lint ## Make the environment and pass every test
	$(BIN)/labs build --check
	@# Tests run notebooks of their own, which do not belong in CI's table.
	env -u LABS_NOTEBOOK_TABLE $(PYTEST) -n $(WORKERS) tests
	$(if $(wildcard notebooks/worked/*),$(NBVAL) --nbval notebooks/worked)
	$(if $(wildcard notebooks/learn/*),$(NBVAL) --nbval-lax notebooks/learn)

lint: environment ## Check style and layout of all Python, the labs included
	$(BIN)/ruff check
	$(BIN)/ruff format --check

build: environment ## Build the notebooks whose lab has changed
	$(BIN)/labs build $(LAB)

verify: environment ## Prove that every check accepts what is right and names what is wrong
	$(BIN)/labs verify $(LAB)

site: environment ## Build the site of the labs in build/site/html (REPOSITORY=https://... adds Binder and Colab)
	$(BIN)/python tools/site.py $(if $(REPOSITORY),--repository $(REPOSITORY))

extension: environment ## Build JupyterLab's panel from extension/ (needs Node; only for who changes it)
	$(BIN)/python tools/extension.py

bench: ## Measure the speed of kernels, checks and CI, and renew benchmarks/README.md
	@$(SETUP) dev site bench
	$(BIN)/python benchmarks/run.py $(if $(ROUNDS),--rounds $(ROUNDS))

lock: environment ## Write the locks from pyproject.toml (UPGRADE=1 takes the newest versions)
	$(BIN)/python tools/lock.py $(if $(UPGRADE),--upgrade)

clean: ## Remove the environment and everything that tools leave behind; not the learner's files
	rm -rf .venv build dist extension/node_modules extension/lib examples/jupyterhub/node_modules .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
