import random
import struct

from lapel_audio import convert, stream


def run(words, shift=stream.UNITY_SHIFT, converter=None):
    converter = converter or convert.Converter(shift)
    block = bytearray(struct.pack("<%di" % len(words), *words))
    converter.convert(block, len(words))
    return list(struct.unpack_from("<%dh" % len(words), block))


def left(sample):
    """A 24-bit sample as the microphone gives it."""
    return sample << 8


def test_a_constant_offset_goes_away():
    samples = run([left(300_000)] * 2000)
    assert samples[0] == 300_000 >> 8
    assert max(samples[-500:]) <= 1 and min(samples[-500:]) >= -1


def test_speech_keeps_its_level():
    # 1 kHz at 16 kHz, a tenth of full scale, on an offset that has been followed for a while.
    wave = (0, 32_104, 59_321, 77_505, 83_886, 77_505, 59_321, 32_104)
    cycle = list(wave) + [-s for s in wave]
    converter = convert.Converter()
    run([left(50_000)] * 3000, converter=converter)
    samples = run([left(50_000 + s) for s in cycle * 20], converter=converter)
    assert 83_886 * 0.97 / 256 < max(samples[160:]) < 83_886 * 1.03 / 256
    assert -83_886 * 1.03 / 256 < min(samples[160:]) < -83_886 * 0.97 / 256


def test_clamps_instead_of_wrapping():
    converter = convert.Converter()
    run([-(1 << 31)] * 2000, converter=converter)
    # From one rail to the other is twice the range.
    assert run([(1 << 31) - 1], converter=converter) == [32767]
    converter = convert.Converter()
    run([(1 << 31) - 1] * 2000, converter=converter)
    assert run([-(1 << 31)], converter=converter) == [-32768]


def test_gain_is_six_decibels_a_bit():
    quiet = [left(s) for s in (0, 1000, -1000, 2000, -2000)]
    for bits in range(5):
        plain = run(quiet, 8 - bits)
        assert plain[1] == 1000 >> 8 - bits
    assert run([left(2_000_000), left(-2_000_000)], 4) == [32767, -32768]


def test_any_split_gives_the_same_samples():
    words = [random.getrandbits(16) * 65536 + random.getrandbits(16) - (1 << 31) for _ in range(97)]
    whole = run(words)
    for border in range(98):
        converter = convert.Converter()
        assert run(words[:border], converter=converter) + run(words[border:], converter=converter) == whole


def test_no_stored_word_is_ever_negative():
    for words in ([-(1 << 31)] * 5000, [(1 << 31) - 1] * 5000):
        converter = convert.Converter()
        run(words, converter=converter)
        assert all(0 <= word < 1 << 31 for word in converter.state)


def test_only_the_words_named_are_touched():
    block = bytearray(b"\x11\x22\x33\x44" * 4)
    convert.Converter().convert(block, 2)
    assert bytes(block[4:]) == b"\x11\x22\x33\x44" * 3
    block = bytearray(b"abc")
    convert.Converter().convert(block, 0)
    assert bytes(block) == b"abc"
