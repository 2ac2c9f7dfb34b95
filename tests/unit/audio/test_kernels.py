# The machine code against the plain Python, bit by bit.
# On CPython the same text runs under pointers that check borders.
import gc
import random
import struct

from lapel_audio import adpcm, convert, kernels

ONLY_MICROPYTHON = ("test_a_block_allocates_nothing",)
RAILS = (-(1 << 31), (1 << 31) - 1, 0, -1, 255, 256, -256, 1 << 30)
SHORT_RAILS = (-32768, 32767, 0, -1, 1)


def any_word():
    return random.getrandbits(16) * 65536 + random.getrandbits(16) - (1 << 31)


def near(last):
    return max(-(1 << 31), min((1 << 31) - 1, last + random.randrange(-(1 << 24), 1 << 24)))


def inputs(count):
    """Words of every temper: any, rails, a wandering line, near silence on an offset."""
    wander = [0]
    for _ in range(count - 1):
        wander.append(near(wander[-1]))
    yield [any_word() for _ in range(count)]
    yield [random.choice(RAILS) for _ in range(count)]
    yield wander
    yield [(90_000 + random.randrange(-40, 40)) * 256 for _ in range(count)]


def blocks(count):
    """Random borders between 0 and count."""
    at = 0
    while at < count:
        size = random.choice((1, 2, 3, 30, 64, 255, 256))
        yield at, min(count, at + size)
        at += size


def test_conversion_is_bit_identical():
    for shift in (8, 7, 4, 2):
        for words in inputs(700):
            plain, fast = convert.Converter(shift), kernels.Converter(shift)
            for start, end in blocks(len(words)):
                first = bytearray(struct.pack("<%di" % (end - start), *words[start:end]))
                second = bytearray(first)
                plain.convert(first, end - start)
                fast.convert(second, end - start)
                assert first == second
                assert plain.state == fast.state


def test_encoding_is_bit_identical():
    for kind in range(3):
        samples, level = [], 0
        for _ in range(1500):
            level = max(-32768, min(32767, level + random.randrange(-2500, 2501)))
            samples.append((level, random.choice(SHORT_RAILS), random.randrange(-32768, 32768))[kind])
        plain, fast = adpcm.Encoder(), kernels.Encoder()
        first, second = bytearray(256), bytearray(256)
        for start, end in blocks(len(samples)):
            pcm = bytearray(struct.pack("<%dh" % (end - start), *samples[start:end]))
            assert plain.encode(pcm, end - start, first, 255) == fast.encode(pcm, end - start, second, 255)
            assert first == second
            assert plain.state == fast.state


def test_every_step_and_difference():
    # Each index of the table with differences around each of its borders.
    fast, plain = kernels.Encoder(), adpcm.Encoder()
    first, second = bytearray(4), bytearray(4)
    for index, step in enumerate(adpcm.STEPS):
        for predictor in (0, 1, 32768, 65535):
            for part in (0, step >> 3, step >> 2, step >> 1, step, step + (step >> 1), 2 * step):
                for sign in (-1, 1):
                    sample = predictor - 32768 + sign * (part + random.randrange(-1, 2))
                    sample = max(-32768, min(32767, sample))
                    pcm = bytearray(struct.pack("<h", sample))
                    for encoder, out in ((plain, first), (fast, second)):
                        encoder.state[0], encoder.state[1] = predictor, index
                        encoder.state[2] = encoder.state[3] = 0
                        encoder.encode(pcm, 1, out, 3)
                    assert plain.state == fast.state


def test_the_way_of_the_recorder_in_place():
    words = [any_word() >> 3 for _ in range(256)]
    first = bytearray(struct.pack("<256i", *words))
    second = bytearray(first)
    outs = []
    for block, converter, encoder in (
        (first, convert.Converter(), adpcm.Encoder()),
        (second, kernels.Converter(), kernels.Encoder()),
    ):
        converter.convert(block, 256)
        out = bytearray(128)
        assert encoder.encode(block, 256, out, 127) == 128
        outs.append(out)
    assert outs[0] == outs[1]


def test_nothing_to_do():
    converter, encoder = kernels.Converter(), kernels.Encoder()
    before = list(converter.state), list(encoder.state)
    converter.convert(bytearray(4), 0)
    assert encoder.encode(bytearray(4), 0, bytearray(4), 3) == 0
    assert (list(converter.state), list(encoder.state)) == before


def test_a_block_allocates_nothing():
    converter, encoder = kernels.Converter(), kernels.Encoder()
    block, out = bytearray(1024), bytearray(128)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(50):
        converter.convert(block, 256)
        encoder.encode(block, 256, out, 127)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before
