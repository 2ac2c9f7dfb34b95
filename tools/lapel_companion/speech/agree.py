"""Does an open reading agree with a phrase, by its sound? Phones of words against phones of words; slots stay open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lapel_companion import words
from lapel_companion.matching import Slot
from lapel_companion.speech import phones
from lapel_companion.words import Word

# The phones of a word, or () when the dictionary does not have it.
Sounds = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Agreement:
    """distance: cost of the literal words by phones, 0 (alike) upwards. worst: that of the worst word that carries
    meaning. filled: the phrase with the words of the reading in its slots, as it would have been dictated. turned: a
    "not", "never" or their like is in one of the two only.
    """

    distance: float
    worst: float
    filled: tuple[str, ...]
    turned: bool = False


@dataclass(frozen=True)
class _Run:
    """Literal words between two slots."""

    said: tuple[str, ...]
    sounds: tuple[tuple[str, ...], ...]
    weight: float


def _as_said(parts: Sequence[Word | Slot], sounds: Sounds) -> list[str | Slot]:
    """The words as they are spoken: "you're" where the dictionary has it, "ten" for 10."""
    said: list[str | Slot] = []
    whole = False
    for part in parts:
        if isinstance(part, Slot):
            said.append(part)
        elif part.first:
            written = part.shown.lower()
            whole = bool(sounds(written))
            said.append(written if whole else part.plain)
        elif not whole:
            said.append(part.plain)
    return said


class Target:
    """A phrase as it sounds. missing: its words that the dictionary does not have. open: it has a slot."""

    def __init__(self, say: str, parts: Sequence[Word | Slot], sounds: Sounds) -> None:
        self.say = say
        self._sounds = sounds
        said = _as_said(parts, sounds)
        literal = [part for part in said if isinstance(part, str)]
        self.missing = tuple(word for word in literal if not sounds(word))
        self.runs: list[_Run | None] = []
        held: list[str] = []
        for part in (*said, None):
            if isinstance(part, str):
                held.append(part)
                continue
            if held:
                self.runs.append(self._run(held))
                held = []
            if part is not None:
                self.runs.append(None)
        self.open = None in self.runs
        self.weight = sum(run.weight for run in self.runs if run is not None)
        self._negations = sum(map(words.negates, literal))

    def _run(self, said: Sequence[str]) -> _Run:
        sounds = tuple(tuple(self._sounds(word)) for word in said)
        return _Run(tuple(said), sounds, sum(phones.weight(phone) for word in sounds for phone in word))

    def agreement(self, reading: Sequence[str], ceiling: float) -> Agreement | None:
        """How `reading` (plain words) agrees with this phrase; None when its distance is over `ceiling`."""
        sounds = [tuple(self._sounds(word)) for word in reading]
        # Whole readings of another length cannot agree; this spares most of the work.
        if not self.open:
            length = sum(phones.weight(phone) for word in sounds for phone in word)
            if abs(length - self.weight) > ceiling * self.weight:
                return None
        found = self._from(0, 0, reading, sounds, ceiling * self.weight)
        if found is None:
            return None
        cost, spans = found
        return self._judge(cost, spans, reading, sounds)

    def _from(
        self, k: int, i: int, reading: Sequence[str], sounds: Sequence[tuple[str, ...]], left: float
    ) -> tuple[float, tuple[tuple[int, int], ...]] | None:
        """Cheapest way to lay runs k.. over words i..: cost, and the words each run or slot takes."""
        if k == len(self.runs):
            return (0.0, ()) if i == len(reading) else None
        run = self.runs[k]
        last = k == len(self.runs) - 1
        best: tuple[float, tuple[tuple[int, int], ...]] | None = None
        if run is None:
            for end in (len(reading),) if last else range(i + 1, len(reading)):
                if words.says_something(reading[i:end]):
                    rest = self._from(k + 1, end, reading, sounds, left)
                    if rest is not None and (best is None or rest[0] < best[0]):
                        best, left = (rest[0], ((i, end), *rest[1])), min(left, rest[0])
            return best
        costs = phones.costs_at_words(run.sounds, sounds[i:])
        for end in (len(reading),) if last else range(i, len(reading)):
            cost = costs[end - i]
            if cost <= left and (best is None or cost < best[0]):
                rest = self._from(k + 1, end, reading, sounds, left - cost)
                if rest is not None and (best is None or cost + rest[0] < best[0]):
                    best = (cost + rest[0], ((i, end), *rest[1]))
        return best

    def _judge(
        self,
        cost: float,
        spans: Sequence[tuple[int, int]],
        reading: Sequence[str],
        sounds: Sequence[tuple[str, ...]],
    ) -> Agreement:
        worst = 0.0
        filled: list[str] = []
        heard: list[str] = []
        for run, (first, end) in zip(self.runs, spans, strict=True):
            if run is None:
                filled += reading[first:end]
                continue
            filled += run.said
            heard += reading[first:end]
            flat = [phone for word in sounds[first:end] for phone in word]
            each = phones.distance_per_word(run.sounds, flat)
            for word, said, part in zip(run.said, run.sounds, each, strict=True):
                if word not in words.EMPTY:
                    worst = max(worst, part / max(1.0, sum(map(phones.weight, said))))
        turned = sum(map(words.negates, heard)) != self._negations
        return Agreement(cost / self.weight, worst, tuple(filled), turned)
