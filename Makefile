# Everything a checkout can do. `make help` lists it.
# Works with GNU make 3.81 (macOS) and newer; installs only below this folder, never as root.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
VENV := .venv/.lapel
MPY := .tools/micropython
FLITE := .tools/flite
PY := .venv/bin/python
# Python's own variables of the caller must not leak into the checkout's environment.
unexport PYTHONPATH PYTHONHOME

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

$(VENV): pyproject.toml tools/constraints.txt tools/bootstrap.sh
	@tools/bootstrap.sh

$(MPY): $(VENV)
	@$(PY) -m get_tools micropython

$(FLITE): $(VENV)
	@$(PY) -m get_tools flite

.PHONY: tools .venv
.venv: $(VENV) ## make the Python environment only
tools: $(VENV) $(MPY) $(FLITE) ## install everything the other targets need
