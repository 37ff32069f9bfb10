# The project's commands; `make help` explains them. Needed: Python 3.11 to 3.13 with venv, git, make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
# What was installed last is remembered by these files, so that a second start installs nothing.
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
# Two processes more than cores: half of a test's time on real servers is spent waiting. One takes 1 GB, so at most eight.
PROCESSES := PYTEST_XDIST_AUTO_NUM_WORKERS=$$(($$(getconf _NPROCESSORS_ONLN) + 2))
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=8 --dist=worksteal
SLOW := services or browser or crash or heavy
# Outside the work tree: a fresh checkout finds it again. One for each configuration: each run forgets what another has found out.
MYPY_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/opendata-mypy
PLAIN_MYPY := $(BIN)/mypy --strict --config-file= --cache-dir=$(MYPY_CACHE)/deploy
# Each server that a test starts would compile the whole program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Explain these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: run
run: $(RUN_READY) ## Serve the platform on http://127.0.0.1:8000, with a sample catalogue at the first start
	@OPENDATA_SAMPLE=1 exec $(BIN)/opendata serve $(ARGS)

.PHONY: setup
setup: $(DEV_READY) ## Install what development needs into .venv

.PHONY: test
test: ## All tests, also on real PostgreSQL, MinIO, Elasticsearch, Chromium and nginx where the machine can
	@$(if $(CHECKED),echo "Without the fast tests: they have passed")
	@exec env $(PROCESSES) $$(sh deploy/make/find-python.sh) deploy/services run --memory --meanwhile "make setup" -- $(PYTEST) -m "$(if $(CHECKED),$(SLOW))" -rfEs --durations=40 --durations-min=10 $(ARGS)

.PHONY: check
check: lint ## Format, lint, import rules, types, and the fast tests, house rules among them
	$(PROCESSES) $(PYTEST) $(ARGS)

.PHONY: lint
lint: $(DEV_READY) ## What needs no test: format, lint, import rules, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy --cache-dir=$(MYPY_CACHE)/program
	$(PLAIN_MYPY) deploy/services deploy/make
	$(PLAIN_MYPY) deploy/bench

.PHONY: bench
bench: $(DEV_READY) ## Measure; the figures and how they were taken: docs/benchmarks.md
	@test -e deploy/bench/__main__.py || { echo "No benchmark here yet: deploy/bench"; exit 1; }
	@$(BIN)/python deploy/bench $(ARGS)

.PHONY: ckan-diff
ckan-diff: export PEER_ROOT ?= $(CURDIR)/build/ckan
ckan-diff: $(DEV_READY) ## Ask a real CKAN 2.12 anew what this platform is compared with (it is installed into build/ckan); AREAS="tags search"
	@sh -c 'test -e "$$PEER_ROOT/token" || bash deploy/peers/ckan/start.sh'
	@PYTHONPATH=tests/compat $(BIN)/python -m ckan_diff $(AREAS)
	@$(BIN)/python -m pytest tests/compat/ckan_diff

.PHONY: docs
docs: $(DEV_READY) ## Refresh the generated documents and check that the documents are true
	@for program in $(wildcard docs/generate/*.py); do $(BIN)/python "$$program" || exit 1; done
	@$(BIN)/python -m pytest $(wildcard tests/docs) tests/rules

.PHONY: changelog
changelog: ## Assemble changes/ into CHANGELOG.md: make changelog VERSION=0.2.0
	@$$(sh deploy/make/find-python.sh) deploy/make/changelog.py "$(VERSION)"

.PHONY: lock
lock: $(DEV_READY) ## Renew the lock files after a change of dependencies (UPGRADE=1: newest versions)
	@sh deploy/make/lock.sh

.PHONY: services
services: ## Start PostgreSQL, MinIO and Elasticsearch for development; addresses in build/services/services.env
	@$$(sh deploy/make/find-python.sh) deploy/services start $(ARGS)

.PHONY: services-stop
services-stop: ## Stop them and delete their data
	@$$(sh deploy/make/find-python.sh) deploy/services stop

$(BIN)/python:
	@python=$$(sh deploy/make/find-python.sh) && "$$python" -m venv --clear $(VENV)

$(RUN_READY): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV)"
	@sh deploy/make/install.sh requirements.lock
	@touch $@

$(DEV_READY): requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV), with what tests need"
	@sh deploy/make/install.sh requirements-dev.lock
	@touch $(RUN_READY) $@
