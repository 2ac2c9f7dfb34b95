"""How much of a pin is written down in a day: far more than a person can say, and less than fills a disk.

A pin whose key is right may be broken, or in other hands. What goes beyond is not answered, so an honest pin keeps
it and says it again; it is counted, and told.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

_DAY_S = 86_400.0

RECORDINGS = "recordings"
SOUND = "bytes of sound"
CONFLICTS = "contradicted recordings"
CANCELS = "cancels"
STORED = "notices stored"
HISTORIES = "other histories"
LINKS = "links"
WORDS = "words about itself"

A_DAY: Mapping[str, int] = {
    RECORDINGS: 2000,
    # Six hours of sound, and twice as many of its WAV files.
    SOUND: 180_000_000,
    CONFLICTS: 20,
    CANCELS: 2000,
    STORED: 10_000,
    HISTORIES: 10,
    LINKS: 5000,
    WORDS: 200,
}


class Allowance:
    """Each kind begins full and fills up again evenly. `refused` counts what was beyond, by kind. Use it from one
    event loop."""

    def __init__(
        self,
        report: Callable[[str], None],
        *,
        a_day: Mapping[str, int] = A_DAY,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._report = report
        self._a_day = a_day
        self._now = now
        self._left: dict[str, float] = {kind: float(most) for kind, most in a_day.items()}
        self._looked_s = dict.fromkeys(a_day, now())
        self._told_s: dict[str, float] = {}

    def take(self, kind: str, many: int = 1) -> bool:
        """Whether that much more of it may be written down; then it is counted as written."""
        now_s, most = self._now(), self._a_day[kind]
        filled = (now_s - self._looked_s[kind]) * most / _DAY_S
        self._left[kind] = min(float(most), self._left[kind] + filled)
        self._looked_s[kind] = now_s
        if self._left[kind] >= many:
            self._left[kind] -= many
            return True
        self.refused[kind] += 1
        if now_s - self._told_s.get(kind, -_DAY_S) >= _DAY_S:
            self._told_s[kind] = now_s
            self._report(
                f"the pin says more than a person can: {most} {kind} in a day is all that is taken of it. What is"
                " beyond stays on the pin; if you did not do that, lapel unpair, and look at it: make logs"
            )
        return False

    @contextmanager
    def taking(self, kind: str) -> Iterator[bool]:
        """`take` of one, which is given back when it could not be written after all."""
        taken = self.take(kind)
        try:
            yield taken
        except BaseException:
            self._left[kind] += taken
            raise
