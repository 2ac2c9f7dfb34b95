"""Inputs that are nearly valid: valid ones with a few bytes changed, by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

# Where numbers, texts and lengths turn over.
NOTABLE = (0, 1, 0x22, 0x2C, 0x30, 0x40, 0x5C, 0x7B, 0x7D, 0x7F, 0x80, 0xC0, 0xFE, 0xFF)
MOST_BYTES = 3000


def mutations(inputs: Sequence[bytes], count: int, seed: str) -> Iterator[bytes]:
    """`count` of them, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(inputs) if inputs else b"")
        for _ in range(chance.randint(1, 4)):
            _change(data, chance, inputs)
        yield bytes(data[:MOST_BYTES])


def _change(data: bytearray, chance: random.Random, inputs: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 1, 2, 4, 16)))
    what = chance.randrange(6)
    if what == 0:
        data[at:end] = b""
    elif what == 1:
        data[at:at] = bytes(chance.choice(NOTABLE) for _ in range(chance.choice((1, 2, 4))))
    elif what == 2:
        data[at:end] = chance.randbytes(end - at)
    elif what == 3:
        data[at:at] = data[at:end] * chance.choice((1, 2, 20))
    elif what == 4 and inputs:
        other = chance.choice(inputs)
        data[at:] = other[chance.randrange(len(other) + 1) :]
    elif at < len(data):
        data[at] ^= 1 << chance.randrange(8)
