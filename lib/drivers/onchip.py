"""What an ESP32 has for itself: memory that survives a reset, a watchdog, its console, why it was reset, and the I2S
that a microphone hangs on (ESP32 port of MicroPython, 1.25 and newer)."""

import machine
import micropython

from lapel.compat import const

# 19 DMA blocks, 300 ms: an erase that takes 200 ms loses nothing.
IBUF_BYTES = const(40000)
_RATE_HZ = const(16000)
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


def microphone(pins):
    """The MicI2S on the signals mic_sck, mic_ws and mic_sd: 16 kHz, the left slot."""
    from drivers.mic_i2s import MicI2S

    def make():
        return machine.I2S(
            0,
            sck=machine.Pin(pins["mic_sck"]),
            ws=machine.Pin(pins["mic_ws"]),
            sd=machine.Pin(pins["mic_sd"]),
            mode=machine.I2S.RX,
            bits=32,
            format=machine.I2S.MONO,
            rate=_RATE_HZ,
            ibuf=IBUF_BYTES,
        )

    return MicI2S(make, rate_hz=_RATE_HZ, ibuf_bytes=IBUF_BYTES)
