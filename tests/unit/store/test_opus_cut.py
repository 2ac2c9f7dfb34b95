"""A clip of Opus that a power cut ended: its whole packets and how long they sound."""

import random

from clips import META, make, read
from flash import Flash

from lapel_audio.frames import packets

OPUS = dict(META, codec="opus")
MICROPYTHON_HEAP = "4m"


def test_a_power_cut_leaves_whole_packets_and_their_time():
    random.seed(4)
    data = b"".join(bytes([size]) + bytes([0xB8] * size) for size in [random.randrange(3, 121) for _ in range(400)])
    with Flash() as flash:
        store = make(flash)
        writer = store.begin(dict(OPUS))
        for at in range(0, len(data), 512):
            writer.write(data[at : at + 512])
        synced, number = writer.synced, writer.number
        assert 12_000 < synced < len(data)
        # nobody ends it: what was synced is there after the next mount
        again = make(flash)
        assert again.waiting() == [number]
        got, cut, size, ms = read(again, number)
        assert got == data[:size] and cut and size >= synced
        assert ms == 20 * len(packets(got, 999))


def test_one_that_nobody_ends_is_as_long_as_is_usual():
    with Flash() as flash:
        store = make(flash)
        writer = store.begin(dict(OPUS))
        writer.write(bytes(6100))
        writer.give_up()
        _, cut, size, ms = read(store, writer.number)
        assert (cut, size, ms) == (True, 6100, 2000)
