"""Recordings as the microphone hears them: any plain WAV becomes 16 kHz mono."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterator, Sequence
from operator import mul
from pathlib import Path

RATE_HZ = 16000
SLOWEST_HZ, FASTEST_HZ = 1000, 768_000
FULL_SCALE = 32767

PCM, IEEE_FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
NAMES = {2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x50: "MPEG", 0x55: "MP3"}
# Zero crossings of the resampling filter on each side, and how far below the Nyquist rate it begins to close.
CROSSINGS = 12
ROLL_OFF = 0.94


class BadWav(Exception):
    """A recording that cannot be played; the text says which and why."""


def load(path: Path) -> array[int]:
    """The samples of a WAV file (PCM of 8 to 32 bits or float, any rate, any channels) as 16-bit mono at 16
    kHz.

    Raises BadWav: no such file, not a WAV, a coding other than PCM or float, or no sound in it.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise BadWav(f"{path}: no such file") from error
    except OSError as error:
        raise BadWav(f"{path}: {error.strerror or error}") from error
    try:
        channels, rate_hz, samples = _decode(data)
    except BadWav as error:
        raise BadWav(f"{path}: {error}") from error
    if not samples:
        raise BadWav(f"{path}: an empty recording: there is no sound in it")
    mono: Sequence[float] = samples
    if channels > 1:
        frames = range(0, len(samples) - channels + 1, channels)
        mono = [sum(samples[i : i + channels]) / channels for i in frames]
    if rate_hz != RATE_HZ:
        mono = resample(mono, rate_hz, RATE_HZ)
    return as_samples(mono)


def as_samples(values: Sequence[float]) -> array[int]:
    """-1..1 as 16-bit samples; what is beyond is clipped."""
    return array("h", [max(-FULL_SCALE - 1, min(FULL_SCALE, round(x * FULL_SCALE))) for x in values])


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadWav("not a WAV file")
    at = 12
    while at + 8 <= len(data):
        name, n = struct.unpack_from("<4sI", data, at)
        # a recorder that was cut off leaves a length that is too long: what is there counts
        yield name, data[at + 8 : at + 8 + n]
        at += 8 + n + n % 2


def _decode(data: bytes) -> tuple[int, int, Sequence[float]]:
    kind = channels = rate_hz = bits = 0
    for name, body in _chunks(data):
        if name == b"fmt " and len(body) >= 16:
            kind, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if kind == EXTENSIBLE and len(body) >= 26:
                kind = struct.unpack_from("<H", body, 24)[0]
        elif name == b"data":
            if not channels or not rate_hz:
                raise BadWav("a damaged WAV file: its format is not said before its sound")
            if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
                raise BadWav(f"{rate_hz} samples a second are not understood; {SLOWEST_HZ} to {FASTEST_HZ} are")
            return channels, rate_hz, _samples(kind, bits, body)
    raise BadWav("a damaged WAV file: there is no sound part in it")


def _samples(kind: int, bits: int, body: bytes) -> Sequence[float]:
    """-1..1 each."""
    width = bits // 8
    if kind == IEEE_FLOAT and bits in (32, 64):
        code = "f" if bits == 32 else "d"
        values = struct.unpack(f"<{len(body) // width}{code}", body[: len(body) // width * width])
        return [max(-1.0, min(1.0, x)) if math.isfinite(x) else 0.0 for x in values]
    if kind != PCM:
        name = NAMES.get(kind, f"format {kind}")
        raise BadWav(f"its sound is coded as {name}; plain PCM or float is understood")
    if bits not in (8, 16, 24, 32):
        raise BadWav(f"samples of {bits} bits are not understood; 8, 16, 24 or 32 are")
    count = len(body) // width
    if bits == 8:
        return [(x - 128) / 128 for x in body]
    if bits == 24:
        wide = bytearray(4 * count)
        for i in range(3):
            wide[i + 1 :: 4] = body[i : 3 * count : 3]
        return [x / 2147483648 for x in struct.unpack(f"<{count}i", wide)]
    code, full = ("h", 32768) if bits == 16 else ("i", 2147483648)
    return [x / full for x in struct.unpack(f"<{count}{code}", body[: count * width])]


def resample(samples: Sequence[float], from_hz: int, to_hz: int) -> list[float]:
    """All of `samples` at another rate."""
    resampler = Resampler(from_hz, to_hz)
    return resampler.feed(samples) + resampler.end()


class Resampler:
    """Polyphase windowed-sinc resampling, piece by piece; what lies above the lower Nyquist rate is filtered
    out."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = math.gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        # cycles per input sample
        self._cutoff = ROLL_OFF * min(1.0, to_hz / from_hz) / 2
        self._reach = math.ceil(CROSSINGS / (2 * self._cutoff))
        self._kept = [0.0] * self._reach
        self._phases: dict[int, list[float]] = {}
        # numerator over `up` of the next output's place in `kept`
        self._next = 0

    def feed(self, samples: Sequence[float]) -> list[float]:
        """The outputs that `samples` complete."""
        kept = self._kept + list(samples)
        width = 2 * self._reach + 1
        out = []
        whole, phase = divmod(self._next, self._up)
        while whole + width <= len(kept):
            taps = self._phases.get(phase)
            if taps is None:
                taps = self._phases[phase] = _taps(phase / self._up, self._reach, self._cutoff)
            out.append(sum(map(mul, taps, kept[whole : whole + width])))
            self._next += self._down
            whole, phase = divmod(self._next, self._up)
        self._kept = kept[whole:]
        self._next -= whole * self._up
        return out

    def end(self) -> list[float]:
        """The outputs that silence completes."""
        return self.feed([0.0] * self._reach)


def _taps(shift: float, reach: int, cutoff: float) -> list[float]:
    taps = []
    for k in range(-reach, reach + 1):
        x = k - shift
        # a Hann window over the reach
        window = 0.5 + 0.5 * math.cos(math.pi * x / (reach + 1)) if abs(x) <= reach + 1 else 0.0
        angle = 2 * math.pi * cutoff * x
        taps.append(window * 2 * cutoff * (math.sin(angle) / angle if angle else 1.0))
    total = sum(taps)
    return [tap / total for tap in taps]
