"""Whether anybody listens at the other end of a link: a radio can hold it although nobody does.

Only answers count. After some time without one the other side is asked; when it says nothing to that, the link is
lost.
"""

from lapel.compat import const

_ASK_IDLE_MS = const(30_000)
# While a clip is recorded or on its way.
_ASK_BUSY_MS = const(3_000)
_AGAIN_MS = const(1_000)
_NEAR_MS = const(5_000)
# From the first question that was not answered.
_LOST_MS = const(10_000)


class Vigil:
    """Times are milliseconds that never wrap."""

    def __init__(self, now_ms: int) -> None:
        self._asked_ms: int = None
        self._again_ms = 0
        self.heard(now_ms)

    def heard(self, now_ms: int) -> None:
        """Something came that the other side says only when it has heard us."""
        self._heard_ms = now_ms
        self._asked_ms = None

    def must_ask(self, now_ms: int, is_busy: bool) -> bool:
        """Whether to ask now; it counts as asked then."""
        if self._asked_ms is None:
            if now_ms - self._heard_ms < (_ASK_BUSY_MS if is_busy else _ASK_IDLE_MS):
                return False
            self._asked_ms = now_ms
        elif now_ms < self._again_ms:
            return False
        self._again_ms = now_ms + _AGAIN_MS
        return True

    def is_near(self, now_ms: int) -> bool:
        """Whether the other side has answered just now."""
        return now_ms - self._heard_ms < _NEAR_MS

    def is_lost(self, now_ms: int) -> bool:
        """Whether it was asked for long enough in vain."""
        return self._asked_ms is not None and now_ms - self._asked_ms >= _LOST_MS
