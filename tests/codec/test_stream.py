"""Packets of the pin's own Opus encoder, run by MicroPython: libopus reads every one of them as it was meant."""

from __future__ import annotations

import math
import os
import random
import struct
import subprocess
from pathlib import Path

import pytest

from codec_bench import libopus
from simulator.pin import find_interpreter
from tests.codec import sounds

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(libopus.missing() is not None, reason=str(libopus.missing()))


def encoded(frames: list[tuple[int, bytes]], *, variable: bool) -> tuple[list[bytes], list[int]]:
    """Packets and final ranges of frames with their kbit/s (0: reset before it)."""
    script = Path(__file__).parent / "device" / "stream.py"
    done = subprocess.run(
        [find_interpreter(), "-X", "heapsize=4m", str(script), str(int(variable))],
        input=b"".join(bytes((rate,)) + pcm for rate, pcm in frames),
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'lib'}:.frozen"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.stdout[-500:] + done.stderr).decode("utf-8", "replace")
    packets, ranges, at = [], [], 0
    while at < len(done.stdout):
        size, final_range = struct.unpack_from("<HI", done.stdout, at)
        packets.append(done.stdout[at + 6 : at + 6 + size])
        ranges.append(final_range)
        at += 6 + size
    assert len(packets) == len(frames)
    return packets, ranges


def rates(seed: int, count: int) -> list[int]:
    """A rate for each frame, which now and then changes."""
    draw = random.Random(seed)
    found, rate = [], 24
    for _ in range(count):
        if draw.randrange(12) == 0:
            rate = draw.choice((8, 12, 16, 17, 20, 24, 32, 40, 48, 64, 100))
        found.append(rate)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("variable", [False, True])
def test_libopus_reads_what_was_meant(seed: int, variable: bool) -> None:
    count = 500
    frames = [(rate, pcm) for rate, (_, pcm) in zip(rates(seed, count), sounds.frames(seed, count), strict=True)]
    packets, ranges = encoded(frames, variable=variable)
    assert len(libopus.agree(packets, ranges)) == count * 640
    assert all(packet[0] == libopus.TOC for packet in packets)
    if not variable:
        assert [len(packet) for packet in packets] == [rate * 5 // 2 for rate, _ in frames]


def decoded(pcm: bytes, kbps: int) -> list[int]:
    """What libopus makes of our packets, its delay taken off: as many samples as were given, but for the last ones."""
    packets, ranges = encoded([(kbps, piece) for piece in libopus.frames(pcm)], variable=False)
    out = libopus.agree(packets, ranges)
    return list(struct.unpack(f"<{len(out) // 2}h", out))[libopus.DELAY_SAMPLES :]


def test_a_decoder_hears_the_level_that_was_said() -> None:
    for peak in (30000, 2000, 200):
        speech = sounds.Speech(5)
        pcm = b"".join(sounds.packed(speech.frame(peak)) for _ in range(100))
        given = struct.unpack(f"<{len(pcm) // 2}h", pcm)
        got = decoded(pcm, 48)
        across = sum(a * b for a, b in zip(given, got, strict=False))
        gain = across / sum(b * b for b in got)
        noise = sum((a - b) ** 2 for a, b in zip(given, got, strict=False))
        assert 10 * math.log10(sum(a * a for a in given) / noise) > 9, peak
        assert abs(20 * math.log10(gain)) < 0.7, peak


def test_tones_come_back() -> None:
    """At their level, and clean; up to their phase, as the emphasis at 16 kHz is half a sample late."""
    for hertz in (150, 997, 3000, 6500):
        turn = 2 * math.pi * hertz / sounds.RATE_HZ
        samples = [20000 * math.sin(turn * n) for n in range(320 * 20)]
        pcm = b"".join(sounds.packed(samples[at : at + 320]) for at in range(0, len(samples), 320))
        got = decoded(pcm, 64)[1600:4800]
        sine = sum(value * math.sin(turn * n) for n, value in enumerate(got, 1600)) / 1600
        cosine = sum(value * math.cos(turn * n) for n, value in enumerate(got, 1600)) / 1600
        level = math.hypot(sine, cosine)
        rest = sum(
            (value - sine * math.sin(turn * n) - cosine * math.cos(turn * n)) ** 2 for n, value in enumerate(got, 1600)
        )
        assert abs(20 * math.log10(level / 20000)) < 0.4, hertz
        assert 10 * math.log10(1600 * level**2 / rest) > 20, hertz
