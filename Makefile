# `make` alone lists the targets. Each one first makes the environment that it needs, in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two processes share the tests, file by file, so that a file's servers and browsers start once.
TWO := --numprocesses 2 --dist loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# As the server sets it: a second thread of NumPy would only keep the other core busy.
test test-long check fuzz: export OPENBLAS_NUM_THREADS = 1

.PHONY: help run reload test test-long check lint fuzz soak bench train evaluate package lock audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.serving ## serve on http://127.0.0.1:8000 (PORT=8123 make run: on another port)
	DIGITRE_PIDFILE=$(VENV)/gunicorn.pid exec $(BIN)/digitre serve

reload: ## let a server started by make run switch to a promoted network, without losing a request
	@test -f $(VENV)/gunicorn.pid || { echo "no server started by make run is running"; exit 1; }
	kill -HUP "$$(cat $(VENV)/gunicorn.pid)"

test: $(VENV)/.testing ## run all tests but the long ones (installs Chromium, nginx, wrk, PostgreSQL, ... with apt)
	sh tests/install_tools.sh $(BIN)/python
	$(BIN)/python -m pytest $(TWO) -m "not long and not alone"
	$(BIN)/python -m pytest -m "alone and not long"

test-long: $(VENV)/.testing ## run the long tests: trainings, several hosts
	sh tests/install_tools.sh $(BIN)/python long
	$(BIN)/python -m pytest $(TWO) -m "long and not alone"
	$(BIN)/python -m pytest -m "long and alone"

check: $(VENV)/.testing ## run the fast tests: some three minutes on two cores
	$(BIN)/python -m pytest -q $(TWO) -m "not slow and not long"

lint: $(VENV)/.testing ## run ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The inputs are new each time, unlike those of `make test`. Add what this finds to tests/bad_inputs.py.
fuzz: $(VENV)/.testing ## look for inputs that break it, for about six minutes
	EXAMPLES=1500 $(BIN)/python -m pytest -q tests/web/test_openapi.py
	$(BIN)/python tests/fuzz_preprocess.py -max_total_time=300

soak: $(VENV)/.testing ## send 100,000 good and bad requests, and update docs/errors.md
	sh tests/install_tools.sh $(BIN)/python
	$(BIN)/python tests/soak.py --write

bench: $(VENV)/.testing ## measure speed and memory against the targets, and update benchmarks/results.json
	sh tests/install_tools.sh $(BIN)/python
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.pieces
	$(BIN)/python -m benchmarks.workers

train: $(VENV)/.training ## train the network: an hour to an hour and a half on two cores
	$(BIN)/digitre train

evaluate: $(VENV)/.training ## measure the network in models/
	$(BIN)/digitre evaluate

package: $(VENV)/.packaging ## make the npm package of <digit-pad> in build/ (needs npm; nothing is published)
	$(BIN)/python packages/digit-pad/pack.py build/digit-pad
	cd build && npm pack --silent ./digit-pad

# backports-strenum: its newest version excludes Python 3.11 and later, which pip respects and uv does not.
lock: $(VENV)/.maintaining ## regenerate requirements.txt, and deploy/build-requirements.txt, with their hashes
	echo "backports-strenum<1.3" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --constraint - --no-emit-index-url --custom-compile-command "make lock" setup.py --output-file requirements.txt
	echo "setuptools>=77" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" - --output-file deploy/build-requirements.txt

audit: $(VENV)/.maintaining ## check requirements.txt for known vulnerabilities
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements.txt

clean: ## remove .venv and everything built
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.serving: setup.py | $(VENV)/bin/python
	$(PIP) install --editable .
	@touch $@

$(VENV)/.training: setup.py | $(VENV)/bin/python
	$(PIP) install --editable '.[train]'
	@touch $@ $(VENV)/.serving

# Python compiles what the tests import when they import it; pip would compile all of TensorFlow, for more than a minute.
$(VENV)/.testing: setup.py | $(VENV)/bin/python
	$(PIP) install --no-compile --editable '.[test]'
	@touch $@ $(VENV)/.serving $(VENV)/.training $(VENV)/.packaging

$(VENV)/.packaging: setup.py | $(VENV)/bin/python
	$(PIP) install --editable '.[package]'
	@touch $@ $(VENV)/.serving

$(VENV)/.maintaining: setup.py | $(VENV)/bin/python
	$(PIP) install --editable '.[maintain]'
	@touch $@ $(VENV)/.serving
