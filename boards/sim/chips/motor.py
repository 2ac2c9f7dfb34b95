"""A coin motor (ERM) with a MOSFET at its low side, a diode across it.

Such motors start at some 2.0 V to 2.3 V of their rated 3 V and, once they turn, turn on far below it (data
sheets of 10 mm coin motors: starting voltage).
"""

STARTS_U16 = 48000
STALLS_U16 = 16000


class Motor:
    """`told(strength)`, 0 to 255, hears how hard it turns."""

    def __init__(self, told):
        self._told = told
        self._turns = False
        self._strength = 0

    def duty(self, u16):
        """The gate's share of high level, 0 to 65535: standing, it starts only from STARTS_U16 on."""
        self._turns = u16 >= STARTS_U16 or (self._turns and u16 >= STALLS_U16)
        strength = u16 >> 8 if self._turns else 0
        if strength != self._strength:
            self._strength = strength
            self._told(strength)
