"""Clips by offset: what the pin still has to send; what the companion may take is in `receiver`.

The pin offers a clip (CLIP), the companion answers with what it holds durably: ACK 0 when the
clip is new to it, RESUME with an offset and the CRC32 of that prefix, or ACCEPTED. A live clip
streams ahead of the answer; one from flash waits for it.

Each of these offsets opens a window: the pin sends no further than WINDOW_BYTES beyond the last one it was told.
"""

# What is not answered is said again; who has just told how far he got is given twice as long.
RETRY_MS = 2000
# What may be on its way, read or written behind what the companion said that it holds: it has room for all of that,
# however slowly it reads. Two answers a window keep 64 kB/s flowing over half a second of delay.
WINDOW_BYTES = 65_536
PROGRESS_BYTES = WINDOW_BYTES // 2

OFFER = 1
FINISH = 2


class Sender:
    """The pin's side of one clip. Times are milliseconds that never wrap."""

    def __init__(self, number: int, live: bool) -> None:
        self.number = number
        self.position = 0
        # Times that CLIP or END was said since the companion got further.
        self.asks = 0
        self._held = -1
        # Where the window begins.
        self._base = 0
        self._answered = False
        self._live = live
        self._offered_ms: "int | None" = None
        self._ended = False
        # From when on an answer is missed; None: when one is needed.
        self._missed_ms: "int | None" = None

    @property
    def may_stream(self) -> bool:
        """Audio may go out now."""
        return self._offered_ms is not None and (self._answered or self._live) and not self._is_shut

    @property
    def _is_shut(self) -> bool:
        return self.position >= self._base + WINDOW_BYTES

    def due(self, now_ms: int, total: "int | None") -> "int | None":
        """OFFER or FINISH when that message is due, else None. `total` is None while recording.

        The caller reports a message that was queued by `offered` or `finished`.
        """
        if self._offered_ms is None:
            return OFFER
        if not self._answered and now_ms - self._offered_ms >= RETRY_MS:
            return OFFER
        if total is not None and self.position >= total:
            if not self._answered and not self._live:
                return None
            if not self._ended:
                return FINISH
            wanted = FINISH
        elif self._is_shut:
            wanted = OFFER
        else:
            return None
        if self._missed_ms is None:
            self._missed_ms = now_ms + 2 * RETRY_MS
        return wanted if now_ms >= self._missed_ms else None

    def offered(self, now_ms: int) -> None:
        """CLIP was queued."""
        self.asks += 1
        self._offered_ms = now_ms
        self._missed_ms = now_ms + RETRY_MS

    def finished(self, now_ms: int) -> None:
        """END was queued."""
        self.asks += 1
        self._ended = True
        self._missed_ms = now_ms + RETRY_MS

    def sent(self, length: int) -> None:
        """`length` bytes of audio were handed over."""
        self.position += length

    def resume(self, offset: int) -> None:
        """The companion holds `offset` bytes and wants what follows."""
        self._ended = False
        self.position = self._base = offset
        self.ack(offset)

    def ack(self, offset: int) -> None:
        """The companion holds `offset` bytes durably."""
        if offset > self.position:
            # Said of what went before; where we are to go on, RESUME tells.
            return
        self._answered = True
        self._base = max(self._base, offset)
        self._missed_ms = None
        if offset > self._held:
            self._held, self.asks = offset, 0
