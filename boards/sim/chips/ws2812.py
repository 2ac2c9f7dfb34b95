"""One WS2812B pixel, or an SK6812 (Worldsemi WS2812B and WS2812B-V5, Opsco SK6812: data transfer time).

The limits of WS2812B are those that both its first version and the V5 keep; from memory, as no document
could be had.
"""

from chips import Misuse

# (shortest, longest) ns of the high and low part of a 0, then of a 1.
_LIMITS_NS = {
    "ws2812": ((250, 380), (700, 1000), (650, 950), (300, 600)),
    "sk6812": ((150, 450), (750, 1050), (450, 750), (450, 750)),
}
_NAMES = ("T0H", "T0L", "T1H", "T1L")
# Low for so long ends a frame: V5 needs the longest.
_LATCH_US = 280


class Ws2812:
    """`told(r, g, b)` hears what it shows; `now_us()` tells frames apart (None: they are never too close)."""

    def __init__(self, told, now_us=None, kind="ws2812"):
        self._told = told
        self._now_us = now_us
        self._limits = _LIMITS_NS[kind]
        self._ended_us = None
        self._powered = True

    def power(self, level):
        """Its supply, where a pin switches it: dark without, and dark when it returns."""
        self._powered = bool(level)
        if not level:
            self._told(0, 0, 0)

    def bits(self, timing_ns, data):
        """A frame: what machine.bitstream sends with this timing. The first 24 bits are this pixel's."""
        for i in range(4):
            shortest, longest = self._limits[i]
            if not shortest <= timing_ns[i] <= longest:
                raise Misuse(
                    "%s is %d ns, not %d to %d (data transfer time)" % (_NAMES[i], timing_ns[i], shortest, longest)
                )
        if not data or len(data) % 3:
            raise Misuse("%d bytes: a pixel takes 24 bits, G R B (composition of 24 bit data)" % len(data))
        if self._now_us is not None:
            now_us = self._now_us()
            if self._ended_us is not None and now_us - self._ended_us < _LATCH_US:
                raise Misuse("%d us after the last frame: one that is shown needs 280" % (now_us - self._ended_us))
            # 24 bits of 1.25 us each.
            self._ended_us = now_us + len(data) * 10
        if self._powered:
            self._told(data[1], data[0], data[2])
