# The one entrance: `make` lists what there is. GNU make 4.3 or later; no root, nothing installed outside .venv and .venv-clients.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
WORKSPACE ?= demo
PORT ?= 8080
CONTROL_PORT ?= 8081
# `make lock UPGRADE=--upgrade` takes new versions; without it, locks change only where they must.
UPGRADE ?=
# A model to test with: make test-local GGUF=path/to/model.gguf
GGUF ?=
# How many of pytest-xdist's workers share the tests: tests mostly wait, so more than two cores. 0: one process.
WORKERS ?= 3
# Options of benchmarks/compare.py, for example BENCH='--save NAME'.
BENCH ?=
# Options of `python -m benchmarks.failover` and of its endurance run.
FAILOVER ?=
ENDURANCE ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SETUP := $(VENV)/.setup
DEV := $(VENV)/.dev
# Environments of their own: what builds the site, what checks the chart, and the clients that others wrote.
DOCS := .venv-docs/.done
MKDOCS := NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs
DEPLOY := .venv-deploy/.done
# Prometheus, Alertmanager and their tools, which the tests of the alert rules run.
ALERTS := .prometheus/.done
# What has xllamacpp, which the tests of `make test` do without.
LOCAL := .venv-local/.local
CLIENTS := .venv-clients/.done
FUZZ := .venv-fuzz/.done
# Of `make fuzz`: a module of tests/fuzz, and how long.
TARGET ?= request_reader
SECONDS ?= 1800
NODE := tests/e2e/clients/node
# The console's built files, which the control plane serves and a wheel has; not in Git.
CONSOLE := src/steadyhand/console/static/index.html
CONSOLE_FROM := $(wildcard console/*.json console/*.ts console/*.html console/build.sh console/scripts/* console/public/* \
	console/src/* console/src/*/*)
# A browser for the console's tests.
BROWSER := .browser/.done
COMPILE := UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

.PHONY: help setup dev run lint check test test-local fix bench bench-failover bench-endurance lock record-fixtures clean \
	fuzz docs docs-tools docs-serve deploy-tools alert-tools grafana clients console browser

help:  ## Show this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python is missing: no python3.11 or python3 on the PATH. Install Python 3.11 or later," \
			"or name one: make setup PYTHON=..." >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$("$(PYTHON)" -V 2>&1), but Steadyhand needs Python 3.11 or later." \
			"Install one, or name one: make setup PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no working venv module (venv or ensurepip is missing). On Debian and Ubuntu it is" \
			"a package of its own: apt-get install python3-venv" >&2; exit 1; }
	@echo "creating $(VENV) with $$("$(PYTHON)" -V)"
	@"$(PYTHON)" -m venv $(VENV)

$(SETUP): requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "installing the runtime into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt $(SETUP)
	@echo "installing the development tools into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

.venv-%/.done: requirements/%.txt | $(BIN)/python
	@echo "installing .venv-$*"
	@$(BIN)/python -m venv --clear .venv-$*
	@.venv-$*/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/$*.txt
	@touch $@

$(LOCAL): requirements/local.txt requirements/dev.txt $(SETUP)
	@echo "installing the extra 'local' and the development tools into $(@D)"
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
		-r requirements/dev.txt -r requirements/local.txt
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation -e .
	@touch $@

setup: $(SETUP)  ## Make .venv with the runtime and the steadyhand command

dev: $(DEV)  ## Add the tools for tests, types and lint to .venv

$(CLIENTS): requirements/clients.txt requirements/node.txt $(NODE)/package.json \
		$(NODE)/package-lock.json tests/e2e/clients/install.sh | $(DEV)
	@echo "installing other people's clients into $(@D)"
	@bash tests/e2e/clients/install.sh $(BIN) $(@D)
	@touch $@

clients: $(CLIENTS)  ## Make .venv-clients: LangChain and others, which the tests run

$(CONSOLE): $(CONSOLE_FROM) docs/reference/openapi.json requirements/node.txt | $(BIN)/python
	@echo "building the console"
	@MAKE="$(MAKE)" bash console/build.sh .venv-node
	@touch $@

console: $(CONSOLE)  ## Build the console's files, which the control plane serves

$(BROWSER): tests/support/install_browser.sh
	@echo "getting a browser into $(@D)"
	@bash tests/support/install_browser.sh $(@D)
	@touch $@

browser: $(BROWSER)  ## Get Chromium, which the console's tests open pages with

run: setup  ## Serve WORKSPACE (demo) on PORT (8080) and CONTROL_PORT (8081)
	@$(MAKE) --no-print-directory console || echo "the console could not be built; all else runs without it" >&2
	@[ -d "$(WORKSPACE)" ] || $(BIN)/steadyhand init "$(WORKSPACE)"
	@exec $(BIN)/steadyhand serve --workspace "$(WORKSPACE)" --port "$(PORT)" --control-port "$(CONTROL_PORT)"

lint: dev  ## Format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint  ## lint, then unit and architecture tests; under two minutes
	$(BIN)/pytest -q $(wildcard tests/unit tests/architecture)

test: lint docs-tools deploy-tools alert-tools clients console browser  ## lint, then the whole suite with coverage: what CI runs
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(WORKERS)
	$(BIN)/coverage combine --quiet
	@rm -f .coverage.*  # what killed processes left half written
	$(BIN)/coverage report
	@echo "pure modules, 100 % wanted:"
	@$(BIN)/coverage report --fail-under=100 --include="$$($(BIN)/python -m tests.support.pure)"

test-local: $(LOCAL)  ## Test with a real model on this machine: GGUF=FILE
	@[ -f "$(GGUF)" ] || { echo "name a model: make test-local GGUF=path/to/model.gguf" >&2; exit 1; }
	STEADYHAND_TEST_GGUF="$(abspath $(GGUF))" $(dir $(LOCAL))bin/python -m pytest -m local tests/local

docs: docs-tools  ## Build the documentation site into build/site
	$(MKDOCS) build --quiet

docs-serve: docs-tools  ## Show the documentation site on loopback, port 8000, while you write
	$(MKDOCS) serve --dev-addr 127.0.0.1:8000

docs-tools: $(DOCS)  ## Make .venv-docs, which builds the site

deploy-tools: $(DEPLOY)  ## Make .venv-deploy, which checks the Dockerfile and the chart

$(ALERTS): deploy/prometheus/install.sh
	@echo "getting Prometheus and Alertmanager into $(@D)"
	@bash deploy/prometheus/install.sh $(@D)
	@touch $@

alert-tools: $(ALERTS)  ## Get Prometheus, Alertmanager and their tools into .prometheus, which the tests run

grafana: dev  ## Write the dashboards of deploy/grafana again from their sources
	$(BIN)/python -m deploy.grafana.source

fix: dev  ## Format, and repair what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: dev  ## Compare with nginx and bare HTTP, against the budgets; BENCH=--quick to see that it runs
	$(BIN)/python -m benchmarks.compare $(BENCH)

bench-failover: dev  ## Break upstream in every way behind us, LiteLLM and Portkey; FAILOVER=--quick to see that it runs
	$(BIN)/python -m benchmarks.failover $(FAILOVER)

bench-endurance: dev  ## Break every provider for minutes at 500 requests a second; ENDURANCE='--seconds 20'
	$(BIN)/python -m benchmarks.failover.endurance $(ENDURANCE)

$(FUZZ): requirements/fuzz.txt requirements/run.txt | $(BIN)/python
	@echo "making the environment of the fuzzer, .venv-fuzz"
	@rm -rf .venv-fuzz && $(BIN)/python -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes \
		-r requirements/run.txt -r requirements/fuzz.txt
	@touch $@

fuzz: $(FUZZ)  ## Fuzz TARGET (request_reader, response_reader) for SECONDS (1800)
	@mkdir -p build/fuzz/$(TARGET)
	PYTHONPATH=src:. .venv-fuzz/bin/python -m tests.fuzz $(TARGET) -max_total_time=$(SECONDS) -max_len=2048 \
		-dict=tests/fuzz/http.dict -print_final_stats=1 -artifact_prefix=build/fuzz/$(TARGET)- \
		build/fuzz/$(TARGET) tests/fuzz/corpus/$(TARGET)

record-fixtures: dev  ## Record the providers' wire fixtures for the contract tests again
	$(BIN)/python -m tests.contract.record_fixtures

lock: | $(BIN)/python  ## Resolve requirements/*.txt again, with hashes
	@[ -x $(BIN)/uv ] || $(PIP) install --require-hashes -r requirements/dev.txt
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) requirements/build.in -c requirements/run.txt -o requirements/build.txt
	$(COMPILE) pyproject.toml requirements/build.in requirements/dev.in \
		-c requirements/run.txt -c requirements/build.txt -o requirements/dev.txt
	$(COMPILE) --extra local pyproject.toml -c requirements/run.txt -o requirements/local.txt
	$(COMPILE) --extra redis pyproject.toml -c requirements/run.txt -o requirements/redis.txt
	$(COMPILE) requirements/fuzz.in -o requirements/fuzz.txt
	$(COMPILE) requirements/docs.in -o requirements/docs.txt
	$(COMPILE) requirements/deploy.in -o requirements/deploy.txt
	$(COMPILE) requirements/clients.in -o requirements/clients.txt
	$(COMPILE) requirements/node.in -o requirements/node.txt
	cd console && npm install --silent --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts
	cd $(NODE) && npm install --silent --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts

clean:  ## Remove caches, reports and built files; keeps environments and workspaces
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache htmlcov
	rm -f .coverage .coverage.* coverage.json coverage.xml
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
