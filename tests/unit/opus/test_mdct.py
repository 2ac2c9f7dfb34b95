import math
import random
import struct

from lapel_audio.opus import mdct

random.seed(5)

ZERO = mdct.ZERO


def packed(samples):
    return bytearray(struct.pack("<320h", *samples))


def noise(peak):
    return [random.randrange(-peak, peak + 1) for _ in range(320)]


def directly(heard, size, block):
    """One block by the sum that defines it, over 48 kHz: each sample stands between two zeros, 3 times as loud."""
    rate = 3
    bins = size * rate
    overlap = 120
    start = 20 + block * 40 if size == 40 else 20
    # the block begins where the window does; flat parts of a long window lie between its slopes
    quarter = bins // 2
    first = quarter - overlap // 2
    spectrum = []
    values = []
    for k, sample in enumerate(heard):
        at = first + rate * (k - (start - 20)) + 1
        if not first <= at < first + bins + overlap:
            continue
        rise = at - first
        fall = first + bins + overlap - 1 - at
        edge = min(rise, fall)
        gain = math.sin(math.pi / 2 * math.sin(math.pi / 2 * (edge + 0.5) / overlap) ** 2) if edge < overlap else 1.0
        values.append((at, rate * sample * gain))
    for k in range(size):
        total = 0.0
        for at, value in values:
            total += value * math.cos(math.pi / bins * (at + 0.5 + bins / 2) * (k + 0.5))
        spectrum.append(total / (bins / 2))
    return spectrum


def compared(transform, short):
    """Signal to error of the whole spectrum, in dB."""
    transform.run(short)
    heard = [(word - ZERO) / 64 for word in transform.signal]
    one = (20 if short else 160) * 2.0**transform.exponent
    found = [(word - ZERO) / one for word in transform.spectrum]
    signal = error = 0.0
    for block in range(8 if short else 1):
        wanted = directly(heard, 40 if short else 320, block)
        for k, value in enumerate(wanted):
            signal += value * value
            error += (found[8 * k + block if short else k] - value) ** 2
    return 10 * math.log10(signal / (error + 1e-30))


def test_a_long_spectrum_is_that_of_48_khz():
    for peak in (32767, 900, 3):
        transform = mdct.Transform()
        transform.take(packed(noise(peak)))
        transform.take(packed(noise(peak)))
        assert compared(transform, False) > 66, peak


def test_short_spectra_are_those_of_48_khz():
    for peak in (32767, 60):
        transform = mdct.Transform()
        transform.take(packed(noise(peak)))
        transform.take(packed(noise(peak)))
        assert compared(transform, True) > 66, peak


def test_tones_and_squares_at_full_scale_do_not_overflow():
    for make in (
        lambda n: 32767 if n // 8 & 1 else -32768,
        lambda n: round(32767 * math.cos(math.pi * 61.5 / 320 * n)),
        lambda n: 32767 if n & 1 else -32768,
        lambda n: -32768 if n % 320 == 170 else 0,
    ):
        transform = mdct.Transform()
        transform.take(packed([make(n) for n in range(320)]))
        transform.take(packed([make(n + 320) for n in range(320)]))
        assert compared(transform, False) > 60
        assert max(abs(word - ZERO) for word in transform.spectrum) < 1 << 17


def test_the_emphasis_is_that_of_48_khz():
    transform = mdct.Transform()
    impulse = [0] * 320
    impulse[0] = 32000
    transform.take(packed(impulse))
    answer = [(word - ZERO) / 64 / 32000 for word in transform.signal[40:120]]
    total = worst = 0.0
    for k in range(64):
        turn = math.pi * (k + 0.5) / 64
        real = sum(value * math.cos(turn * n) for n, value in enumerate(answer))
        imaginary = sum(value * math.sin(turn * n) for n, value in enumerate(answer))
        wanted = math.sqrt(1 + 0.85**2 - 1.7 * math.cos(turn / 3))
        error = 20 * math.log10(math.sqrt(real * real + imaginary * imaginary) / wanted)
        total += error * error
        worst = max(worst, abs(error))
    assert worst < 0.35 and math.sqrt(total / 64) < 0.08


def test_any_cut_gives_the_same_signal():
    samples = noise(20000) + noise(20000) + noise(20000)
    first = mdct.Transform()
    second = mdct.Transform()
    for start in (0, 320, 640):
        first.take(packed(samples[start : start + 320]))
    # the filter has forgotten all but the nearest samples
    later = [0] * 60 + samples[60:]
    for start in (0, 320, 640):
        second.take(packed(later[start : start + 320]))
    assert list(first.signal) == list(second.signal)


def test_silence_has_no_bits_and_one_step_has_few():
    transform = mdct.Transform()
    assert transform.take(packed([0] * 320)) == 0
    assert transform.take(packed([1, -2] * 160)) <= 7
    assert transform.take(packed([60] * 320)) > 7
    transform.run(False)
    assert max(abs(word - ZERO) for word in transform.spectrum) < 1 << 17


def test_a_reset_transform_is_a_new_one():
    samples = packed(noise(9000))
    used = mdct.Transform()
    used.take(packed(noise(9000)))
    used.run(True)
    used.reset()
    new = mdct.Transform()
    for transform in (used, new):
        transform.take(samples)
        transform.run(False)
    assert list(used.spectrum) == list(new.spectrum) and used.exponent == new.exponent
