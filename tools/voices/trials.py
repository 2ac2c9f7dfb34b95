"""What the suite tries: every sentence by several voices, noises, and phrases that were cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from voices import effects, flite
from voices.sentences import OTHER, SAID, Sentences

NOISE, HALF = "noise", "half"
# How much of a phrase is left when it is cut off; of one with an open slot only its own words.
CUTS = (0.3, 0.5, 0.65, 0.8)
CUTS_OPEN = (0.2, 0.3)


@dataclass(frozen=True)
class Trial:
    """One clip. `expected`: the phrase that may act, or None when nothing may. part: how much of it is kept."""

    set_name: str
    kind: str
    text: str
    voice: str
    effect: str = "plain"
    expected: str | None = None
    part: float = 1.0

    def pcm(self) -> bytes:
        """The clip. VoiceError when flite is not there."""
        if self.kind == NOISE:
            return _noise(self.text)
        pcm = flite.say(self.text, self.voice)
        if self.part < 1.0:
            pcm = effects.cut(pcm, self.part)
        return effects.EFFECTS[self.effect](pcm)


def of_sentences(lists: Sentences, voices: Sequence[str]) -> Iterator[Trial]:
    """Utterances of phrases by every voice, plain and with one effect; other sentences by two voices, one of them with
    an effect. Which ones they are changes from sentence to sentence."""
    names = list(effects.EFFECTS)
    for number, one in enumerate(lists.sentences):
        expected = None if one.kind == OTHER else one.phrase
        trial = Trial(lists.name, one.kind, one.text, voices[0], expected=expected)
        turn = _turn(one.text)
        if one.kind == SAID:
            for place, voice in enumerate(voices):
                yield replace(trial, voice=voice)
                yield replace(trial, voice=voice, effect=names[1 + (turn + place) % (len(names) - 1)])
            continue
        for place in range(2):
            voice = voices[(number + place * (1 + turn % (len(voices) - 1))) % len(voices)]
            yield replace(trial, voice=voice, effect=names[(turn * place) % len(names)])


def of_halves(lists: Sentences, voices: Sequence[str]) -> Iterator[Trial]:
    """Phrases that end in the middle, as when the button is let go too early."""
    for number, one in enumerate(lists.of(SAID)):
        assert one.phrase is not None
        for place, part in enumerate(CUTS_OPEN if "{" in one.phrase else CUTS):
            voice = voices[(number + place) % len(voices)]
            yield Trial(lists.name, HALF, one.text, voice, part=part)


def of_noise() -> Iterator[Trial]:
    """Everything that is not a sentence."""
    for name in _NOISES:
        yield Trial("noise", NOISE, name, "-")


def babble(seed: int, lines: Sequence[str], gap_s: float = 0.4) -> bytes:
    """Several people talking at once."""
    mixed = b""
    for number, line in enumerate(lines):
        voice = flite.VOICES[(seed + number) % len(flite.VOICES)]
        late = effects.silence(gap_s * number)
        mixed = effects.mix(mixed, late + effects.louder(flite.say(line, voice), -6.0))
    return mixed


_TALK = (
    "the train to the airport leaves at noon",
    "how much does it cost to ship a box",
    "she said the newest member starts on monday",
    "please make sure the door is locked",
    "they have been here for ten minutes",
    "i would like a table for four",
)
_NOISES = (
    "silence 2 s", "silence 0 s", "silence 0.1 s",
    "hiss 30", "hiss 300", "hiss 3000", "hum 40", "hum 2000", "hum 9000",
    "clicks 2000", "clicks 12000", "clicks 30000",
    "babble 2 0", "babble 2 1", "babble 2 3", "babble 3 0", "babble 3 2", "babble 4 1", "babble 5 0",
)  # fmt: skip


def _noise(name: str) -> bytes:
    kind, first, *rest = name.split()
    if kind == "silence":
        return effects.silence(float(first))
    if kind == "hiss":
        return effects.white(2.5, float(first), seed=len(name))
    if kind == "hum":
        return effects.hum(2.5, float(first))
    if kind == "clicks":
        return effects.clicks(3.0, int(first))
    start = int(rest[0])
    return babble(start, [_TALK[(start + n) % len(_TALK)] for n in range(int(first))])


def _turn(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0]
