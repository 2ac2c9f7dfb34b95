"""What samples say: levels against known tones, lines by their names, start-up, drift, rhythms."""

from __future__ import annotations

import math
import random
import struct

import pytest

from lapel_audio import adpcm
from lapel_bringup import fourier, rhythms, sound
from lapel_bringup.steps import pace, startup

RATE_HZ = 16000


def tone(hz: float, dbfs: float, n: int = 8192, offset: int = 0) -> list[int]:
    peak = sound.FULL_24 * 10 ** (dbfs / 20)
    return [round(offset + peak * math.sin(2 * math.pi * hz * i / RATE_HZ)) for i in range(n)]


def noise(rms: float, n: int = 8192, seed: int = 1, offset: int = 0) -> list[int]:
    chance = random.Random(seed)
    return [round(chance.gauss(offset, rms)) for _ in range(n)]


def test_the_transform_is_that_of_its_definition() -> None:
    values = [complex(random.Random(3).random(), i % 5) for i in range(16)]
    slow = [sum(v * _turn(k * i, 16) for i, v in enumerate(values)) for k in range(16)]
    for a, b in zip(fourier.transform(values), slow, strict=True):
        assert abs(a - b) < 1e-9


def _turn(i: int, n: int) -> complex:
    angle = -2 * math.pi * i / n
    return complex(math.cos(angle), math.sin(angle))


def test_a_transform_takes_powers_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        fourier.transform([1.0] * 12)


def test_the_power_over_all_bins_is_that_of_the_sound() -> None:
    piece = noise(1000)
    whole = sum(x * x for x in piece) / len(piece)
    assert sum(fourier.power([list(map(float, piece))])) == pytest.approx(whole, rel=0.05)


def test_a_weighting_is_that_of_the_standard() -> None:
    # IEC 61672-1, table 3
    for hz, wanted_db in ((31.5, -39.4), (100, -19.1), (1000, 0.0), (4000, 1.0), (8000, -1.1)):
        assert fourier.db(fourier.a_weight(hz)) == pytest.approx(wanted_db, abs=0.15)


def test_a_full_sine_is_0_dbfs_and_120_db_spl() -> None:
    found = sound.levels(tone(1000, 0.0))
    assert found.dbfs == pytest.approx(0.0, abs=0.05)
    assert found.spl_db == pytest.approx(120.0, abs=0.05)


def test_the_offset_is_no_level() -> None:
    found = sound.levels(tone(500, -40, offset=41_000))
    assert found.mean == pytest.approx(41_000, abs=2000)
    assert found.dbfs == pytest.approx(-40, abs=0.3)


def test_what_is_at_the_end_of_the_scale_is_clipped() -> None:
    assert sound.levels([sound.FULL_24, -sound.FULL_24 - 1, 0, 5]).clipped == 2
    assert sound.levels(tone(500, -1)).clipped == 0


def test_words_are_24_bits_from_the_left() -> None:
    words = struct.pack("<3i", 41_000 << 8, -1 << 8, -5 << 8 | 0x7F)
    assert sound.samples_24(words) == [41_000, -1, -5]


@pytest.mark.parametrize(
    ("hz", "name"),
    [
        (50.0, "mains hum, 50 Hz"),
        (120.0, "mains hum, 60 Hz x 2"),
        (300.0, "mains hum, 50 Hz x 6 or 60 Hz x 5"),
        (62.5 * 3, "62.5 Hz x 3: the pin's own work at every DMA block"),
        (4000.0, "the sample clock, rate / 4"),
        (3000.0, "1 kHz x 3: USB frames, or the clock of a switching regulator that skips"),
        (1234.0, ""),
    ],
)
def test_a_line_is_found_and_named(hz: float, name: str) -> None:
    pieces = [[a + b for a, b in zip(noise(300, seed=i), tone(hz, -95), strict=True)] for i in range(4)]
    lines = sound.spectrum(pieces, RATE_HZ).lines
    assert [line.name for line in lines] == [name]
    assert lines[0].hz == pytest.approx(hz, abs=1.0)


def test_noise_alone_has_no_lines() -> None:
    assert sound.spectrum([noise(300, seed=i) for i in range(4)], RATE_HZ).lines == []


def test_start_up_ends_where_offset_and_noise_are_the_usual() -> None:
    means = [0.0] * 40 + [2e6 * (1 - i / 24) ** 4 for i in range(24)] + [0.0] * 100
    loudness = [0.0] * 40 + [5000.0] * 24 + [300.0] * 100
    at = startup.settled_at([m + 41_000 if i >= 40 else 0 for i, m in enumerate(means)], loudness)
    assert at == 64
    assert startup.settled_at([float(i * 1000) for i in range(100)], [300.0] * 100) is None


def test_drift_is_seen_through_what_is_late_by_chance() -> None:
    chance = random.Random(5)
    at_us = [i * 250_000.0 for i in range(120)]
    late_us = [t * 40e-6 + (chance.random() * 3000 if chance.random() < 0.7 else 0) for t in at_us]
    grown_us, in_us = pace.growth(at_us, late_us)
    assert grown_us / in_us * 1e6 == pytest.approx(40, abs=2)


def played(pulses: list[list[int]], loud: float, ringing: bool = False) -> bytes:
    """A recording of 16 bits as ADPCM: silence for 400 ms, then the pulses of a motor at 200 Hz."""
    chance = random.Random(2)
    level = 0.0
    samples = []
    for i in range(2 * RATE_HZ):
        ms = i / 16 - 400
        on = any(start <= ms < start + length for start, length in pulses) or (ringing and 0 <= ms < 1200)
        level += ((1.0 if on else 0.0) - level) * 0.01
        samples.append(round(chance.gauss(0, 3) + loud * level * math.sin(2 * math.pi * 200 * i / RATE_HZ)))
    encoder = adpcm.Encoder()
    out = bytearray(RATE_HZ)
    encoder.encode(bytearray(struct.pack(f"<{len(samples)}h", *samples)), len(samples), out, 0xFFFFFF)
    return bytes(out)


def test_a_rhythm_is_heard_with_its_pauses_and_its_tone() -> None:
    pulses = [[0, 90], [170, 90], [340, 280]]
    heard = rhythms.heard(played(pulses, 800), 400 * 16, pulses, "s s l", RATE_HZ)
    assert heard["over_quiet_db"] > 20
    assert heard["contrast_db"] > 10
    assert heard["heard_hz"] == pytest.approx(200, abs=5)


def test_a_motor_that_does_not_move_is_not_heard() -> None:
    pulses = [[0, 90], [170, 280]]
    heard = rhythms.heard(played(pulses, 0), 400 * 16, pulses, "s l", RATE_HZ)
    assert heard["over_quiet_db"] < 6
    assert heard["heard_hz"] is None


def test_a_motor_that_runs_on_has_no_contrast() -> None:
    pulses = [[0, 90], [170, 90], [340, 280]]
    heard = rhythms.heard(played(pulses, 800, ringing=True), 400 * 16, pulses, "s s l", RATE_HZ)
    assert heard["over_quiet_db"] > 20
    assert heard["contrast_db"] < 3


def test_a_recording_needs_its_silence() -> None:
    with pytest.raises(ValueError, match="'s' has no silence"):
        rhythms.heard(b"\0" * 8000, 100, [[0, 90]], "s", RATE_HZ)
