"""Text against the pattern of a phrase: literal words, slots, and how far apart the two are.

For text that can be relied on (typed, or by a recogniser worth trusting). The rule: every word of the phrase that
carries meaning is there, in order, none is added; small words (the, me, please) may come or go within a budget of one
in four, at least one; the plural counts as such a slip. Nothing stands before or after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from lapel_companion import words
from lapel_companion.words import Word

_TOKEN = re.compile(r"\{([^{}]*)\}|[^\s{}]+")
# Longer texts are dictations into a last slot; literal words are only sought this far.
MAX_WORDS = 400


@dataclass(frozen=True)
class Slot:
    name: str


@dataclass(frozen=True)
class Fit:
    """How a text fits a phrase. cost: slips that were forgiven. literals: words of the phrase outside its slots."""

    cost: int
    literals: int
    slots: dict[str, str]


@lru_cache(maxsize=512)
def pattern(say: str) -> tuple[Word | Slot, ...]:
    """The words and slots of a phrase as it is written in the configuration."""
    parts: list[Word | Slot] = []
    for token in _TOKEN.finditer(say):
        if token.group(1) is not None:
            parts.append(Slot(token.group(1).strip()))
        else:
            parts.extend(words.split(token.group(0)))
    return tuple(parts)


def fit(say: str, text: str) -> Fit | None:
    """How `text` fits the phrase `say`, or None when it does not say it."""
    parts = pattern(say)
    literals = sum(isinstance(part, Word) for part in parts)
    heard = words.split(text)[:MAX_WORDS]
    if not literals or not heard:
        return None
    found = _Search(parts, heard, max(1, literals // 4)).run()
    if found is None:
        return None
    cost, spans = found
    slots = {name: _shown(heard[first:last]) for name, first, last in spans}
    return Fit(cost, literals, slots)


def _shown(taken: Sequence[Word]) -> str:
    return " ".join(word.shown for word in taken if word.first)


Spans = tuple[tuple[str, int, int], ...]


class _Search:
    """Cheapest way through pattern and words; among equals the one whose slots end first."""

    def __init__(self, parts: Sequence[Word | Slot], heard: Sequence[Word], budget: int) -> None:
        self._parts = parts
        self._heard = heard
        self._budget = budget
        self._known: dict[tuple[int, int, int], tuple[int, Spans] | None] = {}

    def run(self) -> tuple[int, Spans] | None:
        return self._from(0, 0, self._budget)

    def _from(self, i: int, j: int, budget: int) -> tuple[int, Spans] | None:
        place = (i, j, budget)
        if place not in self._known:
            # Ends the recursion on the way down; overwritten at once.
            self._known[place] = None
            self._known[place] = self._look(i, j, budget)
        return self._known[place]

    def _look(self, i: int, j: int, budget: int) -> tuple[int, Spans] | None:
        parts, heard = self._parts, self._heard
        if i == len(parts):
            rest = [word for word in heard[j:] if word.key not in words.SMALL]
            extra = len(heard) - j
            return (extra, ()) if not rest and extra <= budget else None
        part = parts[i]
        if isinstance(part, Slot):
            return self._slot(part, i, j, budget)
        ways: list[tuple[int, Spans]] = []
        if j < len(heard):
            slip = _slip(part, heard[j])
            if slip is not None and slip <= budget:
                self._add(ways, self._from(i + 1, j + 1, budget - slip), slip)
            if heard[j].key in words.SMALL and budget:
                self._add(ways, self._from(i, j + 1, budget - 1), 1)
        if part.key in words.SMALL and budget:
            self._add(ways, self._from(i + 1, j, budget - 1), 1)
        return min(ways, key=lambda way: way[0]) if ways else None

    def _slot(self, slot: Slot, i: int, j: int, budget: int) -> tuple[int, Spans] | None:
        heard = self._heard
        best: tuple[int, Spans] | None = None
        telling = next((k for k in range(j, len(heard)) if heard[k].plain not in words.EMPTY), None)
        if telling is None or not heard[j].first:
            return None
        # A last slot takes all that is left.
        ends = [len(heard)] if i == len(self._parts) - 1 else range(telling + 1, len(heard) + 1)
        for end in ends:
            if end < len(heard) and not heard[end].first:
                continue
            rest = self._from(i + 1, end, budget)
            if rest is not None and (best is None or rest[0] < best[0]):
                best = (rest[0], ((slot.name, j, end), *rest[1]))
        return best

    @staticmethod
    def _add(ways: list[tuple[int, Spans]], rest: tuple[int, Spans] | None, cost: int) -> None:
        if rest is not None:
            ways.append((rest[0] + cost, rest[1]))


def _slip(wanted: Word, heard: Word) -> int | None:
    if wanted.key == heard.key:
        return 0
    if wanted.key in words.NUMBERS:
        return None
    if wanted.key in words.SMALL and heard.key in words.SMALL:
        return 1
    return 1 if words.alike(wanted.plain, heard.plain) else None
