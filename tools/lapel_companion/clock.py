"""When a button was pressed by the wall clock, for a pin that did not know the wall clock itself.

A pin counts milliseconds since it booted. Each hello pairs that count with our clock, so that a press of
the same boot can be dated later; the pairs of the last boots outlive a restart of the daemon.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from pathlib import Path

from lapel_companion import durable

_BOOTS_KEPT = 32


class PinClock:
    """Pairs of (boot, unix time at which that boot's count was zero)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zero_unix_ms: OrderedDict[str, int] = OrderedDict()
        try:
            for boot, zero in json.loads(path.read_bytes()).items():
                self._zero_unix_ms[str(boot)] = int(zero)
        except (OSError, ValueError, AttributeError, TypeError, OverflowError, RecursionError):
            # A lost or damaged file costs the dates of presses, and nothing else.
            self._zero_unix_ms.clear()

    def hello(self, boot: str, pin_ms: int, unix_ms: int | None = None) -> None:
        """The pin just said that its count is `pin_ms`. Raises OSError when that cannot be written down."""
        now = unix_ms if unix_ms is not None else time.time_ns() // 1_000_000
        fresh = boot not in self._zero_unix_ms
        self._zero_unix_ms[boot] = now - pin_ms
        self._zero_unix_ms.move_to_end(boot)
        while len(self._zero_unix_ms) > _BOOTS_KEPT:
            self._zero_unix_ms.popitem(last=False)
        if fresh:
            durable.write_atomic(self._path, json.dumps(self._zero_unix_ms).encode(), "clock")

    def press_unix_ms(self, boot: str, press_ms: int) -> int | None:
        """Unix time of a press, None when that boot never said hello to us."""
        zero = self._zero_unix_ms.get(boot)
        return None if zero is None else zero + press_ms
