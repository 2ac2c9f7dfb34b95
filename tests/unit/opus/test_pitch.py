import math
import random
from array import array

from lapel_audio.opus import pitch, waves
from lapel_audio.opus.mdct import ZERO, Transform
from lapel_audio.opus.voice import Voice

random.seed(5)


def heard(values):
    made = array("i", bytes(4 * 680))
    for at, value in enumerate(values):
        made[at] = ZERO + round(value)
    return made


def voiced(period, peak=60000):
    """680 samples of harmonics of a period in samples, with a little noise."""
    values = []
    for n in range(680):
        turn = 2 * math.pi * n / period
        value = sum(math.cos(k * turn + k * k) for k in range(1, min(12, int(period / 4)))) / 5
        values.append(peak * value + random.uniform(-peak / 100, peak / 100))
    return values


def found(values):
    """(period in samples, strength 0 to 32)"""
    words = heard(values)
    bits = len(bin(max(abs(round(value)) for value in values))) - 2
    thin = array("i", bytes(4 * pitch.THIN_WORDS))
    scores = array("i", bytes(4 * pitch.SCORE_WORDS))
    pitch.thin(0, 0, words, thin, bits + 5)
    # each has its neighbour above it, and both are small: so sums of their products are
    for at in range(pitch.THIN_WORDS):
        assert 0 <= thin[at] & 0xFFFF <= 22
        assert thin[at] >> 16 == (thin[at + 1] & 0xFFFF if at + 1 < pitch.THIN_WORDS else 0)
    lag = pitch.search(0, 0, thin, scores)
    if lag == 0:
        return 0, 0
    result = pitch.refine(0, 0, words, scores, lag, max(0, bits - 10))
    return (result >> 6) / 3, result & 63


def test_a_period_is_found_to_half_a_sample():
    for period in (45, 62.3, 77.67, 100, 133.3, 181.5, 250):
        for peak in (2_000_000, 60_000, 900):
            length, strength = found(voiced(period, peak))
            # of a short one a multiple may be nearer to fives of samples, and does as well
            times = round(length / period)
            assert times == 1 or (period < 80 and times < 4), (period, peak, length)
            assert abs(length - times * period) < 0.6, (period, peak, length)
            assert strength >= 26


def test_noise_and_silence_have_none():
    assert found([0] * 679 + [1]) == (0, 0)
    strengths = [found([random.uniform(-9000, 9000) for _ in range(680)])[1] for _ in range(20)]
    assert sorted(strengths)[15] < 20


def test_what_goes_and_what_comes_meet():
    """A pitch that stays is taken out as if nothing had changed between the frames."""
    values = voiced(80)
    words = heard(values)
    signal = array("i", words[320:680])
    for out in (1, 0):
        pitch.comb(0, 0, words, signal, waves.WINDOW, pitch.TAPS, 240, 6, 2, out)
    gain = 6 * 3 / 32
    for n in range(40):
        now = 360 + n
        taps = ((-2, -219), (-1, 1950), (0, 12861), (1, 1950), (2, -219))
        past = sum(values[now - 80 + at] * tap for at, tap in taps) / 16384
        assert abs(signal[40 + n] - ZERO - (values[now] - gain * past)) < 30, n
    # where the filter is at its full strength, a steady voice is a third as loud
    assert sum(abs(word - ZERO) for word in signal[80:]) < 0.55 * sum(abs(value) for value in values[400:])
    assert list(signal[:40]) == list(words[320:360])


def test_size_counts_bits():
    signal = array("i", [ZERO] * 360)
    assert pitch.size(0, 0, signal) == 0
    for value, bits in ((1, 1), (-1, 0), (-2, 1), (255, 8), (256, 9), (-257, 9)):
        signal[359] = ZERO + value
        assert pitch.size(0, 0, signal) == bits


def test_a_steady_voice_keeps_its_gain_and_silence_ends_it():
    transform, voice = Transform(), Voice()
    gains = []
    for frame in range(6):
        pcm = bytearray()
        for n in range(320 * frame, 320 * frame + 320):
            turn = 2 * math.pi * n / 100
            sample = round(sum(math.cos(k * turn + k) for k in range(1, 10)) * 1500)
            pcm += bytes((sample & 255, sample >> 8 & 255))
        transform.take(pcm)
        voice.take_out(transform, 60)
        gains.append(voice.gain)
    assert gains[-1] >= 6 and gains[-1] == gains[-2] and abs(voice.period - 300) <= 1
    transform.take(bytearray(640))
    voice.take_out(transform, 60)
    assert voice.gain == 0
