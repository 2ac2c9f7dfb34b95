"""Clips by offset: what the pin still has to send; what the companion may take is in `receiver`.

The pin offers a clip (CLIP), the companion answers with what it holds durably: ACK 0 when the
clip is new to it, RESUME with an offset and the CRC32 of that prefix, or ACCEPTED. A live clip
streams ahead of the answer; one from flash waits for it.
"""

RETRY_MS = 2000

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
        self._answered = False
        self._live = live
        self._offered_ms: "int | None" = None
        self._ended_ms: "int | None" = None

    @property
    def may_stream(self) -> bool:
        """Audio may go out now."""
        return self._offered_ms is not None and (self._answered or self._live)

    def due(self, now_ms: int, total: "int | None") -> "int | None":
        """OFFER or FINISH when that message is due, else None. `total` is None while recording.

        The caller reports a message that was queued by `offered` or `finished`.
        """
        if self._offered_ms is None:
            return OFFER
        if not self._answered and now_ms - self._offered_ms >= RETRY_MS:
            return OFFER
        if total is None or self.position < total:
            return None
        if not self._answered and not self._live:
            return None
        if self._ended_ms is None or now_ms - self._ended_ms >= RETRY_MS:
            return FINISH
        return None

    def offered(self, now_ms: int) -> None:
        """CLIP was queued."""
        self.asks += 1
        self._offered_ms = now_ms

    def finished(self, now_ms: int) -> None:
        """END was queued."""
        self.asks += 1
        self._ended_ms = now_ms

    def sent(self, length: int) -> None:
        """`length` bytes of audio were handed over."""
        self.position += length

    def resume(self, offset: int) -> None:
        """The companion holds `offset` bytes and wants what follows."""
        self.ack(offset)
        self._ended_ms = None
        self.position = offset

    def ack(self, offset: int) -> None:
        """The companion holds `offset` bytes durably."""
        self._answered = True
        if offset > self._held:
            self._held, self.asks = offset, 0
