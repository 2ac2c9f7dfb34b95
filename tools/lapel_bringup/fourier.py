"""A Fourier transform without a library: half a second of sound takes a tenth of a second, which is all this needs."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

FLOOR_POWER = 1e-20


def transform(values: Sequence[complex]) -> list[complex]:
    """The discrete Fourier transform; the length is a power of two. Raises ValueError."""
    n = len(values)
    if n & n - 1 or not n:
        raise ValueError(f"a transform of {n} values: it takes a power of two")
    result = [values[i] for i in _reversed(n)]
    size = 2
    while size <= n:
        half = size // 2
        turns = [cmath.exp(-2j * math.pi * k / size) for k in range(half)]
        for start in range(0, n, size):
            for k in range(half):
                a = result[start + k]
                b = result[start + k + half] * turns[k]
                result[start + k] = a + b
                result[start + k + half] = a - b
        size *= 2
    return result


def _reversed(n: int) -> list[int]:
    order = [0]
    while len(order) < n:
        order = [2 * i for i in order] + [2 * i + 1 for i in order]
    return order


def power(pieces: Sequence[Sequence[float]]) -> list[float]:
    """Mean power in each bin from 0 to half the rate over `pieces` of one length, under Hann windows.

    A bin is the mean square of what falls into it: the sum over all bins is that of the sound.
    """
    n = len(pieces[0])
    window = [0.5 - 0.5 * math.cos(2 * math.pi * i / n) for i in range(n)]
    # of white noise a window leaves this share
    kept = sum(w * w for w in window) / n
    total = [0.0] * (n // 2 + 1)
    for piece in pieces:
        mean = sum(piece) / n
        spectrum = transform([(x - mean) * w for x, w in zip(piece, window, strict=True)])
        for i in range(n // 2 + 1):
            both_sides = 1 if i in (0, n // 2) else 2
            total[i] += both_sides * abs(spectrum[i]) ** 2 / (n * n * kept)
    return [value / len(pieces) for value in total]


def a_weight(hz: float) -> float:
    """How much of the power at this frequency counts under A-weighting (IEC 61672-1, annex E): 1 at 1 kHz."""
    if hz <= 0:
        return 0.0
    s = hz * hz
    ra = (12194.0**2 * s * s) / ((s + 20.6**2) * math.sqrt((s + 107.7**2) * (s + 737.9**2)) * (s + 12194.0**2))
    return float((ra * 1.2589) ** 2)


def db(ratio_of_powers: float) -> float:
    """Decibels of a ratio of powers."""
    return 10 * math.log10(max(FLOOR_POWER, ratio_of_powers))
