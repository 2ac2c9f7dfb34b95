"""Recordings that can be told apart by ear: each says its number in tones, again and again.

A period of 240 ms is a sync tone, three digits and a pause. Neighbouring digits sound in different bands, so a part of
a recording that holds one whole period still says its number, after microphone, filter and ADPCM.
"""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections import Counter
from functools import cache
from operator import mul

RATE_HZ = 16_000
SECONDS = 1.2
LAST_NUMBER = 999

_TONE = RATE_HZ * 40 // 1000
_PAUSE = RATE_HZ * 80 // 1000
PERIOD_MS = 240
_AMPLITUDE = 9_000
_SYNC_HZ = 2_700
# The digits of the first and third place, and of the second.
_BANDS_HZ = (tuple(range(500, 1500, 100)), tuple(range(1600, 2600, 100)))

# The ear: windows of 20 ms of every second sample, one every 20 ms. All tones are orthogonal in 10 ms.
_STRIDE = 2
_WINDOW = RATE_HZ * 20 // 1000 // _STRIDE
_SILENT_RMS = 600.0
_CLEAR = 2.0


def samples(number: int, seconds: float = SECONDS) -> array[int]:
    """Recording `number` (0 to 999) as 16-bit samples at 16 kHz; the same in every run."""
    if not 0 <= number <= LAST_NUMBER:
        raise ValueError(f"there are recordings 0 to {LAST_NUMBER}, not {number}")
    ones = (number // 100, number // 10 % 10, number % 10)
    tones = (_SYNC_HZ, _BANDS_HZ[0][ones[0]], _BANDS_HZ[1][ones[1]], _BANDS_HZ[0][ones[2]])
    period = array("h")
    for hz in tones:
        period.extend(_tone(hz))
    period.extend(array("h", bytes(2 * _PAUSE)))
    wanted = round(seconds * RATE_HZ)
    return (period * (wanted // len(period) + 1))[:wanted]


def wav(number: int, seconds: float = SECONDS) -> bytes:
    """The same as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples(number, seconds).tobytes())
    return out.getvalue()


def number_in(pcm: bytes) -> int | None:
    """The number that 16-bit PCM at 16 kHz says, also when it is a part of a recording; None for none."""
    heard = array("h", pcm[: len(pcm) // 2 * 2])[::_STRIDE]
    tones = [_heard(heard[at : at + _WINDOW]) for at in range(0, len(heard) - _WINDOW + 1, _WINDOW)]
    # A tone is heard in two windows or three; between two tones the ear may be undecided.
    changes = [tone for i, tone in enumerate(tones) if tone is not None and (i == 0 or tone != tones[i - 1])]
    said: Counter[int] = Counter()
    for i, tone in enumerate(changes):
        digits = [_digit(each, place % 2) for place, each in enumerate(changes[i + 1 : i + 4])]
        if tone == _SYNC_HZ and len(digits) == 3 and None not in digits:
            said[int("".join(map(str, digits)))] += 1
    return said.most_common(1)[0][0] if said else None


def _digit(hz: int, band: int) -> int | None:
    return _BANDS_HZ[band].index(hz) if hz in _BANDS_HZ[band] else None


def _heard(window: array[int]) -> int | None:
    """The tone of a window: 0 for silence, None when it is not clear."""
    energy = sum(map(mul, window, window))
    if energy < _SILENT_RMS**2 * _WINDOW:
        return 0
    powers = sorted(
        ((sum(map(mul, window, sine)) ** 2 + sum(map(mul, window, cosine)) ** 2, hz) for hz, sine, cosine in _ear()),
        reverse=True,
    )
    return powers[0][1] if powers[0][0] > _CLEAR * powers[1][0] else None


@cache
def _ear() -> tuple[tuple[int, tuple[float, ...], tuple[float, ...]], ...]:
    turns = [(hz, 2 * math.pi * hz * _STRIDE / RATE_HZ) for hz in (*_BANDS_HZ[0], *_BANDS_HZ[1], _SYNC_HZ)]
    return tuple(
        (hz, tuple(math.sin(turn * i) for i in range(_WINDOW)), tuple(math.cos(turn * i) for i in range(_WINDOW)))
        for hz, turn in turns
    )


@cache
def _tone(hz: int) -> array[int]:
    """40 ms, with edges of 2 ms so that it does not click."""
    edge = RATE_HZ * 2 // 1000
    loud = [min(1.0, i / edge, (_TONE - 1 - i) / edge) for i in range(_TONE)]
    return array("h", [round(_AMPLITUDE * x * math.sin(2 * math.pi * hz * i / RATE_HZ)) for i, x in enumerate(loud)])
