"""The second look at the sound: is a phrase as probable as what dictation read, stretch by stretch?

A small decoder without a language model lays word sequences over the sound and says how well each word fits. What it
answers is a comparison of two readings of the same sound: never a confidence of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lapel_companion.speech.lexicon import Lexicon

# Scores come shifted right by ten bits.
_SCALE = 1024.0
_NAME = "line"
# Words end in two readings at the same place when their ends are this near.
_FRAMES_APART = 1
_WORST = -745.0 * _SCALE


@dataclass(frozen=True)
class Piece:
    """A word (or silence) over some frames of 10 ms. fit: log likelihood, natural."""

    word: str
    last: int
    fit: float


class Confirmer:
    """Lays words over sound. Not for several threads at once."""

    def __init__(self, decoder: Any, lexicon: Lexicon, decode: Callable[[Any, bytes, str], None]) -> None:
        self._decoder = decoder
        self._lexicon = lexicon
        self._decode = decode
        self._known: set[str] = set()

    def lay(self, pcm: bytes, line: Sequence[str]) -> list[Piece]:
        """The words of `line` over `pcm`, with silence between them; [] when they do not fit at all."""
        for word in line:
            self._know(word)
        steps = [(place, place + 1, 1.0, word) for place, word in enumerate(line)]
        grammar = self._decoder.create_fsg(_NAME, 0, len(line), steps)
        self._decoder.add_fsg(_NAME, grammar)
        self._decode(self._decoder, pcm, _NAME)
        if self._decoder.hyp() is None:
            return []
        pieces = [
            Piece(
                seg.word.partition("(")[0], seg.end_frame, _SCALE * math.log(seg.ascore) if seg.ascore > 0 else _WORST
            )
            for seg in self._decoder.seg()
            if seg.word != "(NULL)"
        ]
        # A path that ended before the line's last word is no reading of it.
        return pieces if sum(map(is_word, pieces)) == len(line) else []

    def _know(self, word: str) -> None:
        if word in self._known:
            return
        self._known.add(word)
        for number, sound in enumerate(self._lexicon.all_sounds(word)):
            self._decoder.add_word(word if number == 0 else f"{word}({number + 1})", sound, False)


def is_word(piece: Piece) -> bool:
    return not piece.word.startswith(("<", "[", "+"))


def worst_stretch(phrase: Sequence[Piece], rival: Sequence[Piece]) -> float:
    """How much better `rival` fits than `phrase` where that is most: log likelihood ratio over one stretch of sound.

    Stretches lie between places where words end in both readings. 0 when the phrase fits as well everywhere.
    """
    worst = 0.0
    i = j = 0
    ours = theirs = 0.0
    while i < len(phrase) or j < len(rival):
        at_i = phrase[i].last if i < len(phrase) else math.inf
        at_j = rival[j].last if j < len(rival) else math.inf
        if at_i <= at_j + _FRAMES_APART and i < len(phrase):
            ours += phrase[i].fit
            i += 1
        if at_j <= at_i + _FRAMES_APART and j < len(rival):
            theirs += rival[j].fit
            j += 1
        if abs(at_i - at_j) <= _FRAMES_APART:
            worst = max(worst, theirs - ours)
            ours = theirs = 0.0
    return max(worst, theirs - ours)
