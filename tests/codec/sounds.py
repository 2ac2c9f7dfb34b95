"""Sounds that a seed makes: frames of 320 samples of what an encoder must stand, loud, weak and odd."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator

RATE_HZ = 16_000
FRAME_SAMPLES = 320


def packed(samples: list[float]) -> bytes:
    """320 samples, clipped to 16 bits."""
    return struct.pack("<320h", *(max(-32768, min(32767, round(sample))) for sample in samples))


class Speech:
    """Something with the ways of a voice: pulses of a gliding pitch through gliding formants, hisses, stops, pauses."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._phase = 0.0
        self._states = [[0.0, 0.0] for _ in range(4)]
        self._left = 0
        self._pitch_hz = self._random.uniform(80, 240)
        self._kind = "pause"

    def frame(self, peak: float = 12000) -> list[float]:
        """The next 20 ms, about as loud as `peak`."""
        draw = self._random
        if self._left == 0:
            self._left = draw.randrange(2, 12)
            self._kind = draw.choice(("voice", "voice", "voice", "hiss", "stop", "pause"))
            self._pitch_hz *= draw.uniform(0.85, 1.18)
            self._pitch_hz = min(320.0, max(70.0, self._pitch_hz))
            self._formants = [draw.uniform(280, 850), draw.uniform(900, 2300), draw.uniform(2400, 3400), 4800.0]
        self._left -= 1
        samples = []
        for n in range(FRAME_SAMPLES):
            self._phase += self._pitch_hz / RATE_HZ
            source = draw.gauss(0, 0.01)
            if self._kind == "voice" and self._phase >= 1:
                source += 1
            elif self._kind == "hiss":
                source += draw.gauss(0, 0.15)
            elif self._kind == "stop" and self._left == 0 and n > 200:
                source += draw.gauss(0, 0.5)
            elif self._kind == "pause":
                source *= 0.05
            self._phase %= 1
            value = 0.0
            for formant, state in zip(self._formants, self._states, strict=True):
                width = 0.985 if formant < 1000 else 0.96
                new = source + 2 * width * math.cos(2 * math.pi * formant / RATE_HZ) * state[0] - width**2 * state[1]
                state[1], state[0] = state[0], new
                value += new * (1000 / formant if formant > 1000 else 1)
            samples.append(value * peak / 12)
        return samples


def frames(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` named frames: pieces of every kind, each some frames long, in an order that the seed gives."""
    draw = random.Random(seed)
    speech = Speech(seed)
    at = 0
    while at < count:
        kind = draw.choice(KINDS)
        hertz = draw.uniform(20, 7990)
        peak = draw.choice((2, 40, 900, 9000, 32767))
        level = draw.choice((-32768, -3000, 1, 500, 32767))
        for _ in range(min(count - at, draw.randrange(1, 20))):
            yield kind, packed(_frame(kind, draw, speech, hertz, peak, level, at))
            at += 1


KINDS = "speech speech quiet clipped silence noise tone square direct clicks switch tiny".split()


def _frame(kind: str, draw: random.Random, speech: Speech, hertz: float, peak: int, level: int, at: int) -> list[float]:
    span = range(FRAME_SAMPLES)
    turn = [2 * math.pi * hertz * (at * FRAME_SAMPLES + n) / RATE_HZ for n in span]
    if kind == "speech":
        return speech.frame()
    if kind == "quiet":
        return speech.frame(60)
    if kind == "clipped":
        return speech.frame(300_000)
    if kind == "silence":
        return [0.0] * FRAME_SAMPLES
    if kind == "noise":
        return [draw.gauss(0, peak / 3) for _ in span]
    if kind == "tone":
        return [peak * math.sin(angle) for angle in turn]
    if kind == "square":
        return [32767.0 if math.sin(angle) >= 0 else -32768.0 for angle in turn]
    if kind == "direct":
        return [float(level)] * FRAME_SAMPLES
    if kind == "clicks":
        return [float(draw.choice((-32768, 32767))) if draw.randrange(200) == 0 else 0.0 for _ in span]
    if kind == "switch":
        return [peak * math.sin(angle) if n > 170 else 0.0 for n, angle in zip(span, turn, strict=True)]
    return [float(draw.randrange(-3, 4)) for _ in span]
