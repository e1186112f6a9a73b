# `make demo` and `make test` need nothing but make and Python 3.11 to 3.13. `make` lists all commands.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)
# Processes that run tests; each has its own engine, with TensorFlow loaded.
TESTERS ?= 2

.PHONY: help setup demo build test test-hostile test-variants test-docker test-containers test-fast fuzz mutate check check-js bench pictures lock format clean

help:  ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Set up the environment in .venv

# TensorFlow exists for these versions; pyproject.toml and gradescope/setup.sh name them too.
fits = $(1) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
WRONG_PYTHON = \
	echo "mnist-kit needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$(command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1 || echo missing)." >&2; \
	for other in python3.13 python3.12 python3.11; do \
	  if $(call fits,$$other); then echo "This machine has $$other. Try: make PYTHON=$$other $(MAKECMDGOALS)" >&2; exit 1; fi; \
	done; \
	echo "Install one, for example with: uv python install 3.12 (https://docs.astral.sh/uv), or from your system's packages." >&2; \
	echo "Then: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2
NOT_FETCHED = \
	echo "The packages could not be installed; the lines above say why. Setting up needs a network once: connect this machine, or" >&2; \
	echo "name a mirror (PIP_INDEX_URL and UV_DEFAULT_INDEX), and run the same command again." >&2

NOT_FETCHED_JS = \
	echo "npm could not install the packages in package-lock.json: connect this machine, or name a mirror" >&2; \
	echo "(npm_config_registry), and run the same command again." >&2

# Use the machine's uv if there is one; otherwise install it into the environment.
$(READY): requirements.lock pyproject.toml
	@$(call fits,$(PYTHON)) || { $(WRONG_PYTHON); exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@echo "installing the packages in requirements.lock"
	@command -v uv >/dev/null || $(BIN)/pip install --quiet --disable-pip-version-check uv || { $(NOT_FETCHED); exit 1; }
	@PATH="$$PATH:$(CURDIR)/$(BIN)" uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock || { $(NOT_FETCHED); exit 1; }
	@PATH="$$PATH:$(CURDIR)/$(BIN)" uv pip install --quiet --python $(BIN)/python --no-deps --editable . || { $(NOT_FETCHED); exit 1; }
	mkdir -p $(VENV)/etc/ipython
	echo "c.InteractiveShellApp.extensions = ['autograder.data.ipython_extension']" > $(VENV)/etc/ipython/ipython_config.py
	touch $(READY)

demo: $(READY)  ## Build, grade the bundled class, print its table and the path of the report
	$(BIN)/mnist-kit build
	$(BIN)/mnist-kit demo --output out --workers $(WORKERS)

build: $(READY)  ## Build the template, the solution and dist/autograder.zip
	$(BIN)/mnist-kit build

test: $(READY)  ## Run the tests, real training included
	$(BIN)/pytest -n $(TESTERS) --dist loadfile -m "not hostile and not variants and not docker and not containers"

test-hostile: $(READY)  ## Run the corpus of attacks through the real engine, and some against stock Otter
	$(BIN)/pytest -m hostile

test-variants: $(READY)  ## Grade right and wrong answers in many spellings
	$(BIN)/pytest -m variants

test-docker: $(READY)  ## Run the corpus of attacks inside containers (needs Docker)
	$(BIN)/pytest -m docker

test-containers: $(READY)  ## Run `otter grade`, Gradescope's container and `grade --docker` (needs Docker)
	$(BIN)/pytest -m containers

test-fast: $(READY)  ## Run the tests that train nothing
	$(BIN)/pytest -m "not slow and not hostile and not variants and not docker and not containers"

FUZZ ?= 1
fuzz: $(READY)  ## Fuzz everything that reads untrusted bytes: a million inputs (FUZZ=20: a twentieth)
	$(BIN)/python -m autograder.tests.fuzz evidence $$((550000 / $(FUZZ)))
	$(BIN)/python -m autograder.tests.fuzz notebook $$((250000 / $(FUZZ)))
	$(BIN)/python -m autograder.tests.fuzz zip $$((170000 / $(FUZZ)))
	$(BIN)/python -m autograder.tests.fuzz policy $$((40000 / $(FUZZ)))

mutate: $(READY)  ## Break the code that determines points in every small way, and run the quick tests (half an hour)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

check: $(READY) check-js  ## Check lint, types, import order, and that generated files are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q autograder/tests/test_public_names.py
	$(BIN)/lint-imports
	$(BIN)/mnist-kit build --check

ifneq ($(shell command -v npm),)
check-js: node_modules/.ready  ## Check the scripts of the review: lint, types, unit tests (needs Node.js)
	@npm run --silent check
else
check-js:
	@echo "JAVASCRIPT NOT CHECKED: npm is missing. Install Node.js 18.18 or newer, for example: apt install nodejs npm" >&2
endif

node_modules/.ready: package.json package-lock.json
	@npm ci --ignore-scripts --silent || { $(NOT_FETCHED_JS); exit 1; }
	@touch $@

bench: $(READY)  ## Measure classes against peers (PEERS=--full: every notebook), confinement, the review under load
	$(BIN)/python -m autograder.tools.benchmark_classes $(PEERS)
	$(BIN)/python -m autograder.tools.benchmark_confinement
	$(BIN)/python -m autograder.tools.benchmark_review

pictures: $(READY)  ## Take the pictures in the documents, of the bundled class (needs Chromium)
	$(BIN)/mnist-kit demo --output out --workers $(WORKERS)
	$(BIN)/python -m autograder.tools.pictures out

format: $(READY)  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(READY)  ## Update requirements.lock (UPGRADE=--upgrade for newer versions)
	PATH="$$PATH:$(CURDIR)/$(BIN)" uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --quiet $(UPGRADE) --output-file requirements.lock
	PATH="$$PATH:$(CURDIR)/$(BIN)" uv pip compile pyproject.toml --constraint requirements.lock --universal \
	  --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet \
	  --output-file autograder/gradescope/requirements.txt

clean:  ## Remove what was built
	rm -rf dist out
