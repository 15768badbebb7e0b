# Two commands do everything on a fresh machine with Python 3.11 to 3.13: `make demo` and `make test`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run.stamp
DEV    := $(VENV)/.dev.stamp
BENCH  := $(VENV)/.bench.stamp
# One more than there are processors: some tests wait for services that do their own waiting.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN || echo 1) + 1)
NPM    := npm ci --ignore-scripts --prefer-offline --no-audit --no-fund --silent

# Compiled modules are kept, whatever the environment says: hundreds of processes start in `make test`, and each would
# compile the program and its libraries anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test portals check bench bench-matching acceptance lock clean

demo: $(RUN)
	$(BIN)/scorebridge demo

test: $(DEV)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

# Portals of other people's making, from npm: what tests/portals runs. Without them `make test` skips their tests.
portals: $(patsubst %/package-lock.json,%/node_modules/.stamp,$(wildcard tests/portals/*/package-lock.json))

tests/portals/%/node_modules/.stamp: tests/portals/%/package-lock.json
	@cd tests/portals/$* && { $(NPM) || $(NPM); }
	@touch $@

check: $(DEV)
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(DEV)
	$(BIN)/python -m bench.service

# Matching beside what a clinic could pick instead, on seeds that no rule was tuned on; half an hour.
bench-matching: $(BENCH)
	$(BIN)/python -m bench.matching

# The long form of the tests that kill real processes; a tenth of it runs with `make test`.
acceptance: $(DEV)
	SCOREBRIDGE_ACCEPTANCE=full $(BIN)/pytest tests/acceptance tests/integration/test_api_schemathesis.py -m acceptance -s

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || (echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=..." >&2; exit 1)
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-compile --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@ $(RUN)

$(BENCH): requirements-bench.lock | $(DEV)
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-compile --no-deps --require-hashes -r requirements-bench.lock
	@touch $@

# Every version and hash anew; no address of a package registry is written down.
NOT_FOR_BENCH := cloudpickle jellyfish joblib narwhals numpy pandas python-dateutil pytz scikit-learn scipy six threadpoolctl tzdata
lock: $(VENV)/bin/python
	$(BIN)/python -m pip install -q pip-tools
	$(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --no-annotate -o requirements.lock pyproject.toml requirements-build.in
	$(BIN)/pip-compile -q --upgrade --generate-hashes --allow-unsafe --strip-extras --no-header --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --no-annotate --extra dev --extra ocr -o requirements-dev.lock pyproject.toml requirements-build.in
	$(BIN)/pip-compile -q --upgrade --generate-hashes --strip-extras --no-header --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --no-annotate $(foreach one,$(NOT_FOR_BENCH),--unsafe-package $(one)) \
	  -o requirements-bench.lock requirements-bench.in

clean:
	rm -rf $(VENV) build *.egg-info
