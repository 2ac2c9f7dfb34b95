"""What every recogniser offers: sound in, a `Transcript` out, and errors that speak to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2


class SpeechError(Exception):
    """A sentence for the person: what is missing or did not answer, and what to do."""


@dataclass(frozen=True)
class Transcript:
    """What was heard in one clip.

    text: the best reading, "" when there was none. alternatives: other readings, best first, `text` not among them.
    confidence: 0..1, or None where the engine's own figure means nothing (pocketsphinx).
    no_speech: nothing intelligible was in the clip.
    confirmed: hints which a second look at the sound found as probable as the open reading; only engines that are not
    `trusted` fill it. See README.md in this folder.
    """

    text: str
    alternatives: tuple[str, ...] = ()
    confidence: float | None = None
    no_speech: bool = False
    engine: str = ""
    confirmed: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        """The transcript as JSON values, for the events table."""
        return {
            "text": self.text,
            "alternatives": list(self.alternatives),
            "confidence": self.confidence,
            "no_speech": self.no_speech,
            "engine": self.engine,
            "confirmed": list(self.confirmed),
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Transcript:
        """A transcript from what `body` gave, as it stands in the events table."""
        return cls(
            text=str(body["text"]),
            alternatives=tuple(str(text) for text in body.get("alternatives", ())),
            confidence=body.get("confidence"),
            no_speech=bool(body.get("no_speech", False)),
            engine=str(body.get("engine", "")),
            confirmed=tuple(str(text) for text in body.get("confirmed", ())),
        )


class Recogniser(Protocol):
    """One speech engine. Built by `speech.make`; safe to use from several threads.

    trusted: its text may act by itself. An engine that is not trusted only acts on harmless phrases it has confirmed.
    """

    @property
    def name(self) -> str: ...

    @property
    def trusted(self) -> bool: ...

    def warm_up(self) -> None:
        """Loads what is slow to load, ahead of need. SpeechError when the engine cannot work."""

    def transcribe(self, pcm: bytes, language: str = "en", hints: Sequence[str] = ()) -> Transcript:
        """The text in `pcm` (16-bit LE mono 16 kHz). `hints` are the user's phrases, slots as `{name}`.

        SpeechError when the engine, its model or its endpoint is not there.
        """

    def check_phrase(self, phrase: str) -> str | None:
        """None when this engine can hear `phrase`, else a sentence that says why not."""


def names_in(hints: Sequence[str]) -> list[str]:
    """The names and terms among `hints`. Whole phrases are left out: a recogniser that expects them hears them."""
    return [hint for hint in hints if "{" not in hint and len(hint.split()) <= 2]
