"""Sounds and WAV files for the tests of the codecs."""

from __future__ import annotations

import math
import random
import struct
from array import array
from pathlib import Path

RATE_HZ = 16_000


def voice_like(seconds: float, seed: int = 1) -> bytes:
    """A buzz with changing pitch and loudness, a little hiss, and silence in between; 16-bit mono at 16 kHz."""
    chance = random.Random(seed)
    samples = array("h")
    phase = 0.0
    for n in range(round(seconds * RATE_HZ)):
        t = n / RATE_HZ
        phase += 2 * math.pi * (120 + 40 * math.sin(2 * math.pi * 0.7 * t)) / RATE_HZ
        loud = max(0.0, math.sin(2 * math.pi * 1.3 * t))
        buzz = sum(math.sin(k * phase) / k for k in (1, 2, 3, 5, 8, 13))
        samples.append(round(6000 * loud * buzz + chance.gauss(0, 20)))
    return samples.tobytes()


def wav(path: Path, data: bytes, *, rate_hz: int = RATE_HZ, channels: int = 1, bits: int = 16, kind: int = 1) -> Path:
    """A WAV with these very bytes as its sound. kind: 1 PCM, 3 float, 6 A-law, 7 mu-law."""
    align = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * align & 0xFFFFFFFF, align & 0xFFFF, bits)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def unlike(one: bytes, other: bytes) -> float:
    """How far apart two sounds of 16 bits are: the root of the mean squared difference, over that of `one`."""
    a, b = array("h", one), array("h", other)
    assert len(a) == len(b), (len(a), len(b))
    power = sum(x * x for x in a)
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / max(1, power))
