"""Clips by offset, as `clips` tells: what the companion may take."""

# It asks for the same lost piece again at most this often.
RESUME_INTERVAL_MS = 500


class Receiver:
    """One clip: data in order, without doubles, holes asked for."""

    def __init__(self, held: int = 0) -> None:
        self.held = held
        self._asked_ms = 0
        # What was held when it was asked last.
        self._asked_at = -1
        self._last = 0

    def take(self, offset: int, data: "memoryview") -> "memoryview | None":
        """The part of `data` that continues what is held, or None (a double, or behind a hole)."""
        if offset > self.held or offset + len(data) <= self.held:
            return None
        self._last = offset
        fresh = data[self.held - offset :]
        self.held += len(fresh)
        return fresh

    def ask(self, offset: int, came_ms: int, now_ms: int) -> bool:
        """Whether to send RESUME now, after something was read that begins or ends at `offset` and came at `came_ms`.

        What came before the pin can have heard the last one says nothing new, however late it is read.
        """
        if offset <= self.held:
            return False
        # The pin went back, and what it sent first is lost again.
        again = offset < self._last
        self._last = offset
        if not again and self._asked_at == self.held and came_ms - self._asked_ms < RESUME_INTERVAL_MS:
            return False
        self._asked_ms, self._asked_at = now_ms, self.held
        return True
