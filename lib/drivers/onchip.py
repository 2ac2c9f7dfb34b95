"""What an ESP32 has for itself: memory that survives a reset, a watchdog, its console, and why it was reset (ESP32
port of MicroPython, 1.25 and newer)."""

import machine
import micropython

from lapel.compat import const

_WATCHDOG_MS = const(8000)
_CTRL_C = const(3)

_CAUSES = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "reset",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep sleep",
    machine.SOFT_RESET: "soft reset",
}


class Retained:
    """RTC memory: 2048 bytes that survive a reset, not the loss of power."""

    def __init__(self):
        self._rtc = machine.RTC()

    def load(self):
        """The bytes last saved, b"" after the loss of power."""
        return self._rtc.memory()

    def save(self, data):
        """Raises ValueError past 2048 bytes."""
        self._rtc.memory(data)


class Watchdog:
    """Resets the chip when it was not fed for 8 s. Starts with its first feed; nothing stops it then."""

    def __init__(self):
        self._wdt = None

    def feed(self):
        if self._wdt is None:
            self._wdt = machine.WDT(timeout=_WATCHDOG_MS)
        self._wdt.feed()

    def stretch(self, timeout_ms):
        """Gives it another time, also when it runs from before a soft reset, which does not stop it."""
        self._wdt = machine.WDT(timeout=timeout_ms)
        self._wdt.feed()


class Console:
    """The USB console, at which Ctrl-C ends the program."""

    def hold(self, held):
        """True: Ctrl-C is a character like any other, until False."""
        micropython.kbd_intr(-1 if held else _CTRL_C)


def reset_cause():
    """A word: power, reset, watchdog, deep sleep, soft reset or unknown."""
    return _CAUSES.get(machine.reset_cause(), "unknown")
