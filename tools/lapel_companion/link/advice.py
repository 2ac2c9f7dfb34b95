"""What a person might do about a pin that is near and cannot be linked: said once, shown for as long as it is heard.

It comes from whoever advertises, so the words are ours, and a pin that proves itself ends it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

STALE_S = 180.0


class Advice:
    """`say` takes a sentence."""

    def __init__(self, say: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._now = now
        self._sentence = ""
        self._heard_s = 0.0

    @property
    def sentence(self) -> str:
        """What holds now, or ""."""
        return self._sentence if self._now() - self._heard_s <= STALE_S else ""

    def give(self, sentence: str) -> None:
        """Such a pin was met."""
        is_new = sentence != self.sentence
        self._sentence, self._heard_s = sentence, self._now()
        if is_new:
            self._say(sentence + ".")

    def over(self) -> None:
        """A pin has proved itself."""
        self._sentence = ""
