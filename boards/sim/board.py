"""The simulated board: the same interfaces as a real one, their far side in tools/simulator.

| pin | what |
|---|---|
| 1 | button to ground, pulled up |
| 2, 3, 4 | I2S microphone: clock, word select, data |
"""

import json

import machine
import root
import world

import bus
from drivers import onchip

PINS = {"button": 1, "mic_sck": 2, "mic_ws": 3, "mic_sd": 4}
# LittleFS caches of four times this: small files lie in the directory then and cost no erase.
_CACHE_BYTES = 128

_DRIVE = 1
_SHOW = 1
_TRACE_LINE = 1


class Haptic:
    def __init__(self, link):
        self._bus = link

    def drive(self, strength):
        """0 (off) to 255."""
        self._bus.send(bus.HAPTIC, _DRIVE, bytes((strength,)))


class Led:
    def __init__(self, link):
        self._bus = link

    def show(self, r, g, b):
        """0 to 255 each."""
        self._bus.send(bus.LED, _SHOW, bytes((r, g, b)))


class Battery:
    """The level that the simulator last told."""

    # no pin tells
    charging = None

    def read_mv(self):
        return world.attached().battery_mv

    def read_percent(self):
        """None: a voltage is all it measures."""


class Console:
    """Nobody types at it; the trace tells when Ctrl-C would not be heard."""

    def __init__(self, board):
        self._board = board

    def hold(self, held):
        """True: Ctrl-C is a character like any other, until False."""
        self._board.trace("console", held=held)


class Essentials:
    """What safe mode needs, and nothing that can fail for a part or a module that is missing."""

    name = "sim"
    flash_dir = "/flash"
    # what this board stands for: an ESP32-S3 without PSRAM (see boards/README.md)
    memory = {"heap_bytes": 252_000, "executable_bytes": 6_300, "dma_bytes": 38_912, "nimble_bytes": 45_000}

    def __init__(self, link):
        self._bus = link
        self.light = Led(link)
        self.retained = onchip.Retained()
        self.watchdog = onchip.Watchdog()
        self.console = Console(self)
        self.unique_id = machine.unique_id()
        # a sentence for each part that does not answer
        self.faults = []

    @property
    def beacon(self):
        """The class drivers.beacon.Beacon; safe mode alone spends memory on it."""
        from drivers.beacon import Beacon

        return Beacon

    def every(self, period_ms, callback):
        """Calls `callback()` each period until close() of what this returns."""
        from drivers.ticker import Ticker

        return Ticker(period_ms, callback)

    def trace(self, event, **fields):
        """One event for who is watching; the simulator shows it and scripts wait for it."""
        fields["event"] = event
        self._bus.send(bus.TRACE, _TRACE_LINE, json.dumps(fields).encode())

    def reset_cause(self):
        return onchip.reset_cause()

    def reset(self):
        machine.reset()


class Board(Essentials):
    """All of it. Raises ImportError where aioble is missing."""

    def __init__(self, link, flash):
        # here, so that safe mode needs none of them
        from drivers.ble_gatt import BleGatt
        from drivers.button import Button

        super().__init__(link)
        self.flash = flash
        self.button = Button(machine.Pin(PINS["button"], machine.Pin.IN, machine.Pin.PULL_UP))
        self.mic = onchip.microphone(PINS)
        self.haptic = Haptic(link)
        self.led = self.light
        self.battery = Battery()
        # the app knows the service's names: it makes the server of this
        self.gatt = BleGatt


def essentials():
    """The board as far as safe mode needs it."""
    return Essentials(bus.attached())


def build(trace=None):
    """The board with its flash mounted. A flash on which nothing was ever stored gets a file system, and the
    trace says so; one whose file system is damaged raises OSError."""
    link = bus.attached()
    machine.reserve_dma(onchip.IBUF_BYTES)
    flash = world.attached().flash
    board = Board(link, flash)
    if trace is not None:
        board.trace = trace
    if root.mounted(flash, board.flash_dir, readsize=_CACHE_BYTES):
        board.trace("formatted", error="the flash was empty")
    return board

