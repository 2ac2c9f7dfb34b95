"""How good it sounds: PESQ and log-spectral distance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
# Windows of 32 ms, half of each in the next.
_WINDOW, _HOP = 512, 256
# Frames this far below the loudest are silence; what is so far below a clip's loudest bin is raised to there.
_SPEECH_DB = 40.0
_FLOOR_DB = 60.0


def pesq_wideband(reference: bytes, heard: bytes) -> float | None:
    """MOS-LQO of ITU-T P.862.2, about 1.0 to 4.6; None where the sound has no speech that it finds."""
    import pesq

    try:
        return float(pesq.pesq(RATE_HZ, _samples(reference), _samples(heard), "wb"))
    except (pesq.NoUtterancesError, pesq.BufferTooShortError):
        return None


def log_spectral_distance_db(reference: bytes, heard: bytes) -> float | None:
    """How far apart two short-time spectra are: the root of the mean squared difference of their levels in dB over all
    frequencies up to 8 kHz, the mean of that over the frames with speech (Gray and Markel, "Distance measures for
    speech processing", IEEE Trans. ASSP 24(5), 1976, with p = 2). None: no speech.

    Hann windows of 32 ms every 16 ms; frames within 40 dB of the loudest; bins are floored 60 dB below the loudest of
    `reference`, or else what nobody hears would decide.
    """
    one, two = _levels_db(reference), _levels_db(heard)
    if not len(one):
        return None
    loudest = one.max(axis=1)
    speech = loudest > loudest.max() - _SPEECH_DB
    floor = one.max() - _FLOOR_DB
    if one.max() <= -100.0:
        return None
    apart = np.maximum(one[speech], floor) - np.maximum(two[speech], floor)
    return float(np.sqrt((apart**2).mean(axis=1)).mean())


def _samples(pcm: bytes) -> NDArray[Any]:
    return np.frombuffer(pcm, "<i2")


def _levels_db(pcm: bytes) -> NDArray[Any]:
    """Rows of frames, columns of bins without that of 0 Hz; dB of full scale."""
    sound = _samples(pcm) / 32768
    count = 1 + (len(sound) - _WINDOW) // _HOP if len(sound) >= _WINDOW else 0
    if not count:
        return np.zeros((0, _WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP][:count]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)[:, 1:]) ** 2 / _WINDOW
    return 10 * np.log10(power + 1e-12)
