"""Placing pulses, turning neighbours and halving partitions never let more than 32 bits decide, whatever the values."""

from __future__ import annotations

from array import array
from random import Random

import pytest

from device_code.meaning import Meaning

OFFSET = 1 << 28
AT, N, K, BLOCKS, SPREAD, OFFSET_AT = 88, 89, 90, 91, 92, 93
SIZES = {2: 128, 3: 128, 4: 128, 6: 88, 8: 36, 12: 16, 16: 12, 24: 9, 32: 7, 48: 6}


def values(random: Random, n: int) -> list[int]:
    """Flat, sparse, one alone, steep: as large as changes of resolution make them."""
    size = 1 << random.randrange(26)
    kind = random.randrange(6)
    if kind == 0:
        return [random.choice((-size, size)) for _ in range(n)]
    if kind == 1:
        return [random.randrange(-size, size + 1) if random.random() < 0.2 else 0 for _ in range(n)]
    if kind == 2:
        return [size, *(random.randrange(-3, 4) for _ in range(n - 1))]
    if kind == 3:
        return [random.choice((size, size - 1, -size // 2)) for _ in range(n)]
    return [random.randrange(-size, size + 1) >> (kind - 4) * at for at in range(n)]


@pytest.mark.parametrize("unsigned_words", [False, True])
def test_32_bits_are_enough(unsigned_words: bool) -> None:
    meaning = Meaning(strict=True, unsigned_words=unsigned_words)
    pvq, halves = (meaning.module(f"lapel_audio.opus.{name}") for name in ("pvq", "halves"))
    counts = pvq.Counts()
    random = Random(11)
    frame, spectrum = array("i", [0] * 164), array("i", [OFFSET] * 320)
    for _ in range(1500):
        n = random.choice(list(SIZES))
        k = random.randrange(1, SIZES[n] + 1)
        for at, value in enumerate(values(random, n)):
            spectrum[at] = OFFSET + value
        frame[N], frame[K], frame[BLOCKS], frame[SPREAD], frame[OFFSET_AT] = n, k, 1, random.randrange(1, 4), OFFSET
        if n > 3 and n % 2 == 0:
            halves.halve(0, 0, frame, spectrum, 0, n // 2, 2 * random.randrange(1, 129))
        if 2 * k < n and random.getrandbits(1):
            pvq.rotate(0, 0, frame, spectrum, counts.magnitudes)
        pvq.quantise(0, 0, frame, spectrum, counts.magnitudes, counts.pulses, counts.ways, counts.columns)
        assert sum(counts.pulses[:n]) == k and min(counts.pulses[:n]) >= 0
