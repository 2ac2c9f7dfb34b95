"""Which of the user's phrases was said, if any: the one place that says yes, and it prefers to say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from lapel_companion import matching
from lapel_companion.speech.base import Transcript


class Said(Protocol):
    """What is needed of a phrase: its words, slots as `{name}`."""

    @property
    def say(self) -> str: ...


P = TypeVar("P", bound=Said)


@dataclass(frozen=True)
class Match(Generic[P]):
    """A phrase that was said as a whole. slots: the words its slots took. distance: small slips that were forgiven."""

    phrase: P
    slots: Mapping[str, str] = field(default_factory=dict)
    distance: int = 0


def match(transcript: Transcript, phrases: Sequence[P], trusted: bool) -> Match[P] | None:
    """The phrase that `transcript` says, or None: no phrase, or two that are equally near.

    trusted: the text can be relied on, and is compared by its words. Else only what the recogniser confirmed counts,
    word for word: dictation and sound agreed on it there (see speech/README.md).
    """
    if transcript.no_speech:
        return None
    readings = (transcript.text,) if trusted else transcript.confirmed
    found: list[tuple[tuple[int, int], Match[P]]] = []
    for reading in readings:
        for phrase in phrases:
            fit = matching.fit(phrase.say, reading)
            if fit is not None and (trusted or fit.cost == 0):
                # The nearest; of those the one that says most by itself.
                found.append(((fit.cost, -fit.literals), Match(phrase, fit.slots, fit.cost)))
    found.sort(key=lambda pair: pair[0])
    if not found or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return found[0][1]
