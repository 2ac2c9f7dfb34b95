"""What a person might do about a pin that is near and cannot be linked: said once, shown for as long as it is heard.

It comes from whoever advertises, so the words are ours, they are not said more often than a person wants to read, and a
pin that proves itself ends it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

STALE_S = 180.0
# Two that say different things, or one that changes its mind, would fill a log: so many are said in so long.
SAID_MAX = 4
SAID_S = 600.0


class Advice:
    """`say` takes a sentence."""

    def __init__(self, say: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._now = now
        self._sentence = ""
        self._heard_s = 0.0
        self._said_s: deque[float] = deque(maxlen=SAID_MAX)

    @property
    def sentence(self) -> str:
        """What holds now, or ""."""
        return self._sentence if self._now() - self._heard_s <= STALE_S else ""

    def give(self, sentence: str) -> None:
        """Such a pin was met."""
        is_new, now_s = sentence != self.sentence, self._now()
        self._sentence, self._heard_s = sentence, now_s
        if is_new and (len(self._said_s) < SAID_MAX or now_s - self._said_s[0] > SAID_S):
            self._said_s.append(now_s)
            self._say(sentence + ".")

    def over(self) -> None:
        """A pin has proved itself."""
        self._sentence = ""
