# What the range encoder writes, a decoder reads that is written here for it alone, in plain Python's long numbers.
import gc
import random

from opus_reader import Reader

from lapel_audio.opus import range_coder, tables

ONLY_MICROPYTHON = ("test_a_frame_allocates_nothing",)


class Frame:
    def __init__(self, size):
        self.size = size
        self.coder = range_coder.new()
        self.queue = range_coder.array("i", [0] * 4 * 200)
        self.out = bytearray(b"\xaa" * (size + 2))
        range_coder.start(0, 0, self.coder, 1, size)

    def run(self, symbols, limit=range_coder.NO_LIMIT):
        for number, symbol in enumerate(symbols):
            for word in range(4):
                self.queue[4 * number + word] = symbol[word]
        return range_coder.run(0, 0, self.coder, self.out, self.queue, 0, len(symbols), limit)

    def raw(self, values, widths):
        values, widths = (range_coder.array("i", numbers) for numbers in (values, widths))
        range_coder.raw(0, 0, self.coder, self.out, values, widths, len(values))

    def finish(self):
        failed = range_coder.finish(0, 0, self.coder, self.out)
        assert self.out[0] == 0xAA and self.out[self.size + 1] == 0xAA
        return failed


def any_symbol(shift=None):
    shift = shift or random.randrange(1, 16)
    kind = random.randrange(4)
    first = 0 if kind == 0 else (1 << shift) - 1 if kind == 1 else random.randrange(1 << shift)
    end = first + 1 if kind < 3 else random.randrange(first + 1, (1 << shift) + 1)
    if end - first == 1 << shift:
        end -= 1
    return first, end, shift, 0


def test_symbols_and_raw_bits_come_back():
    for seed in range(60):
        random.seed(seed)
        frame = Frame(300)
        symbols = [any_symbol() for _ in range(random.randrange(150))]
        assert frame.run(symbols) == len(symbols)
        widths = [random.randrange(9) for _ in range(random.randrange(30))]
        values = [random.randrange(1 << width) for width in widths]
        used = range_coder.tell(0, 0, frame.coder)
        frame.raw(values, widths)
        assert range_coder.tell(0, 0, frame.coder) == used + 8 * sum(widths)
        assert frame.finish() == 0
        reader = Reader(frame.out[1:-1])
        for first, end, shift, _ in symbols:
            assert first <= reader.place(1 << shift) < end
            reader.take(first, end, 1 << shift)
        assert reader.range == frame.coder[range_coder.RANGE] & 0xFFFFFFFF
        assert [reader.raw(width) for width in widths] == values


def test_carries_go_back_through_any_number_of_bytes():
    # The middle of the range, again and again, then its upper end: bytes of 0x7F and 0xFF that become the next.
    for count in range(1, 40):
        frame = Frame(60)
        symbols = [(1, 2, 2, 0)] + [(3, 4, 2, 0)] * count + [((1 << 15) - 1, 1 << 15, 15, 0)] * 3
        assert frame.run(symbols) == len(symbols)
        assert frame.finish() == 0
        reader = Reader(frame.out[1:-1])
        for first, end, shift, _ in symbols:
            assert first <= reader.place(1 << shift) < end
            reader.take(first, end, 1 << shift)


def test_it_stops_before_what_there_is_no_room_for():
    for seed in range(40):
        random.seed(seed)
        limit = random.randrange(8, 400)
        symbols = [any_symbol()[:3] + (random.randrange(60),) for _ in range(60)]
        frame = Frame(100)
        done = frame.run(symbols, limit)
        other = Frame(100)
        for number, symbol in enumerate(symbols):
            if range_coder.tell(0, 0, other.coder) + symbol[3] > limit:
                assert number == done
                break
            other.run([symbol])
        else:
            assert done == len(symbols)
        assert other.coder == frame.coder


def test_a_frame_that_is_too_short_says_so_and_keeps_to_itself():
    frame = Frame(3)
    frame.run([(0, 1, 15, 0)] * 5)
    frame.raw([5] * 3, [8] * 3)
    assert frame.finish() == 1


def test_energies_come_back_and_what_cannot_be_said_is_changed():
    random.seed(5)
    for first in (0, 34):
        for wild in (1, 3, 15, 60, 127):
            values = [random.randrange(-wild, wild + 1) for _ in range(17)]
            steps = range_coder.array("i", [128 + value for value in values])
            frame = Frame(100)
            range_coder.laplace(0, 0, frame.queue, 0, 17, steps, tables.LAPLACE, first)
            assert range_coder.run(0, 0, frame.coder, frame.out, frame.queue, 0, 17, 8 * 800) == 17
            assert frame.finish() == 0
            reader = Reader(frame.out[1:-1])
            for band in range(17):
                assert reader.laplace(tables.LAPLACE, first + 2 * band) == steps[band] - 128
                if abs(values[band]) <= 15:
                    assert steps[band] - 128 == values[band]


def test_single_symbols():
    frame = Frame(20)
    for value, rarity in ((0, 15), (1, 3), (0, 1), (1, 1), (1, 15)):
        range_coder.bit(frame.coder, frame.out, frame.queue, value, rarity)
    range_coder.put(frame.coder, frame.out, frame.queue, 9, 11, 5)
    assert frame.finish() == 0
    reader = Reader(frame.out[1:-1])
    assert [reader.bit(rarity) for rarity in (15, 3, 1, 1, 15)] == [0, 1, 0, 1, 1]
    assert 9 <= reader.place(32) < 11


def test_a_frame_allocates_nothing():
    frame = Frame(100)
    symbols = [any_symbol(9) for _ in range(100)]
    frame.run(symbols)
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(3):
        range_coder.start(0, 0, frame.coder, 1, 100)
        range_coder.run(0, 0, frame.coder, frame.out, frame.queue, 0, 60, range_coder.NO_LIMIT)
        range_coder.bit(frame.coder, frame.out, frame.queue, 1, 3)
        range_coder.tell(0, 0, frame.coder)
        range_coder.finish(0, 0, frame.coder, frame.out)
    assert gc.mem_alloc() == before
