"""One addressable RGB pixel: WS2812B, WS2812B-V5 or SK6812, on any output pin.

Sources: Worldsemi WS2812B and WS2812B-V5, Opsco SK6812: "data transfer time", "composition of 24 bit data".
It wants a supply of 3.7 V or more for its full range of data levels; most take 3.3 V signals on a cell's voltage.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from machine import Pin

# High and low of a 0, then of a 1, in ns: inside the limits of all three kinds.
_TIMING_NS = (320, 850, 700, 600)


def _rest() -> None:
    time.sleep(0.001)


class Pixel:
    """`bitstream(pin, encoding, timing, buffer)` as machine.bitstream, `pin` its output, low at rest.

    `power` is the Pin that switches its supply where the board has one, high for on: dark, it is switched off.
    `rest()` waits for 280 us or more. Brightness is the caller's: what is shown is what was asked for.
    """

    def __init__(self, bitstream: "Callable", pin: "Pin", power: "Pin" = None, rest: "Callable" = _rest) -> None:
        self._bitstream = bitstream
        self._pin = pin
        self._power = power
        self._rest = rest
        # Green, red, blue, the high bit first. Nothing is known of what it shows now.
        self._grb = bytearray(3)
        self._is_known = False

    def show(self, r: int, g: int, b: int) -> None:
        """0 to 255 each. Takes 1 ms, and no time at all for the colour that is shown already."""
        grb = self._grb
        if self._is_known and grb[0] == g and grb[1] == r and grb[2] == b:
            return
        self._is_known = True
        grb[0], grb[1], grb[2] = g, r, b
        lit = bool(r or g or b)
        if self._power is not None and lit:
            self._power.value(1)
        # A frame is shown once the line was low for 280 us; the next before that would go on to a next pixel.
        self._rest()
        self._bitstream(self._pin, 0, _TIMING_NS, grb)
        if self._power is not None and not lit:
            self._power.value(0)

    def close(self) -> None:
        """Dark."""
        self.show(0, 0, 0)
