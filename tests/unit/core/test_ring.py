import random

from lapel.core.preroll import BLOCK_SAMPLES, Preroll
from lapel.core.ring import ByteRing


def stream(n):
    return bytes(i * 7 + i // 251 & 255 for i in range(n))


def test_reads_back_by_offset_and_forgets_the_oldest():
    data = stream(5000)
    ring = ByteRing(256, 64)
    at = 0
    while at < len(data):
        n = random.choice((1, 3, 64, 100, 255, 256, 300, 700))
        ring.write(data[at : at + n])
        at = min(len(data), at + n)
        assert ring.end == at and ring.start == max(0, at - 255)
        buffer = bytearray(random.choice((1, 10, 300)))
        offset = random.randrange(max(0, at - 400), at + 10)
        got = ring.read_into(offset, buffer)
        if offset < ring.start or offset >= at:
            assert got == 0
        else:
            assert got == min(len(buffer), at - offset)
            assert bytes(buffer[:got]) == data[offset : offset + got]


def test_a_writer_in_place():
    ring = ByteRing(128, 64)
    data = stream(1000)
    for k in range(1000):
        ring.memory[k & ring.mask] = data[k]
        # The byte after the end is the writer's scratch.
        ring.memory[k + 1 & ring.mask] = 0xEE
        ring.commit(k + 1)
        buffer = bytearray(128)
        got = ring.read_into(ring.start, buffer)
        assert got == ring.end - ring.start <= 127
        assert bytes(buffer[:got]) == data[ring.start : ring.end]


def test_chunks_are_the_memory_itself():
    ring = ByteRing(256, 64)
    data = stream(640)
    for at in range(0, 640, 64):
        ring.write(data[at : at + 64])
        assert bytes(ring.chunk(at)) == data[at : at + 64]
    assert ring.chunk(0) is ring.chunk(256)


def test_reset_starts_at_zero():
    ring = ByteRing(64, 64)
    ring.write(stream(100))
    ring.reset()
    assert (ring.start, ring.end) == (0, 0)
    assert ring.read_into(0, bytearray(4)) == 0
    ring.write(b"ab")
    buffer = bytearray(4)
    assert ring.read_into(0, buffer) == 2 and bytes(buffer) == b"ab\0\0"


def test_an_odd_capacity_is_refused():
    for capacity, chunk in ((100, 4), (64, 48)):
        try:
            ByteRing(capacity, chunk)
        except ValueError as error:
            assert str(capacity) in str(error)
        else:
            raise AssertionError("taken: %d" % capacity)


class Kept:
    def __init__(self):
        self.samples = []
        self.first = None
        self.next = None

    def __call__(self, pcm, position, samples):
        if self.first is None:
            self.first = position
        assert self.next is None or position == self.next
        self.next = position + samples
        self.samples += [pcm[2 * i] | pcm[2 * i + 1] << 8 for i in range(samples)]


def fill(preroll, sizes, value=0):
    block = bytearray(2 * BLOCK_SAMPLES)
    for size in sizes:
        for i in range(size):
            block[2 * i], block[2 * i + 1] = value & 255, value >> 8
            value += 1
        preroll.add(memoryview(block), size)
    return value


def test_preroll_keeps_the_last_of_it_in_order():
    preroll = Preroll(1000)
    end = fill(preroll, [256] * 9 + [17, 256, 255])
    kept = Kept()
    preroll.drain(end, kept)
    assert kept.next == end and len(kept.samples) >= 1000 - 256
    assert kept.samples == list(range(kept.first, end))
    again = Kept()
    preroll.drain(end, again)
    assert again.samples == []


def test_preroll_of_whole_blocks_is_long_enough():
    preroll = Preroll(3200)
    end = fill(preroll, [256] * 40)
    kept = Kept()
    preroll.drain(end, kept)
    assert len(kept.samples) >= 3200
    assert kept.samples == list(range(end - len(kept.samples), end))


def test_preroll_that_has_only_begun():
    preroll = Preroll(3200)
    kept = Kept()
    preroll.drain(256 + 100, kept)
    assert kept.samples == []
    fill(preroll, [256, 100])
    preroll.drain(356, kept)
    assert kept.first == 0 and len(kept.samples) == 356
