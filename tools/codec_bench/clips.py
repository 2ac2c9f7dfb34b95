"""What is coded: lines spoken by the voices of flite, as the pin would record them, and recordings of the user's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lapel_codec.recordings import BadRecording, Recording
from voices import effects, flite, sentences

LISTS = ("tuning", "heldout")
LEAST_WORDS = 5
# What a collar hears: mostly a clear voice, sometimes a room's noise or a soft voice. By turns.
EFFECTS = ("plain", "plain", "hiss 30 dB", "soft -24 dB")
# Before and behind the words, as between press and release.
MARGIN_S = 0.25
# Recordings of the user's are taken in pieces of so many seconds, and so much of each at most.
PIECE_S = 8
MOST_S = 120
RATE_HZ = 16_000


@dataclass(frozen=True)
class Clip:
    """text: what is said in it, or None where nobody wrote it down. pcm: 16-bit mono at 16 kHz."""

    speaker: str
    name: str
    text: str | None
    pcm: bytes

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / RATE_HZ


def spoken(each: int) -> Iterator[Clip]:
    """`each` lines by every voice, always the same ones, no line twice. VoiceError."""
    lines = _lines()
    margin = effects.silence(MARGIN_S)
    for number, text in enumerate(lines[: each * len(flite.VOICES)]):
        voice = flite.VOICES[number % len(flite.VOICES)]
        effect = EFFECTS[number // len(flite.VOICES) % len(EFFECTS)]
        pcm = effects.EFFECTS[effect](margin + flite.say(text, voice) + margin)
        yield Clip(voice, f"{voice}-{number // len(flite.VOICES) + 1}, {effect}", text, pcm)


def recorded(folder: Path) -> Iterator[Clip]:
    """The WAV files of a folder, in pieces; NAME.txt beside NAME.wav, if it is there, is what is said in it (then the
    file is taken whole). BadRecording."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".wav")
    if not found:
        raise BadRecording(f"{folder}: there is no WAV file in it.")
    for path in found:
        pcm = b""
        for piece in Recording(path).pieces():
            pcm += piece
            if len(pcm) >= 2 * RATE_HZ * MOST_S:
                break
        said = path.with_suffix(".txt")
        if said.is_file():
            yield Clip(path.parent.name, path.name, said.read_text("utf-8", "replace"), pcm)
            continue
        size = 2 * RATE_HZ * PIECE_S
        for at in range(0, len(pcm), size):
            # A rest of less than a second is no speech to judge.
            if at == 0 or len(pcm) - at >= 2 * RATE_HZ:
                yield Clip(path.parent.name, f"{path.name}+{at // 2 // RATE_HZ}s", None, pcm[at : at + size])


def stretches(clips: Sequence[Clip], least_s: float = PIECE_S) -> list[list[int]]:
    """Indexes of clips that are judged as one piece of sound: a speaker's, until there are `least_s` of them. PESQ
    wants some seconds of speech (ITU-T P.862.3, 7)."""
    groups: list[list[int]] = []
    for speaker in dict.fromkeys(clip.speaker for clip in clips):
        held: list[int] = []
        own: list[list[int]] = []
        for number, clip in enumerate(clips):
            if clip.speaker == speaker:
                held.append(number)
                if sum(clips[one].seconds for one in held) >= least_s:
                    own.append(held)
                    held = []
        if held and own:
            own[-1] += held
        elif held:
            own.append(held)
        groups += own
    return groups


def _lines() -> list[str]:
    """The sentences of the lists that are long enough, in an order that has nothing to do with what they say."""
    found: dict[str, None] = {}
    for name in LISTS:
        for one in sentences.load(name).sentences:
            if len(one.text.split()) >= LEAST_WORDS and "{" not in one.text:
                found[one.text] = None
    return sorted(found, key=lambda text: hashlib.sha256(text.encode()).digest())
