"""How loud a rhythm is in what the pin's microphone recorded of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from lapel_audio import adpcm
from lapel_bringup import fourier

_WINDOW = 512
_LONG_WINDOW = 4096
_BAND_HZ = (100.0, 1000.0)
_MOTOR_HZ = (80.0, 400.0)
# A pulse is heard a moment after it was driven: the actuator has to rise.
_RISE_MS = 12
_CLEAR_DB = 10.0


def heard(
    recording: bytes, begun_sample: int, pulses: Sequence[Sequence[int]], rhythm: str, rate_hz: int
) -> dict[str, Any]:
    """`over_quiet_db`: pulses over the silence before them; `contrast_db`: pulses over the pauses between them (None
    without a pause); `heard_hz`: the tone of the longest pulse (None when it is not clear).

    `pulses` are (start, length) in ms from `begun_sample`. Raises ValueError for a recording without a silence.
    """
    samples = adpcm.decode(recording)
    if begun_sample < _WINDOW or not pulses:
        raise ValueError(f"the recording of '{rhythm}' has no silence before it")

    def at(ms: float) -> int:
        return begun_sample + int(ms * rate_hz / 1000)

    quiet = statistics.fmean(
        _band(samples[i : i + _WINDOW], rate_hz) for i in range(0, begun_sample - _WINDOW + 1, _WINDOW)
    )
    loud = [_loudest(samples, at(start + _RISE_MS), at(start + length + _RISE_MS), rate_hz) for start, length in pulses]
    pauses = [_band(samples[at(following[0]) - _WINDOW : at(following[0])], rate_hz) for following in pulses[1:]]
    on = statistics.fmean(loud)
    over_db = fourier.db(on / max(quiet, fourier.FLOOR_POWER))
    contrast_db = fourier.db(on / max(statistics.fmean(pauses), fourier.FLOOR_POWER)) if pauses else None
    start, length = max(pulses, key=lambda pulse: pulse[1])
    tone = _tone(samples[at(start + _RISE_MS) : at(start + length)], rate_hz) if over_db >= _CLEAR_DB else None
    return {
        "over_quiet_db": round(over_db, 1),
        "contrast_db": None if contrast_db is None else round(contrast_db, 1),
        "heard_hz": tone,
    }


def _band(piece: Sequence[int], rate_hz: int) -> float:
    if len(piece) < _WINDOW:
        return 0.0
    power = fourier.power([list(map(float, piece[:_WINDOW]))])
    bin_hz = rate_hz / _WINDOW
    return sum(p for i, p in enumerate(power) if _BAND_HZ[0] <= i * bin_hz <= _BAND_HZ[1])


def _loudest(samples: Sequence[int], begin: int, end: int, rate_hz: int) -> float:
    # a pulse of 30 ms is shorter than the window: it starts with the pulse then
    starts = range(begin, max(begin + 1, end - _WINDOW + 1), _WINDOW // 2)
    return max(_band(samples[i : i + _WINDOW], rate_hz) for i in starts)


def _tone(piece: Sequence[int], rate_hz: int) -> float | None:
    n = min(_LONG_WINDOW, 1 << max(0, len(piece).bit_length() - 1))
    if n < 2 * _WINDOW:
        return None
    power = fourier.power([list(map(float, piece[:n]))])
    bin_hz = rate_hz / n
    inside = [i for i in range(len(power)) if _MOTOR_HZ[0] <= i * bin_hz <= _MOTOR_HZ[1]]
    best = max(inside, key=power.__getitem__)
    return round(best * bin_hz, 1)
