"""One LED with its resistor on a pin."""


class Led:
    """`told(level)`, 0 to 255, hears how bright it is. `active_low`: it lies between supply and pin."""

    def __init__(self, told, active_low=False):
        self._told = told
        self._active_low = active_low

    def duty(self, u16):
        """The pin's share of high level, 0 to 65535; a plain output is 0 or 65535."""
        self._told((65535 - u16 if self._active_low else u16) >> 8)
