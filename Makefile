# Everything a checkout can do. `make help` lists it.
# Works with GNU make 3.81 (macOS) and newer; installs only below this folder, never as root.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Python's own variables of the caller must not leak into the checkout's environment.
unexport PYTHONPATH PYTHONHOME

VENV := .venv/.lapel
MPY := .tools/micropython
FLITE := .tools/flite
QEMU := .tools/qemu-xtensa
OPUS := .tools/libopus
PY := .venv/bin/python
LAPEL := .venv/bin/lapel
# What the strict type check reads on the host: compat.py is there for its CPython half.
HOST_TYPED = tools lib/lapel_wire lib/lapel_audio lib/noise firmware/lapel/compat.py tests/unit/conftest.py \
	$(shell find tests -name '*.py' -not -path 'tests/unit/*' -not -path 'tests/device_*' | cut -d/ -f1,2 | sort -u)
# make test T=tests/unit, or T="-k gesture"; more of pytest's options in PYTEST.
T ?=
PYTEST ?=

.PHONY: help
help: ## this list
	@echo "Lapel: press, say one line, let go; the pin buzzes when the result is there."
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# --- what a person does -------------------------------------------------------------------------------

.PHONY: demo sim
demo: $(VENV) $(MPY) ## one press of the simulated pin, from the spoken line to the felt result
	@$(LAPEL) sim --script tools/simulator/demo/demo.script

sim: $(VENV) $(MPY) ## the simulated pin with your own voice; the space bar is the button
	@$(LAPEL) sim --mic

# --- what a person does with a pin of their own --------------------------------------------------------

# Empty unless given: make flash BOARD=xiao_esp32s3 PORT=/dev/ttyACM0
BOARD ?=
PORT ?=
TO ?=
USB = $(PY) -m lapel_usb
# $(call asked,NAME,--option): the option when NAME=1 was said.
asked = $(if $(filter-out 0,$($(1))),$(2))

.PHONY: flash console logs backup wipe
flash: $(VENV) ## put the app on a pin: BOARD=..., PORT=... where several are; PREVIOUS=1 goes back
	@$(USB) flash --board '$(BOARD)' --port '$(PORT)' --aioble '$(AIOBLE)' --mip-index '$(MIP_INDEX)' \
		$(call asked,OTHER_BOARD,--other-board) $(call asked,FORMAT,--format) $(call asked,PREVIOUS,--previous)

console: $(VENV) ## MicroPython's prompt on a pin; Ctrl-] leaves
	@$(USB) console --port '$(PORT)'

logs: $(VENV) ## what a pin tells, while it works
	@$(USB) logs --port '$(PORT)'

backup: $(VENV) ## recordings and settings of a pin into a folder: TO=...; RAW=1 the whole flash
	@$(USB) backup --port '$(PORT)' --to '$(TO)' $(call asked,RAW,--raw)

wipe: $(VENV) ## erase recordings, settings and key of a pin; ALL=1 everything; YES=1 without a question
	@$(USB) wipe --port '$(PORT)' $(call asked,ALL,--all) $(call asked,YES,--yes) $(call asked,UNSENT,--unsent)

# --- what a developer does ----------------------------------------------------------------------------

.PHONY: test quick lint size cycles bench bench-codec codec-hour wrong-actions flash-torture fuzz strangers torture torture-selftest
test: $(VENV) $(MPY) $(FLITE) $(QEMU) $(OPUS) ## the whole suite, for two cores (T=path or T="-k name" for a part)
	@$(PY) -m pytest -q -n 4 --dist worksteal $(PYTEST) $(T)

quick: $(VENV) $(MPY) ## the unit tests on both Pythons and the house rules
	@$(PY) -m pytest -q -n 2 tests/unit tests/host/house $(PYTEST)

lint: $(VENV) ## style, types on the host, types against the device's stubs, the import table
	@failed=; \
	echo "ruff"; $(PY) -m ruff check --quiet --output-format concise . || failed=1; \
	echo "mypy (host)"; $(PY) -m mypy --no-error-summary $(HOST_TYPED) || failed=1; \
	echo "mypy (ESP32-S3)"; $(PY) -m device_types || failed=1; \
	echo "layers"; $(PY) -m layers || failed=1; \
	test -z "$$failed" && echo "lint: all good"

size: $(VENV) ## bytes of the app as .mpy for the ESP32-S3, and the limit
	@$(PY) -m app_size

# make cycles KERNEL="crypt a_record": those whose name has one of these in it.
cycles: $(VENV) $(QEMU) ## every kernel run as on the ESP32-S3: instructions, cycles, share of a core, budget
	@$(PY) -m device_code $(KERNEL)

bench: $(VENV) $(MPY) ## the figures under device time: latencies, memory, erases, sizes
	@$(PY) -m get_tools micropython32 || echo "going on without it"
	@$(PY) -m get_tools micropython-slow || echo "going on without it"
	@$(PY) -m simulator.bench

# make bench-codec FOLDER=recordings OPTIONS="--each 4 --rates 24".
bench-codec: $(VENV) $(MPY) $(FLITE) $(QEMU) $(OPUS) ## our Opus encoder beside libopus and ADPCM: PESQ, words, bytes (FOLDER=: your WAVs, too)
	@$(PY) -m codec_bench $(if $(FOLDER),--folder "$(FOLDER)") $(OPTIONS)

flash-torture: $(VENV) $(MPY) ## a flash that breaks off at every operation and every piece (STEP=10: every tenth booted)
	@PYTHONPATH=. $(PY) -m tests.host.usb.torture --step $(or $(STEP),1)

# make codec-hour HOURS=0.1 SEED=7.
codec-hour: $(VENV) $(MPY) $(OPUS) ## an hour of every sound at every rate: libopus and FFmpeg read each packet as it was meant
	@PYTHONPATH=. $(PY) -m tests.codec $(if $(HOURS),--hours $(HOURS)) $(if $(SEED),--seed $(SEED))

# make fuzz TARGET=message,store SECONDS=60.
fuzz: $(VENV) $(MPY) ## every parser fed with nonsense, guided by coverage: TARGET=, SECONDS= for each
	@PYTHONPATH=. $(PY) -m tests.fuzz $(if $(TARGET),--target "$(TARGET)") $(if $(SECONDS),--seconds $(SECONDS))

# make strangers SEED=7 SUITE=pin.
strangers: $(VENV) $(MPY) ## strangers at the pin, fake pins at the companion, carriers between: SUITE=, SEED=
	@PYTHONPATH=. $(PY) -m tests.strangers $(if $(SEED),--seed $(SEED)) $(if $(SUITE),--suite $(SUITE))

# make torture N=10000 SEED=7, TIER=a, or CASE=a/flash/op-113/bits.
torture: $(VENV) $(MPY) ## every fault of flash, link and companion, by exhaustion: N=, SEED=, TIER=, CASE=
	@$(PY) -m get_tools strace || true
	@PYTHONPATH=. $(PY) -m tests.torture $(if $(N),--n $(N)) $(if $(SEED),--seed $(SEED)) $(if $(TIER),--tier $(TIER)) \
		$(if $(CASE),--case $(CASE))

torture-selftest: $(VENV) $(MPY) ## mistakes planted into copies of the checkout: the torture must catch each
	@$(PY) -m get_tools strace || true
	@PYTHONPATH=. $(PY) -m tests.torture.selftest $(if $(ONLY),--only "$(ONLY)") $(if $(SEED),--seed $(SEED))

wrong-actions: $(VENV) $(FLITE) ## 200 sentences outside the phrases, silence, noise: none may act
	@$(PY) -m voices.suite

# --- what is made once --------------------------------------------------------------------------------

.PHONY: tools .venv voices pictures boards firmware clean distclean
tools: $(VENV) $(MPY) $(FLITE) $(QEMU) $(OPUS) ## install everything the other targets need

.venv: $(VENV) ## make the Python environment only

voices: $(VENV) $(FLITE) ## speak the demo's recordings again
	@$(PY) -m voices.demo tools/simulator/demo

pictures: $(VENV) $(MPY) ## draw the README's pictures again, one of them from a run of the demo
	@mkdir -p build
	@$(LAPEL) sim --script tools/simulator/demo/demo.script --json > build/demo.ndjson
	@$(PY) -m pictures tools/pictures build/demo.ndjson

boards: $(VENV) ## wiring tables and pictures of boards/, from board.py and parts.toml
	@$(PY) -m wiring

firmware: $(VENV) ## a MicroPython image with the app frozen (BOARD=, MICROPYTHON=): builds it, or says what it needs
	@$(PY) -m firmware_image "$(BOARD)" --micropython "$(MICROPYTHON)"

clean: ## remove caches and what runs left behind
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find firmware lib boards tools tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove what was installed, too
	@rm -rf .venv .tools

# A checkout that was moved needs its environment made again: scripts in it name the old folder.
ifneq ($(shell cat .venv/.where 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)
endif

$(VENV): pyproject.toml tools/constraints.txt tools/bootstrap.sh
	@tools/bootstrap.sh

# Made once: newer packages do not ask for another interpreter.
$(MPY): | $(VENV)
	@$(PY) -m get_tools micropython

$(FLITE): | $(VENV)
	@$(PY) -m get_tools flite

# Where they cannot be had, what needs them says so and is passed over.
$(QEMU): | $(VENV)
	@$(PY) -m get_tools qemu-xtensa || echo "going on without it"

$(OPUS): | $(VENV)
	@$(PY) -m get_tools libopus || echo "going on without it"
