"""How words sound, after the pronouncing dictionary that comes with pocketsphinx."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_BEFORE_L = re.compile(r"\b(AY|OY|AW|EY|IY|OW|UW) L\b(?! (?:AA|AE|AH|AO|AW|AY|EH|ER|EY|IH|IY|OW|OY|UH|UW)\b)")


class Lexicon:
    """`lookup` gives a word's phones as one string, or None; further ways to say it are "word(2)", "word(3)"."""

    def __init__(self, lookup: Callable[[str], str | None]) -> None:
        self._lookup = lookup
        self.sounds = lru_cache(maxsize=4096)(self._sounds)

    def _sounds(self, word: str) -> tuple[str, ...]:
        """The first way to say `word`, as phones; () when the dictionary does not have it."""
        found = self._lookup(word)
        return tuple(found.split()) if found else ()

    def all_sounds(self, word: str) -> list[str]:
        """Every way to say `word`, each as one string of phones."""
        found: list[str] = []
        sound = self._lookup(word)
        while sound:
            found.append(sound)
            sound = self._lookup(f"{word}({len(found) + 1})")
        return [*found, *dict.fromkeys(spoken for spoken in map(_broken, found) if spoken not in found)]


def _broken(sound: str) -> str:
    """With the vowel that many speakers have before an L, and the dictionary has not: "file" as "fi-ul"."""
    return _BEFORE_L.sub(r"\1 AH L", sound)
