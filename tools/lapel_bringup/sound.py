"""What samples of a microphone say: level, offset, clipping, and lines in the spectrum by their likely names.

0 dBFS is a sine that just fills 24 bits, as in the data sheets of the ICS-43434 (TDK InvenSense DS-000069 rev
1.2, table 1) and the INMP441 (DS-INMP441-00 rev 1.1, table 1 and "Understanding sensitivity"); both give -26
dBFS for 94 dB SPL, so that 0 dBFS is 120 dB SPL.
"""

from __future__ import annotations

import itertools
import math
import statistics
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from lapel_bringup import fourier

FULL_24 = (1 << 23) - 1
SPL_AT_FULL_DB = 94 + 26
# A line stands out by this much over what is beside it.
LINE_OVER_DB = 14
LINES_MAX = 12
_BESIDE_BINS = 24
_SKIP_BINS = 3
_MAINS_HZ = (50, 60)
_MAINS_TOP_HZ = 1000
_PIECE = 8192


@dataclass(frozen=True)
class Levels:
    """Of a piece of sound. `dbfs` is its AC level, `peak_dbfs` that of its largest swing from the mean."""

    mean: float
    dbfs: float
    peak_dbfs: float
    clipped: int
    # how many samples differ from the one before: 0 is a line that never moves
    moves: int

    @property
    def spl_db(self) -> float:
        """Sound pressure level, not weighted."""
        return self.dbfs + SPL_AT_FULL_DB


@dataclass(frozen=True)
class Line:
    """A tone in the spectrum."""

    hz: float
    dbfs: float
    over_db: float
    name: str


@dataclass(frozen=True)
class Spectrum:
    """`dbfs[i]` is the level in the bin at `i * bin_hz`; `a_dbfs` the whole under A-weighting."""

    bin_hz: float
    dbfs: list[float]
    a_dbfs: float
    lines: list[Line]


def samples_24(words: bytes) -> list[int]:
    """The microphone's 24 bits out of 32-bit words (left-aligned, little endian)."""
    return [word >> 8 for word in struct.unpack(f"<{len(words) // 4}i", words[: len(words) // 4 * 4])]


def dbfs(mean_square: float) -> float:
    """Of samples of 24 bits: their mean square against that of a sine at full scale."""
    return fourier.db(2 * mean_square / FULL_24**2)


def levels(samples: Sequence[int]) -> Levels:
    """Raises ValueError for no samples."""
    if not samples:
        raise ValueError("no samples")
    mean = sum(samples) / len(samples)
    square = sum((x - mean) ** 2 for x in samples) / len(samples)
    peak = max(max(samples) - mean, mean - min(samples))
    clipped = sum(x >= FULL_24 - 1 or x <= -FULL_24 for x in samples)
    moves = sum(a != b for a, b in itertools.pairwise(samples))
    return Levels(mean, dbfs(square), fourier.db((peak / FULL_24) ** 2), clipped, moves)


def spectrum(pieces: Sequence[Sequence[int]], rate_hz: float) -> Spectrum:
    """Over pieces of one length (what is past the last power of two is left out)."""
    n = min(_PIECE, 1 << (len(pieces[0]).bit_length() - 1))
    power = fourier.power([list(map(float, piece[:n])) for piece in pieces])
    bin_hz = rate_hz / n
    weighted = sum(p * fourier.a_weight(i * bin_hz) for i, p in enumerate(power))
    levels_db = [dbfs(p) for p in power]
    return Spectrum(bin_hz, levels_db, dbfs(weighted), _lines(levels_db, bin_hz, rate_hz))


def _lines(levels_db: list[float], bin_hz: float, rate_hz: float) -> list[Line]:
    found = []
    for i in range(_SKIP_BINS, len(levels_db) - 1):
        here = levels_db[i]
        if here < levels_db[i - 1] or here < levels_db[i + 1]:
            continue
        around = levels_db[max(_SKIP_BINS, i - _BESIDE_BINS) : i - 2] + levels_db[i + 3 : i + _BESIDE_BINS]
        over = here - statistics.median(around) if around else 0.0
        if over >= LINE_OVER_DB:
            hz = _middle(levels_db, i) * bin_hz
            found.append(Line(round(hz, 1), round(here, 1), round(over, 1), name_of(hz, bin_hz, rate_hz)))
    return sorted(sorted(found, key=lambda line: -line.over_db)[:LINES_MAX], key=lambda line: line.hz)


def _middle(levels_db: list[float], i: int) -> float:
    # the top of the parabola through three bins
    if i + 1 >= len(levels_db):
        return float(i)
    left, here, right = levels_db[i - 1], levels_db[i], levels_db[i + 1]
    bend = left - 2 * here + right
    return i + (0.5 * (left - right) / bend if bend else 0.0)


def name_of(hz: float, bin_hz: float, rate_hz: float) -> str:
    """The likely source of a tone; "" when nothing here comes to mind."""
    near = max(1.0, bin_hz)
    if hz < _MAINS_TOP_HZ and round(hz / 300) and abs(hz - 300 * round(hz / 300)) <= near:
        return f"mains hum, 50 Hz x {round(hz / 50)} or 60 Hz x {round(hz / 60)}"
    for mains in _MAINS_HZ:
        times = round(hz / mains)
        if times and hz < _MAINS_TOP_HZ and abs(hz - times * mains) <= near:
            return f"mains hum, {mains} Hz" + (f" x {times}" if times > 1 else "")
    for part in (2, 4, 8):
        if abs(hz - rate_hz / part) <= near:
            return f"the sample clock, rate / {part}"
    if abs(hz - 1000 * round(hz / 1000)) <= near:
        return f"1 kHz x {round(hz / 1000)}: USB frames, or the clock of a switching regulator that skips"
    block_hz = rate_hz / 256
    times = round(hz / block_hz)
    if times and times <= 8 and abs(hz - times * block_hz) <= near:
        return f"62.5 Hz x {times}: the pin's own work at every DMA block" if rate_hz == 16000 else "DMA blocks"
    return ""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1 if share else 0)]
