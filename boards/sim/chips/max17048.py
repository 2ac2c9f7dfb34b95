"""Maxim MAX17048: fuel gauge of one lithium cell (19-6171; registers: table 2).

From memory, as the document could not be had: the reset values of HIBRT, VALRT and VRESET, and that the POR
command is not acknowledged. What the ModelGauge finds is not in the data sheet: here the charge follows the
voltage along a straight line, or is what `percent` says.
"""

from chips import ENODEV

_VCELL = 0x02
_SOC = 0x04
_MODE = 0x06
_VERSION = 0x08
_HIBRT = 0x0A
_CONFIG = 0x0C
_VALRT = 0x14
_CRATE = 0x16
_VRESET = 0x18
_STATUS = 0x1A
_CMD = 0xFE
_WRITABLE = (_MODE, _HIBRT, _CONFIG, _VALRT, _VRESET, _STATUS, _CMD)

_QUICK_START = 0x4000
_ENABLE_SLEEP = 0x2000
_SLEEP = 0x0080
_ALERT = 0x0020
_RESET_INDICATOR = 0x0100
_LOW = 0x1000
_POR = 0x5400
_EMPTY_MV = 3300
_FULL_MV = 4180


class Max17048:
    """`told(alert)` hears the ALRT pin; `mv`, `percent` (None: of the voltage) and `rate` (% an hour) are the cell."""

    address = 0x36

    def __init__(self, told=None, now_ms=None, mv=3900, version=0x0012):
        self._told = told
        self.mv = mv
        self.percent = None
        self.rate = 0.0
        self.quick_starts = 0
        self._version = version
        self._pointer = 0
        self._reset()

    def _reset(self):
        self._words = {
            _MODE: 0, _VERSION: self._version, _HIBRT: 0x8030, _CONFIG: 0x971C, _VALRT: 0x00FF,
            _VRESET: 0x9600, _STATUS: _RESET_INDICATOR, _VCELL: 0, _SOC: 0, _CRATE: 0,
        }  # fmt: skip
        self._measure()

    @property
    def is_asleep(self):
        """Whether it has stopped measuring: SLEEP counts only where EnSleep allows it."""
        return bool(self._words[_MODE] & _ENABLE_SLEEP and self._words[_CONFIG] & _SLEEP)

    def write(self, data):
        """Register address and words, the high byte first; single bytes have no effect."""
        self._pointer = data[0]
        for at in range(1, len(data) - 1, 2):
            self._set(self._pointer, data[at] << 8 | data[at + 1])
            self._pointer = (self._pointer + 2) & 0xFF

    def read(self, n):
        """`n` bytes from the register last written to."""
        self._measure()
        found = bytearray(n)
        for i in range(n):
            word = self._words.get(self._pointer & 0xFE, 0)
            found[i] = word & 0xFF if self._pointer & 1 else word >> 8
            self._pointer = (self._pointer + 1) & 0xFF
        return bytes(found)

    def _set(self, register, word):
        if register not in _WRITABLE:
            return
        if register == _CMD:
            if word == _POR:
                self._reset()
                # It resets with the last bit, and does not acknowledge it.
                raise OSError(ENODEV)
            return
        if register == _MODE:
            self.quick_starts += bool(word & _QUICK_START)
            word &= _ENABLE_SLEEP
        if register == _STATUS:
            # Software clears these bits and sets none, but for EnVR.
            word &= self._words[_STATUS] | 0x4000
        self._words[register] = word

    def _measure(self):
        if self.is_asleep:
            return
        percent = self.percent
        if percent is None:
            percent = max(0, min(100, (self.mv - _EMPTY_MV) * 100 / (_FULL_MV - _EMPTY_MV)))
        self._words[_VCELL] = min(0xFFFF, int(self.mv * 1000 / 78.125))
        self._words[_SOC] = int(percent * 256) & 0xFFFF
        self._words[_CRATE] = int(self.rate / 0.208) & 0xFFFF
        # ATHD counts down from 32 %.
        if percent < 32 - (self._words[_CONFIG] & 0x1F) and not self._words[_CONFIG] & _ALERT:
            self._words[_CONFIG] |= _ALERT
            self._words[_STATUS] |= _LOW
            if self._told:
                self._told(True)
