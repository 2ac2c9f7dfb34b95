"""Two resistors between cell, ADC pin and ground."""

from chips import Misuse

_PIN_MAX_UV = 3_600_000


class Divider:
    """`mv()` gives the cell's voltage in mV; `upper` and `lower` are the resistors, in any one unit."""

    def __init__(self, mv, upper=100, lower=100):
        self._mv = mv
        self._upper = upper
        self._lower = lower

    def uv(self):
        """Microvolts at the pin; None while the source knows no voltage."""
        mv = self._mv()
        if mv is None:
            return None
        uv = mv * 1000 * self._lower // (self._upper + self._lower)
        if uv > _PIN_MAX_UV:
            raise Misuse("%d uV at an ESP32-S3's pin: 3.6 V at most (ESP32-S3 data sheet, table 4-1)" % uv)
        return uv
