"""A clip from blocks of any size, in a ring: the packets that the encoder makes of its frames."""

import gc
import random
import struct

from lapel_audio import frames
from lapel_audio.opus.encoder import MOST_BYTES, Encoder
from lapel_audio.opus_kernels import ClipEncoder

ONLY_MICROPYTHON = ("test_blocks_allocate_nothing", "test_a_ring_that_is_read_in_time_loses_nothing")

WIDE = (1 << 20) - 1


def sound(samples):
    random.seed(3)
    level, values = 0, []
    for _ in range(samples):
        level = (level * 7 >> 3) + random.randrange(-3000, 3001)
        values.append(max(-32768, min(32767, level)))
    return bytearray(struct.pack("<%dh" % samples, *values))


def packets_of(pcm):
    """Frame by frame, silence behind the last: a decoder is 2.5 ms late."""
    pcm = bytes(pcm) + bytes(80)
    pcm += bytes(-len(pcm) % 640)
    encoder, out, found = Encoder(24, False), bytearray(MOST_BYTES), []
    for at in range(0, len(pcm), 640):
        size = encoder.encode(bytearray(pcm[at : at + 640]), out)
        found.append(bytes(out[:size]))
    return found


def test_blocks_of_any_size_give_the_same_clip():
    pcm = sound(1700)
    view, out, encoder = memoryview(pcm), bytearray(4096), ClipEncoder()
    wanted = packets_of(pcm)
    for steps in ((256,), (1, 319, 320, 321), (7, 640, 1000)):
        encoder.reset()
        at = count = 0
        while at < 1700:
            for step in steps:
                step = min(step, 1700 - at)
                count = encoder.encode(view[2 * at :], step, out, 4095)
                at += step
                # only whole packets are counted
                assert len(frames.packets(out[:count], 99)) == at // 320
        count = encoder.finish(out, 4095)
        assert frames.packets(out[:count], 99) == wanted
        assert count == sum(1 + len(packet) for packet in wanted)
        assert encoder.finish(out, 4095) == count


def test_a_ring_that_is_read_in_time_loses_nothing():
    pcm = sound(16000)
    wanted = b"".join(bytes([len(packet)]) + packet for packet in packets_of(pcm))
    ring, encoder, got, read = bytearray(512), ClipEncoder(), bytearray(), 0
    view = memoryview(pcm)
    for at in range(0, 16000, 256):
        count = encoder.encode(view[2 * at :], min(256, 16000 - at), ring, 511)
        while read < count:
            got.append(ring[read & 511])
            read += 1
    count = encoder.finish(ring, 511)
    while read < count:
        got.append(ring[read & 511])
        read += 1
    assert bytes(got) == wanted


def test_blocks_allocate_nothing():
    pcm, ring, encoder = memoryview(sound(256)), bytearray(8192), ClipEncoder()
    for _ in range(5):
        encoder.encode(pcm, 256, ring, 8191)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(200):
        encoder.encode(pcm, 256, ring, 8191)
    after = gc.mem_alloc()
    gc.enable()
    assert after == before, after - before


def test_a_rate_holds_from_the_next_packet_on():
    pcm, out, encoder = memoryview(sound(320)), bytearray(4096), ClipEncoder()
    sizes, before = [], 0
    for rate in (16, 16, 16, 32, 32, 32):
        encoder.set_rate(rate)
        count = encoder.encode(pcm, 320, out, 4095)
        sizes.append(count - before)
        before = count
    assert sizes == [41, 41, 41, 81, 81, 81]


def test_the_last_of_what_was_said_is_in_the_packets():
    for samples, count in ((0, 0), (1, 1), (280, 1), (281, 2), (320, 2), (600, 2), (601, 3)):
        out, encoder = bytearray(4096), ClipEncoder()
        encoder.encode(memoryview(sound(samples)), samples, out, 4095)
        assert encoder.finish(out, 4095) == 61 * count, samples
        assert encoder.finish(out, 4095) == 61 * count
