"""The pronouncing dictionary that comes with pocketsphinx: how words sound, and which other words sound nearly so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from pathlib import Path

from lapel_companion.speech import phones

# Words much rarer than this (natural logarithm of how often) are no rivals: nobody says them.
RARE_LN = -14.0
# Of one word, the commonest that sound nearly like it.
MOST_RIVALS = 60


class Lexicon:
    """Sounds of words. `lookup` gives a word's phones as one string, or None; further ones are "word(2)", "word(3)"."""

    def __init__(self, path: Path, lookup: Callable[[str], str | None], commonness: Callable[[str], float]) -> None:
        self._path = path
        self._lookup = lookup
        self._commonness = commonness
        self._rivals: dict[str, tuple[str, ...]] = {}
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
        return found

    def rivals(self, word: str) -> tuple[str, ...]:
        """Common words that differ from `word` by one phone; those `learn` has not seen have none."""
        return self._rivals.get(word, ())

    def learn(self, words: Iterable[str]) -> None:
        """Finds the rivals of `words`, in one reading of the dictionary."""
        new = {word for word in words if word not in self._rivals and self.sounds(word)}
        wanted: dict[str, set[str]] = {}
        for word in new:
            for sound in self.all_sounds(word):
                for near in _one_phone_apart(sound.split()):
                    wanted.setdefault(near, set()).add(word)
        found = self._scan(wanted) if new else {}
        for word in new:
            own = set(self.all_sounds(word))
            rivals = [(rarity, other) for rarity, other, sound in found.get(word, ()) if sound not in own]
            self._rivals[word] = tuple(dict.fromkeys(other for _, other in sorted(rivals)[:MOST_RIVALS]))

    def _scan(self, wanted: dict[str, set[str]]) -> dict[str, list[tuple[float, str, str]]]:
        found: dict[str, list[tuple[float, str, str]]] = {}
        with self._path.open(encoding="utf-8") as lines:
            for line in lines:
                entry, _, sound = line.rstrip("\n").partition(" ")
                near = wanted.get(sound)
                if near is None or not entry.partition("(")[0].isalpha():
                    continue
                other = entry.partition("(")[0]
                commonness = self._commonness(other)
                if commonness >= RARE_LN:
                    for word in near - {other}:
                        found.setdefault(word, []).append((-commonness, other, sound))
        return found


def _one_phone_apart(sound: list[str]) -> Collection[str]:
    near: set[str] = set()
    for at in range(len(sound) + 1):
        for phone in phones.PHONES:
            near.add(" ".join((*sound[:at], phone, *sound[at:])))
            if at < len(sound):
                near.add(" ".join((*sound[:at], phone, *sound[at + 1 :])))
        if at < len(sound) and len(sound) > 1:
            near.add(" ".join((*sound[:at], *sound[at + 1 :])))
    near.discard(" ".join(sound))
    return near
