"""What can be said of a recording before anyone recognises it: where it is loud, whether it moves as speech does."""

from __future__ import annotations

import itertools
import math
import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from operator import mul

from lapel_companion.speech.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

FRAME_MS = 30
_FRAME = SAMPLE_RATE_HZ * FRAME_MS // 1000
# Below this nobody spoke: 16-bit steps, root mean square of a frame (about -62 dB of full scale).
SILENCE_RMS = 26.0
# Speech rises and falls by 20 dB and more within a second; wind, hum and hiss hardly do.
MOVES_DB = 6.0
# Less speech than this is a click or a knock.
LEAST_SPEECH_MS = 120
# The air of a quiet room, laid under every clip (16-bit steps).
_BREATH_RMS = 4.0
# Kept before and after the speech, so that soft first and last sounds stay whole.
MARGIN_MS = 300
# Speech fades out within some 5 ms frames. A clip whose last sound is still this near to its loudest was cut off.
CLIFF_DB = 22.0
_CLIFF_FRAME = SAMPLE_RATE_HZ * 5 // 1000
# Softer than this (16-bit steps), or than this part of the loudest, is no sound: what codec and microphone leave.
_FLOOR_RMS = 8.0
_FLOOR_PART = 1 / 300
# A voice must stand this far above that floor for its fading to be seen.
_SEEN_DB = 36.0


@dataclass(frozen=True)
class Sound:
    """pcm: the part with speech in it, with its margins, as loud as the recogniser likes it; b"" without speech.

    cut_off: it ends in the middle of a sound: what was said may be half of something.
    """

    pcm: bytes
    cut_off: bool


def examine(pcm: bytes, is_speech: Callable[[bytes], bool]) -> Sound:
    """Where the speech is in `pcm`. `is_speech` judges one frame of FRAME_MS (a voice activity detector)."""
    samples = array("h", pcm[: len(pcm) // SAMPLE_BYTES * SAMPLE_BYTES])
    levels = [_rms(samples[at : at + _FRAME]) for at in range(0, len(samples) - _FRAME + 1, _FRAME)]
    loudest = max(levels, default=0.0)
    if loudest < SILENCE_RMS or not _moves(levels):
        return Sound(b"", False)
    # The detector knows levels of a normal voice; a soft one is judged at the same height.
    louder = _prepared(samples)
    speech = [
        number
        for number, level in enumerate(levels)
        if level > loudest / 100 and is_speech(louder[number * _FRAME : (number + 1) * _FRAME].tobytes())
    ]
    if len(speech) * FRAME_MS < LEAST_SPEECH_MS:
        return Sound(b"", False)
    margin = MARGIN_MS * SAMPLE_RATE_HZ // 1000
    first = max(0, speech[0] * _FRAME - margin)
    last = min(len(samples), (speech[-1] + 1) * _FRAME + margin)
    return Sound(louder[first:last].tobytes(), _cut_off(samples, loudest))


def _rms(samples: array[int]) -> float:
    if not samples:
        return 0.0
    mean = sum(samples) / len(samples)
    return math.sqrt(max(0.0, sum(map(mul, samples, samples)) / len(samples) - mean * mean))


def _moves(levels: list[float]) -> bool:
    ranked = sorted(levels)
    low = ranked[len(ranked) // 10]
    high = ranked[-1 - len(ranked) // 20]
    return high > 0 and 20 * math.log10(high / max(low, 1.0)) >= MOVES_DB


def _prepared(samples: array[int]) -> array[int]:
    """Soft clips with their peak at half of full scale; and never wholly silent, as no microphone ever is: models
    have not learned digital silence, and hear the first word after it wrong."""
    peak = max(1, *map(abs, (min(samples), max(samples))))
    factor = max(1.0, 16_000 / peak)
    chance = random.Random(1)
    breath = [round(chance.gauss(0.0, _BREATH_RMS)) for _ in range(min(len(samples), SAMPLE_RATE_HZ))]
    louder = [int(value * factor) + air for value, air in zip(samples, itertools.cycle(breath), strict=False)]
    return array("h", [-32_768 if value < -32_768 else min(value, 32_767) for value in louder])


def _cut_off(samples: array[int], loudest: float) -> bool:
    floor = max(_FLOOR_RMS, loudest * _FLOOR_PART)
    if loudest < floor * 10 ** (_SEEN_DB / 20):
        return False
    # Silence that was put after the cut (a player that stopped, a muted microphone) does not hide it.
    end = len(samples)
    while end > 0:
        last = _rms(samples[max(0, end - _CLIFF_FRAME) : end])
        if last >= floor:
            return last > loudest / 10 ** (CLIFF_DB / 20)
        end -= _CLIFF_FRAME
    return False


def is_still(pcm: bytes) -> bool:
    """True for silence and for even noise, which no recogniser should be asked about."""
    return not examine(pcm, lambda _: True).pcm
