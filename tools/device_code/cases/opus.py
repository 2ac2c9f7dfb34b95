"""Opus: what follows on the signal's side of a frame, 50 a second: energies said, bits shared out, shapes coded."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from device_code.cases import Case, Whole
from device_code.meaning import Meaning

PER_SECOND = 50
BANDS = 17
OFFSET = 1 << 28
_OPUS = "lapel_audio.opus"


def spectrum(random: Random) -> array[int]:
    """Of something like a voice: harmonics below 4 kHz, and less the higher."""
    bins = array("i")
    for place in range(320):
        level = 40_000 / (1 + place / 12) ** 1.2
        if place < 160:
            level *= 0.25 + 2 * abs(math.cos(math.pi * place / 7.3)) ** 6
        bins.append(OFFSET + int(level * random.gauss(0, 1)))
    return bins


class Frames:
    """The buffers of an encoder, and frames of no signal."""

    def __init__(self, random: Random, meaning: Meaning) -> None:
        names = ("allocation", "bands", "pvq", "range_coder", "tables")
        self.allocation, self.bands, self.pvq, self.range_coder, self.tables = (
            meaning.module(f"{_OPUS}.{name}") for name in names
        )
        self.random = random
        self.coder = self.range_coder.new()
        self.queue = array("i", [0] * self.allocation.QUEUE_WORDS)
        self.frame = array("i", [0] * self.allocation.FRAME_WORDS)
        self.work = array("i", [0] * self.pvq.WORK_WORDS)
        self.out = bytearray(400)
        self.counts: Any = None

    def count_out(self) -> None:
        """What is done once."""
        self.counts = self.pvq.Counts()

    def make(self, size: int, transient: int, spread: int) -> Callable[[], None]:
        """What codes one frame of `size` bytes."""
        random, coder, out, queue, frame = self.random, self.coder, self.out, self.queue, self.frame
        steps = array("i", [128 + random.choice((0, 0, 0, 1, -1, 2, -2)) for _ in range(BANDS)])
        flags = array("i", [transient | random.choice((0, 0, 0, 1)) for _ in range(BANDS)])
        boosts = array("i", [random.choice((0, 0, 0, 0, 0, 1)) for _ in range(BANDS)])
        bins = spectrum(random)

        def head() -> None:
            self.range_coder.start(0, 0, coder, 1, size)
            for value, rarity in ((0, 15), (0, 1), (transient, 3), (0, 3)):
                self.range_coder.bit(coder, out, queue, value, rarity)
            self.range_coder.laplace(0, 0, queue, 1, BANDS, steps, self.tables.LAPLACE, 0)
            self.range_coder.run(0, 0, coder, out, queue, 1, 1 + BANDS, 64 * size)

        def code() -> None:
            head()
            allocation, bits = self.allocation, 8 * size
            allocation.code_flags(coder, out, queue, frame, flags, transient, transient, bits)
            allocation.code_spread(coder, out, queue, frame, spread, bits)
            boost = allocation.code_boosts(coder, out, queue, frame, boosts, bits)
            allocation.code_trim(coder, out, queue, frame, 5, boost, bits)
            allocation.allocate(coder, out, queue, frame, self.work, size, 16)
            widths = frame[allocation.FINE : allocation.FINE + BANDS]
            fine = array("i", [random.randrange(1 << width) for width in widths])
            self.range_coder.raw(0, 0, coder, out, fine, widths, BANDS)
            self.bands.code_bands(coder, out, frame, self.work, bins, OFFSET, self.counts)
            self.range_coder.finish(0, 0, coder, out)

        return code


def _frames(random: Random, meaning: Meaning) -> Sequence[tuple[float, Callable[[], object]]]:
    frames = Frames(random, meaning)
    others = ((8, 0, 2), (13, 1, 3), (40, 0, 1), (60, 0, 0), (120, 0, 2), (160, 1, 2))
    return (
        (0, frames.count_out),
        (0.9, frames.make(60, 0, 2)),
        (0.1, frames.make(60, 1, 2)),
        *((0, frames.make(*other)) for other in others),
    )


CASES: Sequence[Case] = (
    Whole(
        "the bits of an Opus frame of 60 bytes",
        "frame",
        1,
        PER_SECOND,
        420_000,
        _frames,
        bytecodes=True,
        each=True,
        strict=True,
        kernels={
            f"{_OPUS}.range_coder.start": 500,
            f"{_OPUS}.range_coder.tell": 2_500,
            f"{_OPUS}.range_coder.run": 22_000,
            f"{_OPUS}.range_coder.raw": 3_000,
            f"{_OPUS}.range_coder.finish": 1_000,
            f"{_OPUS}.range_coder.laplace": 6_000,
            f"{_OPUS}.range_coder.put": 7_000,
            f"{_OPUS}.range_coder.bit": 5_000,
            f"{_OPUS}.allocation._queue_flags": 2_600,
            f"{_OPUS}.allocation._set_changes": 1_600,
            f"{_OPUS}.allocation._queue_boosts": 4_500,
            f"{_OPUS}.allocation._set_boosts": 2_500,
            f"{_OPUS}.shares.share": 32_000,
            f"{_OPUS}.bands.prepare": 36_000,
            f"{_OPUS}.partitions.code": 50_000,
            f"{_OPUS}.halves.halve": 30_000,
            f"{_OPUS}.pvq.rotate": 110_000,
            f"{_OPUS}.pvq.quantise": 130_000,
            f"{_OPUS}.pvq._count_out": 100_000,
        },
    ),
)
