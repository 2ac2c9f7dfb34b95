"""MAX17048: fuel gauge of one lithium cell, on I2C. Table and register numbers are of Maxim's 19-6171.

It measures voltage alone and follows a model of the cell, so it needs no shunt and no learning, and goes on while
the rest sleeps: 23 uA, and some 3 uA in hibernation, which it enters and leaves by itself (HIBRT). It is powered by
the cell: after a change of cell it begins anew, and its first charge is a guess from the voltage.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from machine import I2C

_VCELL = 0x02
_SOC = 0x04
_MODE = 0x06
_VERSION = 0x08
_CONFIG = 0x0C
_CRATE = 0x16
_STATUS = 0x1A

_QUICK_START = 0x4000
_ENABLE_SLEEP = 0x2000
_SLEEP = 0x0080
_ALERTED = 0x0020
_RESET_INDICATOR = 0x0100
# %/h below which it is neither charging nor discharging to speak of, in steps of 0.208 %/h.
_RATE_STEPS = 3


class GaugeError(Exception):
    """What is wrong with the gauge or its wiring, as a sentence."""


class Max17048:
    """`i2c` as machine.I2C, 400 kHz at most. Raises GaugeError when no MAX17048 answers.

    Readings are None when the bus fails, which `errors` counts. After power-up the first takes a second to settle.
    """

    def __init__(self, i2c: "I2C", address: int = 0x36) -> None:
        self._i2c = i2c
        self._address = address
        self._word = bytearray(2)
        self._sent = bytearray(3)
        # Transfers that failed.
        self.errors = 0
        # Whether it had lost its power since it was last set up.
        self.was_reset = False
        try:
            version = self._get(_VERSION)
            if version & 0xFFF0 != 0x0010:
                raise GaugeError("the chip at 0x%02X is no MAX17048 (its version is 0x%04X)" % (address, version))
            status = self._get(_STATUS)
            if status & _RESET_INDICATOR:
                self.was_reset = True
                self._put(_STATUS, status & ~_RESET_INDICATOR)
        except OSError:
            raise GaugeError("no MAX17048 answers at 0x%02X: check its wires, and that the cell is in" % address)

    def read_mv(self):
        """The cell's voltage in mV (VCELL, 78.125 uV a step), under whatever load it has; None on a bus error."""
        steps = self._look(_VCELL)
        return None if steps is None else (steps * 5 + 32) // 64

    def read_percent(self):
        """What is left in the cell, 0 to 100 (SOC, 1/256 % a step); None on a bus error."""
        steps = self._look(_SOC)
        return None if steps is None else min(100, (steps + 128) >> 8)

    @property
    def charging(self):
        """True or False by the rate of change (CRATE, 0.208 %/h a step), which follows within minutes.

        None while there is hardly any, and on a bus error.
        """
        steps = self._look(_CRATE)
        if steps is None:
            return None
        if steps & 0x8000:
            steps -= 0x10000
        return None if abs(steps) < _RATE_STEPS else steps > 0

    def alert_below(self, percent: int) -> None:
        """Pulls ALRT low once less than `percent` (1 to 32) is left (CONFIG.ATHD). Raises ValueError, OSError."""
        if not 1 <= percent <= 32:
            raise ValueError("an alert at 1 to 32 per cent, not %d" % percent)
        self._put(_CONFIG, self._get(_CONFIG) & 0xFFC0 | 32 - percent)

    def alerted(self) -> bool:
        """Whether it has alerted; lets go of ALRT. Raises OSError."""
        config = self._get(_CONFIG)
        if config & _ALERTED:
            self._put(_CONFIG, config & ~_ALERTED)
        return bool(config & _ALERTED)

    def quick_start(self) -> None:
        """Guesses the charge anew from the voltage: only for a cell that has rested. Raises OSError."""
        self._put(_MODE, _QUICK_START)

    def sleep(self, asleep: bool) -> None:
        """Stops measuring (1 uA) until sleep(False): then what is left is no longer followed. Raises OSError."""
        self._put(_MODE, _ENABLE_SLEEP if asleep else 0)
        self._put(_CONFIG, self._get(_CONFIG) & ~_SLEEP | (_SLEEP if asleep else 0))

    def _look(self, register: int):
        try:
            return self._get(register)
        except OSError:
            self.errors += 1
            return None

    def _get(self, register: int) -> int:
        self._i2c.readfrom_mem_into(self._address, register, self._word)
        return self._word[0] << 8 | self._word[1]

    def _put(self, register: int, word: int) -> None:
        # Both bytes in one transaction: a single one has no effect.
        self._sent[0], self._sent[1], self._sent[2] = register, word >> 8 & 0xFF, word & 0xFF
        self._i2c.writeto(self._address, self._sent)
