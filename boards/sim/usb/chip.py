"""The modules that a stock image brings on an ESP32-S3, put in place for the simulated pin on USB.

`claim` makes the pin another than it is, so that what checks it can be tried: `machine`, `version` and `mpy` are
what sys.implementation says, `psram_bytes` and `flash_bytes` sizes, `without` modules that this image lacks.
"""

import collections
import sys
import time

import control as wire
import micropython

MACHINE = "Simulated pin with Lapel"
_DATE = "2025-04-15"
_RTC_BYTES = 2048
_INTERNAL_HEAP = (300_000, 150_000, 110_000, 100_000)


class Stand:
    """Has what it is given as attributes, and those of `real` beside them."""

    def __init__(self, real, **own):
        self._real = real
        for name in own:
            setattr(self, name, own[name])

    def __getattr__(self, name):
        if self._real is None:
            raise AttributeError(name)
        return getattr(self._real, name)


def put_in_place(control, flash, options):
    """Fills sys.modules; gives the banner of the prompt."""
    claim = options.get("claim") or {}
    implementation = _implementation(sys, claim)
    version = "v{}.{}.{}".format(*implementation.version)
    modules = {
        "sys": Stand(sys, implementation=implementation, platform="esp32"),
        "micropython": Stand(
            micropython, kbd_intr=lambda key: control.ask(wire.KEY, (key & 0xFF).to_bytes(1, "little"))
        ),
        "machine": _machine(control, options),
        "esp32": _esp32(claim),
        "esp": Stand(None, flash_size=lambda: claim.get("flash_bytes", flash.ioctl(4, 0) * flash.ioctl(5, 0))),
        "bluetooth": Stand(None, BLE=None),
        "flashbdev": Stand(None, bdev=flash),
    }
    for name in modules:
        if name not in claim.get("without", ()):
            sys.modules[name] = modules[name]
    return "MicroPython {} on {}; {}".format(version, _DATE, implementation._machine)


def _implementation(real, claim):
    own = real.implementation
    make = collections.namedtuple("implementation", ("name", "version", "_machine", "_mpy", "_build"))
    version = tuple(claim.get("version", own.version[:3]))
    return make("micropython", version, claim.get("machine", MACHINE), claim.get("mpy", own._mpy), "")


def _esp32(claim):
    heaps = [_INTERNAL_HEAP]
    if claim.get("psram_bytes"):
        heaps.append((claim["psram_bytes"],) * 4)
    return Stand(None, HEAP_DATA=4, HEAP_EXEC=1, idf_heap_info=lambda capabilities: heaps)


def _machine(control, options):
    class WDT:
        def __init__(self, id=0, timeout=5000):
            control.ask(wire.WDT, timeout.to_bytes(4, "little"))

        def feed(self):
            control.ask(wire.FEED)

    class RTC:
        def memory(self, data=None):
            if data is None:
                return control.ask(wire.RTC_LOAD)
            if len(data) > _RTC_BYTES:
                raise ValueError("buffer too long")
            control.ask(wire.RTC_SAVE, bytes(data))

    def soft_reset():
        raise SystemExit

    return Stand(
        None,
        PWRON_RESET=1,
        HARD_RESET=2,
        WDT_RESET=3,
        DEEPSLEEP_RESET=4,
        SOFT_RESET=5,
        WDT=WDT,
        RTC=RTC,
        reset=control.reset,
        soft_reset=soft_reset,
        reset_cause=lambda: options["cause"],
        unique_id=lambda: bytes.fromhex(options["uid"]),
        freq=lambda hz=None: 240_000_000,
        idle=lambda: time.sleep_ms(1),
    )
