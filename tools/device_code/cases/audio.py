"""Sound: 16,000 samples a second, in blocks as the microphone gives them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from random import Random

from device_code.cases import Case, Kernel, Whole
from device_code.device import Arguments
from device_code.meaning import Meaning

RATE = 16_000
# One block of the microphone's DMA.
SAMPLES = 256
_LENGTHS = (0, 1, 2, 3, 31, 64)
_WORDS = (-(1 << 31), (1 << 31) - 1, 0, -1, 255, 256, -256, 1 << 30)
_SHORTS = (-32768, 32767, 0, -1, 1)
_OFFSET = 90_000 << 8


def speech(random: Random, count: int) -> array[int]:
    """Samples that wander as speech does."""
    level, samples = 0, array("h")
    for _ in range(count):
        level += random.randrange(-1800, 1801) - level // 12
        samples.append(max(-32768, min(32767, level)))
    return samples


def _converted(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    silence = meaning.module("lapel_audio.kernels").Converter().state
    usual = array("i", [(sample << 16) + _OFFSET & ~0xFF for sample in speech(random, SAMPLES)])
    yield 0, 0, array("i", [max(-(1 << 31), word) for word in usual]), silence[:], SAMPLES
    for shift in (8, 7, 4, 2):
        state = silence[:]
        state[1] = shift
        yield 0, 0, array("i", [random.choice(_WORDS) for _ in range(SAMPLES)]), state, SAMPLES
    for level in (0, (1 << 31) - 1):
        for word in _WORDS:
            yield 0, 0, array("i", [word] * 9), array("i", [level, 8]), 9
    while True:
        count = random.choice(_LENGTHS)
        words = array("i", [random.getrandbits(32) - (1 << 31) for _ in range(count + 1)])
        yield 0, 0, words, array("i", [random.getrandbits(31), random.randrange(2, 9)]), count


def _encoded(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    steps = meaning.module("lapel_audio.stream").STEPS
    indices = meaning.module("lapel_audio.kernels").Encoder()._indices
    fresh = (1 << 15, 0, 0, 0)
    ring = bytearray(SAMPLES // 2)
    yield 0, 0, speech(random, SAMPLES), ring, array("i", fresh), steps, indices, SAMPLES, len(ring) - 1
    for predictor in (0, 0xFFFF):
        for index in (0, 88):
            for pending in (0, 0x109):
                samples = array("h", [random.choice(_SHORTS) for _ in range(40)])
                state = array("i", (predictor, index, pending, (1 << 29) - 3))
                yield 0, 0, samples, bytearray(16), state, steps, indices, 40, 15
    block = speech(random, 65)
    yield 0, 0, block, block, array("i", fresh), steps, indices, 65, 0xFFFF
    while True:
        count = random.choice(_LENGTHS)
        samples = array("h", [random.getrandbits(16) - 32768 for _ in range(count + 1)])
        pending = random.choice((0, 0x100 | random.getrandbits(4)))
        state = array("i", (random.getrandbits(16), random.randrange(89), pending, random.getrandbits(20)))
        yield 0, 0, samples, bytearray(32), state, steps, indices, count, 31


def _gathered(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    yield 0, 0, speech(random, SAMPLES), bytearray(640), 0, 64, SAMPLES
    while True:
        count = random.choice(_LENGTHS)
        start, at = random.randrange(9), random.randrange(9)
        samples = array("h", [random.getrandbits(16) - 32768 for _ in range(count + start)])
        yield 0, 0, samples, bytearray(2 * (count + at)), start, at, count


def _laid(random: Random, meaning: Meaning) -> Iterator[Arguments]:
    yield 0, 0, random.randbytes(80), 80, bytearray(256), 255, 200
    while True:
        size = random.choice((1, 2, 3, 60, 250))
        yield 0, 0, random.randbytes(size), size, bytearray(512), 511, random.getrandbits(19)


def _recorded(random: Random, meaning: Meaning) -> Sequence[tuple[float, Callable[[], object]]]:
    kernels = meaning.module("lapel_audio.kernels")
    converter, encoder, ring = kernels.Converter(), kernels.Encoder(), bytearray(SAMPLES)
    block = bytearray(array("i", [(sample << 15) + _OFFSET for sample in speech(random, SAMPLES)]).tobytes())

    def record() -> None:
        converter.convert(block, SAMPLES)
        encoder.encode(block, SAMPLES, ring, SAMPLES - 1)

    return ((1, record),)


CASES: Sequence[Case] = (
    Kernel("lapel_audio.kernels._convert", "sample", SAMPLES, RATE, 62, _converted, strict=True),
    Kernel("lapel_audio.kernels._encode", "sample", SAMPLES, RATE, 170, _encoded, strict=True),
    Kernel("lapel_audio.opus_kernels._gather", "sample", SAMPLES, RATE, 50, _gathered, strict=True),
    Kernel("lapel_audio.opus_kernels._lay", "byte", 81, 4100, 50, _laid, strict=True),
    Whole("microphone to ADPCM", "sample", SAMPLES, RATE, 230, _recorded, strict=True),
)
