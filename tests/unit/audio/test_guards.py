# The machine code between guard bytes: of any length, at any place that the device's words may have, in any ring.
import random
import struct
from array import array

from guarded import Guarded

from lapel_audio import adpcm, convert, kernels

LENGTHS = (0, 1, 2, 3, 5, 31, 64, 255, 256)
WORDS = (-(1 << 31), (1 << 31) - 1, 0, -1, 255, 1 << 30)


def guarded_state(words):
    """A state of 32-bit words between others, and whether those are as they were."""
    whole = array("i", [77] * (len(words) + 8))
    for at, word in enumerate(words):
        whole[4 + at] = word
    return memoryview(whole)[4 : 4 + len(words)], lambda: list(whole[:4]) == list(whole[-4:]) == [77] * 4


def any_words(count):
    return [random.choice(WORDS) if random.getrandbits(1) else random.getrandbits(31) for _ in range(count)]


def test_conversion_writes_its_own_words_and_no_others():
    for samples in LENGTHS:
        for offset in (0, 4, 8, 12):
            for more in (0, 4, 12):
                content = struct.pack("<%di" % samples, *any_words(samples)) + bytes(more)
                plain, fast = convert.Converter(), kernels.Converter()
                fast.state, state_is_whole = guarded_state(list(plain.state))
                wanted, block = bytearray(content), Guarded(content, offset)
                plain.convert(wanted, samples)
                fast.convert(block.view, samples)
                assert bytes(block.view) == wanted and block.is_whole() and state_is_whole()
                assert list(fast.state) == list(plain.state)


def test_encoding_writes_into_its_ring_and_nowhere_else():
    for samples in LENGTHS:
        for bits in (0, 1, 4, 9):
            for offset in (0, 1, 2, 3):
                # Before the end of the ring, and where the count is near its greatest.
                for count in (0, (1 << bits) - 1, (1 << 29) - 3):
                    encode_between_guards(samples, (1 << bits) - 1, offset, count)


def encode_between_guards(samples, mask, offset, count):
    content = struct.pack("<%dh" % samples, *[random.getrandbits(16) - 32768 for _ in range(samples)])
    begin = [random.getrandbits(16), random.randrange(len(adpcm.STEPS)), random.choice((0, adpcm.PENDING | 9)), count]
    plain, fast = adpcm.Encoder(), kernels.Encoder()
    for at, word in enumerate(begin):
        plain.state[at] = word
    fast.state, state_is_whole = guarded_state(begin)
    pcm, ring = Guarded(content, offset & 2), Guarded(bytes(mask + 1), offset)
    wanted = bytearray(mask + 1)
    assert plain.encode(bytearray(content), samples, wanted, mask) == fast.encode(pcm.view, samples, ring.view, mask)
    assert bytes(ring.view) == wanted and ring.is_whole()
    assert bytes(pcm.view) == content and pcm.is_whole() and state_is_whole()
    assert list(fast.state) == list(plain.state)


def test_in_place_nothing_behind_the_samples_changes():
    for samples in LENGTHS:
        block, plain = Guarded(struct.pack("<%di" % samples, *any_words(samples)), 4), bytearray(4 * samples)
        plain[:] = block.view
        for converter, encoder, buffer in (
            (convert.Converter(), adpcm.Encoder(), plain),
            (kernels.Converter(), kernels.Encoder(), block.view),
        ):
            converter.convert(buffer, samples)
            # A wide mask: the stream goes over the samples that it was made of.
            encoder.encode(buffer, samples, buffer, 0xFFFF)
        assert bytes(block.view) == plain and block.is_whole()


def test_a_write_outside_is_seen():
    for at in (-1, 16):
        buffer = Guarded(bytes(16), 1)
        assert buffer.is_whole()
        buffer._all[buffer._from + at] ^= 1
        assert not buffer.is_whole()
