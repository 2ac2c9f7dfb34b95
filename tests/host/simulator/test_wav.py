"""Any plain WAV becomes 16 kHz mono; everything else a sentence."""

from __future__ import annotations

import math
import struct
from array import array
from pathlib import Path

import pytest

from simulator.wav import RATE_HZ, BadWav, Resampler, load, resample

TONE_HZ = 440.0


def riff(fmt: bytes, data: bytes, *, extra: bytes = b"") -> bytes:
    """A WAV file of these chunks."""
    chunks = b"fmt " + struct.pack("<I", len(fmt)) + fmt + extra
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def fmt(kind: int, channels: int, rate_hz: int, bits: int) -> bytes:
    """A format chunk."""
    block = channels * bits // 8
    return struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * block, block, bits)


def tone(seconds: float, rate_hz: int, hz: float = TONE_HZ) -> list[float]:
    """Half of full scale."""
    return [0.5 * math.sin(2 * math.pi * hz * i / rate_hz) for i in range(round(seconds * rate_hz))]


def coded(samples: list[float], kind: int, bits: int) -> bytes:
    """-1..1 as the bytes of one channel."""
    if kind == 3:
        return struct.pack(f"<{len(samples)}{'f' if bits == 32 else 'd'}", *samples)
    if bits == 8:
        return bytes(round(x * 127) + 128 for x in samples)
    full = (1 << (bits - 1)) - 1
    return b"".join(round(x * full).to_bytes(bits // 8, "little", signed=True) for x in samples)


def strength(samples: array[int], hz: float) -> float:
    """Amplitude of one frequency, of full scale, leaving out the ends."""
    middle = samples[800:-800]
    real = sum(x * math.cos(2 * math.pi * hz * i / RATE_HZ) for i, x in enumerate(middle))
    imaginary = sum(x * math.sin(2 * math.pi * hz * i / RATE_HZ) for i, x in enumerate(middle))
    return 2 * math.hypot(real, imaginary) / len(middle) / 32767


@pytest.mark.parametrize(("kind", "bits"), [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
def test_every_width_and_rate(tmp_path: Path, kind: int, bits: int, rate_hz: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(riff(fmt(kind, 1, rate_hz, bits), coded(tone(0.3, rate_hz), kind, bits)))
    samples = load(path)
    assert abs(len(samples) - 0.3 * RATE_HZ) <= 1
    assert strength(samples, TONE_HZ) == pytest.approx(0.5, abs=0.01)


def test_stereo_is_mixed(tmp_path: Path) -> None:
    left, right = tone(0.2, RATE_HZ), [0.0] * (RATE_HZ // 5)
    both = [x for pair in zip(left, right, strict=True) for x in pair]
    path = tmp_path / "a.wav"
    path.write_bytes(riff(fmt(1, 2, RATE_HZ, 16), coded(both, 1, 16)))
    samples = load(path)
    assert len(samples) == RATE_HZ // 5
    assert strength(samples, TONE_HZ) == pytest.approx(0.25, abs=0.01)


def test_what_the_lower_rate_cannot_hold_is_filtered_out() -> None:
    high = resample(tone(0.3, 48000, 11000), 48000, RATE_HZ)
    assert max(abs(x) for x in high[400:-400]) < 0.01


def test_piece_by_piece_is_the_same() -> None:
    samples = tone(0.1, 44100)
    pieces = Resampler(44100, RATE_HZ)
    out: list[float] = []
    for at in range(0, len(samples), 441):
        out += pieces.feed(samples[at : at + 441])
    assert out + pieces.end() == resample(samples, 44100, RATE_HZ)


def test_extensible_and_unknown_chunks(tmp_path: Path) -> None:
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    long = fmt(0xFFFE, 1, RATE_HZ, 16) + struct.pack("<HHI", 22, 16, 4) + guid
    path = tmp_path / "a.wav"
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    path.write_bytes(riff(long, coded(tone(0.1, RATE_HZ), 1, 16), extra=odd))
    assert len(load(path)) == RATE_HZ // 10


def test_a_recorder_that_was_cut_off(tmp_path: Path) -> None:
    whole = riff(fmt(1, 1, RATE_HZ, 16), coded(tone(0.2, RATE_HZ), 1, 16))
    path = tmp_path / "a.wav"
    path.write_bytes(whole[: len(whole) // 2 + 1])
    assert 0 < len(load(path)) < RATE_HZ // 5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a WAV"),
        (b"ID3\x04 some music", "not a WAV"),
        (riff(fmt(1, 1, RATE_HZ, 16), b""), "empty recording"),
        (riff(fmt(7, 1, RATE_HZ, 8), b"\x80" * 100), "mu-law"),
        (riff(fmt(1, 1, RATE_HZ, 12), b"\x80" * 100), "12 bits"),
        (riff(b"", b"\0\0"), "damaged"),
        (riff(fmt(1, 1, RATE_HZ, 16), b"")[:36], "damaged"),
        (riff(fmt(1, 0, RATE_HZ, 16), b"\0\0"), "damaged"),
    ],
)
def test_what_cannot_be_played_is_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(BadWav) as error:
        load(path)
    assert str(path) in str(error.value)
    assert says in str(error.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(BadWav, match="no such file"):
        load(tmp_path / "none.wav")
    with pytest.raises(BadWav, match="irectory"):
        load(tmp_path)
