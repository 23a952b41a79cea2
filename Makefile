# make run    serve on http://127.0.0.1:8000 (PORT=8123 make run for another)
# make reload let it take a network that was promoted, without losing a request
# make test   every test but the long ones; make check: the fast ones; make test-long: the long ones
# make bench  speed and memory, beside what it replaces, with the targets
# make fuzz   look for inputs that break it, for minutes; make soak: 100,000 requests; make lock, make audit
# make train  train the network anew; make lint: ruff and mypy
# Each makes the environment it needs in .venv the first time.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# CI's packages are installed from scratch as everyone's are; pip's own notices only fill the log.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run reload test test-long check bench fuzz soak lint lock audit train evaluate clean

run: $(VENV)/.serving
	DIGITRE_PIDFILE=$(VENV)/gunicorn.pid exec $(BIN)/gunicorn --config deploy/gunicorn.conf.py wsgi:app

reload:
	@test -f $(VENV)/gunicorn.pid || { echo "nothing is running by make run"; exit 1; }
	kill -HUP "$$(cat $(VENV)/gunicorn.pid)"

test: $(VENV)/.testing
	sh tests/install_tools.sh $(BIN)/python
	$(BIN)/python -m pytest -m "not long"

test-long: $(VENV)/.testing
	sh tests/install_tools.sh $(BIN)/python
	$(BIN)/python -m pytest -m long

check: $(VENV)/.testing
	$(BIN)/python -m pytest -q -m "not slow and not long"

# Other inputs each time, unlike `make test`: what they find belongs into tests/bad_inputs.py.
fuzz: $(VENV)/.testing
	EXAMPLES=1500 $(BIN)/python -m pytest -q tests/web/test_openapi.py
	$(BIN)/python tests/fuzz_preprocess.py -max_total_time=300

soak: $(VENV)/.testing
	sh tests/install_tools.sh $(BIN)/python
	$(BIN)/python tests/soak.py --write

bench: $(VENV)/.testing
	sh tests/install_tools.sh $(BIN)/python
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.pieces
	$(BIN)/python -m benchmarks.workers

# What serving needs, each with its hash, for servers: pip install --require-hashes -r requirements.txt
# uv does not heed that the newest backports-strenum is not for Python 3.11 and later; pip does.
lock: $(VENV)/.maintaining
	echo "backports-strenum<1.3" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --constraint - --no-emit-index-url --custom-compile-command "make lock" setup.py --output-file requirements.txt

audit: $(VENV)/.maintaining
	$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements.txt

lint: $(VENV)/.testing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: $(VENV)/.training
	$(BIN)/python train.py

evaluate: $(VENV)/.training
	$(BIN)/python train.py --evaluate

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "Python could not make an environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(VENV)/.serving: setup.py | $(VENV)/bin/python
	$(PIP) install --editable .
	@touch $@

$(VENV)/.training: setup.py | $(VENV)/bin/python
	$(PIP) install --editable '.[train]'
	@touch $@ $(VENV)/.serving

$(VENV)/.testing: setup.py | $(VENV)/bin/python
	$(PIP) install --editable '.[test]'
	@touch $@ $(VENV)/.serving $(VENV)/.training

$(VENV)/.maintaining: setup.py | $(VENV)/bin/python
	$(PIP) install --editable '.[maintain]'
	@touch $@ $(VENV)/.serving

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
