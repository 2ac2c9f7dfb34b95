"""Opus: frames of 20 ms as the encoder codes them, with every call that it makes of a kernel."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import exp, sin, tau
from random import Random

from device_code.cases import Case, Whole
from device_code.meaning import Meaning

RATE = 16_000
SAMPLES = 320
PER_SECOND = 50
KBPS = 24
SMALL_KBPS = 16
# What a frame may cost, bytecodes and all: a fifth of a core at 240 MHz.
FRAME_CYCLES = 1_000_000
_OPUS = "lapel_audio.opus"
# Frames that are counted, one of so many.
COUNTED = 5
EVERY = 3
# And of each of other rates.
MORE = 16


def voice(random: Random, count: int) -> array[int]:
    """Something like speech: voiced, hissing and silent by turns, each of a fifth of a second at the most."""
    samples = array("h")
    phase = 0.0
    while len(samples) < count:
        length = random.randrange(800, 3200)
        kind = random.randrange(4)
        pitch = random.uniform(80, 240)
        formants = [random.uniform(*border) for border in ((250, 900), (900, 2400), (2300, 3500))]
        for at in range(length):
            # its attack is sudden, its end is not
            level = min(1.0, at / 40, (length - at) / 400)
            if kind == 0:
                value = 3 * random.gauss(0, 1)
            elif kind == 1:
                value = level * random.gauss(0, 1500)
            else:
                phase = (phase + pitch / RATE) % 1
                rings = (exp(-phase * 4) * sin(tau * formant * phase / pitch) for formant in formants)
                value = 6000 * level * sum(rings) + random.gauss(0, 40)
            samples.append(max(-32768, min(32767, int(value))))
    return samples[:count]


def _frames(samples: Sequence[int]) -> list[bytearray]:
    return [bytearray(array("h", samples[at : at + SAMPLES])) for at in range(0, len(samples), SAMPLES)]


def _coded(random: Random, meaning: Meaning) -> Iterable[tuple[float, Callable[[], object]]]:
    encoder = meaning.module(f"{_OPUS}.encoder").Encoder(KBPS)
    out = bytearray(meaning.module(f"{_OPUS}.encoder").MOST_BYTES)
    frames = _frames(voice(random, COUNTED * EVERY * SAMPLES))
    for number, frame in enumerate(frames):
        # every other counted frame is a small one, whose pulses are spread
        encoder.set_rate(KBPS if number // EVERY & 1 else SMALL_KBPS)
        if number % EVERY == EVERY - 1:
            yield 1 / COUNTED, partial(encoder.encode, frame, out)
        else:
            encoder.encode(frame, out)
    # Compared only: what is loud, faint, silent, sudden, poor in bits, and rich.
    rails = (-32768, 32767)
    samples = [random.choice(rails) for _ in range(SAMPLES)]
    samples += [random.randrange(-2, 3) for _ in range(SAMPLES)]
    samples += [rails[at // 50 & 1] for at in range(SAMPLES)]
    samples += [0] * (3 * SAMPLES - 30) + [32767] * 30
    samples += voice(random, 2 * SAMPLES)
    for kbps in (8, 16, 64):
        encoder.set_rate(kbps)
        yield from ((0, partial(encoder.encode, frame, out)) for frame in _frames(samples))


def _at(
    kbps: int, variable: bool, random: Random, meaning: Meaning
) -> Iterable[tuple[float, Callable[[], object]]]:
    encoder = meaning.module(f"{_OPUS}.encoder").Encoder(kbps, variable)
    out = bytearray(meaning.module(f"{_OPUS}.encoder").MOST_BYTES)
    for frame in _frames(voice(random, MORE * SAMPLES)):
        yield 1 / MORE, partial(encoder.encode, frame, out)


def _made(random: Random, meaning: Meaning) -> Iterable[tuple[float, Callable[[], object]]]:
    return ((1, partial(meaning.module(f"{_OPUS}.encoder").Encoder, KBPS)),)


# Cycles of one frame: a fifth more than they take, and where that is a matter of the sound twice as much.
_KERNELS = {
    "allocation._queue": 12_000,
    "analysis.attack": 13_000,
    "analysis.loudness": 1_400,
    "bands.prepare": 14_000,
    "butterflies.fives": 41_000,
    "butterflies.fours": 96_000,
    "butterflies.twos": 38_000,
    "encoder._head": 550,
    "energy.coarse": 6_500,
    "energy.fine": 4_300,
    "energy.last": 2_100,
    "energy.measure": 50_000,
    "halves.halve": 6_000,
    "mdct.emphasise": 63_000,
    "mdct.fold": 30_000,
    "mdct.spin": 38_000,
    "mdct.unspin": 41_000,
    "partitions.code": 68_000,
    "pitch.comb": 59_000,
    "pitch.refine": 46_000,
    "pitch.search": 86_000,
    "pitch.size": 15_000,
    "pitch.thin": 22_000,
    "pvq.quantise": 180_000,
    "pvq.rotate": 110_000,
    "range_coder.bit": 0,
    "range_coder.finish": 1_300,
    "range_coder.laplace": 7_900,
    "range_coder.put": 1_300,
    "range_coder.raw": 6_900,
    "range_coder.run": 24_000,
    "range_coder.start": 710,
    "range_coder.tell": 2_800,
    "shares.share": 47_000,
    "voice._put_octave": 290,
}
CASES: Sequence[Case] = (
    Whole(
        "an Opus frame",
        "frame",
        units=1,
        per_second=PER_SECOND,
        budget=FRAME_CYCLES,
        parts=_coded,
        bytecodes=True,
        each=True,
        strict=True,
        kernels={f"{_OPUS}.{name}": budget for name, budget in _KERNELS.items()},
    ),
    *(
        Whole(
            f"the same at {kbps} kbit/s, {'variable' if variable else 'constant'}",
            "frame",
            units=1,
            per_second=PER_SECOND,
            budget=FRAME_CYCLES,
            parts=partial(_at, kbps, variable),
            bytecodes=True,
            each=True,
            strict=True,
        )
        for kbps, variable in ((32, False), (32, True), (41, True), (48, True))
    ),
    Whole(
        "an Opus encoder made",
        "encoder",
        units=1,
        per_second=None,
        budget=3_000_000,
        parts=_made,
        bytecodes=True,
        strict=True,
        kernels={f"{_OPUS}.pvq._count_out": 140_000},
    ),
)
