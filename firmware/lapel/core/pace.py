"""How fast audio may go to the radio: as fast as it proves to carry, never until it chokes.

A radio queue that is kept full refuses the companion's writes too (measured: all of them), so a
refusal costs rate and a pause, and rate comes back slowly.
"""

from lapel.compat import const

START_BYTES_S = 20_000
# Live speech as ADPCM is 8,000 bytes a second; below that nothing would ever catch up.
FLOOR_BYTES_S = 8_800
CEILING_BYTES_S = 64_000
# Room for what gathered while an erase held the interpreter (200 ms are 1,600 bytes).
BURST_BYTES = 1_600
PAUSE_MS = 120
# A short packet takes a place in the radio's queue and in its events as a long one does.
_PACKET_MIN_BYTES = const(100)
_GAIN_BYTES_S = const(2_000)
_GAIN_EVERY_MS = const(1_000)


class Pace:
    """A token bucket whose rate adapts. Times are milliseconds that never wrap."""

    def __init__(self, now_ms: int) -> None:
        self.rate_bytes_s = START_BYTES_S
        self.refusals = 0
        self._tokens = BURST_BYTES
        self._filled_ms = now_ms
        self._gained_ms = now_ms
        self._paused_until_ms = now_ms

    def allows(self, now_ms: int) -> bool:
        """Whether another audio message may go out now."""
        if now_ms < self._paused_until_ms:
            return False
        gained = (now_ms - self._filled_ms) * self.rate_bytes_s // 1000
        if gained > 0:
            self._tokens = min(BURST_BYTES, self._tokens + gained)
            self._filled_ms = now_ms
        if now_ms - self._gained_ms >= _GAIN_EVERY_MS:
            self._gained_ms = now_ms
            self.rate_bytes_s = min(CEILING_BYTES_S, self.rate_bytes_s + _GAIN_BYTES_S)
        return self._tokens > 0

    def paused_ms(self, now_ms: int) -> int:
        """How long nothing at all should be sent."""
        return max(0, self._paused_until_ms - now_ms)

    def sent(self, length: int) -> None:
        """`length` bytes went out."""
        self._tokens -= max(length, _PACKET_MIN_BYTES)

    def refused(self, now_ms: int) -> None:
        """The radio's queue was full: wait for it to drain, then go slower."""
        self.refusals += 1
        self.rate_bytes_s = max(FLOOR_BYTES_S, self.rate_bytes_s * 3 // 4)
        self._paused_until_ms = now_ms + PAUSE_MS
        self._gained_ms = now_ms
        self._tokens = 0
