"""What happens to a voice on its way: noise, distance, the codec, a cut. PCM in, PCM out (16-bit LE mono 16 kHz).

Everything is made from a seed, so that the same call gives the same bytes.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable
from operator import mul

from lapel_audio import adpcm

RATE_HZ = 16_000


def _samples(pcm: bytes) -> array[int]:
    return array("h", pcm)


def _packed(values: list[float]) -> bytes:
    return array("h", [max(-32_768, min(32_767, round(value))) for value in values]).tobytes()


def level(pcm: bytes) -> float:
    """Root mean square of all samples."""
    samples = _samples(pcm)
    return math.sqrt(sum(map(mul, samples, samples)) / max(1, len(samples)))


def silence(seconds: float) -> bytes:
    """Nothing at all."""
    return bytes(2 * round(seconds * RATE_HZ))


def white(seconds: float, rms: float, seed: int = 1) -> bytes:
    """Even hiss."""
    noise = random.Random(seed)
    return _packed([noise.gauss(0.0, rms) for _ in range(round(seconds * RATE_HZ))])


def hum(seconds: float, rms: float, hz: float = 50.0) -> bytes:
    """Mains hum with its first overtones."""
    turn = 2 * math.pi * hz / RATE_HZ
    size = rms * math.sqrt(2 / (1 + 0.5**2 + 0.3**2))
    wave = [math.sin(turn * n) + 0.5 * math.sin(2 * turn * n) + 0.3 * math.sin(3 * turn * n) for n in range(16_000)]
    return _packed([size * wave[n % len(wave)] for n in range(round(seconds * RATE_HZ))])


def clicks(seconds: float, peak: int, seed: int = 1) -> bytes:
    """Knocks and rustling of cloth: short bursts at odd times."""
    chance = random.Random(seed)
    values = [chance.gauss(0.0, 8.0) for _ in range(round(seconds * RATE_HZ))]
    for _ in range(round(seconds * 3)):
        start, decay = chance.randrange(len(values)), chance.uniform(20, 200)
        for n in range(min(1600, len(values) - start)):
            values[start + n] += peak * math.exp(-n / decay) * chance.gauss(0.0, 0.5)
    return _packed(values)


def mix(one: bytes, other: bytes) -> bytes:
    """Both at once, as long as the longer."""
    a, b = _samples(one), _samples(other)
    if len(a) < len(b):
        a, b = b, a
    return _packed([value + (b[n] if n < len(b) else 0) for n, value in enumerate(a)])


def noisy(pcm: bytes, snr_db: float, seed: int = 1) -> bytes:
    """With hiss `snr_db` below the voice."""
    seconds = len(pcm) / 2 / RATE_HZ
    return mix(pcm, white(seconds, level(pcm) / 10 ** (snr_db / 20), seed))


def louder(pcm: bytes, gain_db: float) -> bytes:
    """Louder or softer; what is too loud is clipped."""
    factor = 10 ** (gain_db / 20)
    return _packed([value * factor for value in _samples(pcm)])


def telephone(pcm: bytes) -> bytes:
    """Through half the bandwidth: 8 kHz and back."""
    samples = _samples(pcm)
    half = [(samples[n] + samples[n + 1]) / 2 for n in range(0, len(samples) - 1, 2)]
    back: list[float] = []
    for n, value in enumerate(half):
        following = half[n + 1] if n + 1 < len(half) else value
        back += (value, (value + following) / 2)
    return _packed(back)


def coded(pcm: bytes) -> bytes:
    """Through the pin's codec and back."""
    samples = len(pcm) // 2
    size = 1 << max(10, (samples // 2 + 64).bit_length())
    out = bytearray(size)
    written = adpcm.Encoder().encode(bytearray(pcm), samples, out, size - 1)
    return bytes(adpcm.decode(bytes(out[:written])).tobytes())


def cut(pcm: bytes, part: float) -> bytes:
    """The first `part` (0..1) of the clip, ended abruptly."""
    return pcm[: int(len(pcm) // 2 * part) * 2]


# What may happen to a clip without making it another sentence.
EFFECTS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda pcm: pcm,
    "codec": coded,
    "hiss 30 dB": lambda pcm: noisy(pcm, 30.0),
    "soft -24 dB": lambda pcm: louder(pcm, -24.0),
    "telephone": telephone,
    "hiss 15 dB, codec": lambda pcm: coded(noisy(pcm, 15.0)),
}
