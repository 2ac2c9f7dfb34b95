"""Clips: written in small blocks, read by offset, kept in order, removed when accepted."""

import binascii
import hashlib

from flash import Flash, Random, Trace, exists

from lapel.core import clip_layout
from lapel.services import clip_header
from lapel.services.store import Store, StoreError

MICROPYTHON_HEAP = "4m"

META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 12345, "t": None, "re": None}


def make(flash, seed=1, statvfs=None):
    store = Store(flash.root, Random(seed), Trace(), statvfs or plenty)
    store.mount()
    return store


def plenty(_):
    return (4096, 4096, 1000, 900, 900)


def speech(length, seed=7):
    block = Random(seed)(997)
    return (block * (length // 997 + 1))[:length]


def record(store, data, block=128, cut=False):
    writer = store.begin(META)
    view = memoryview(data)
    for at in range(0, len(data), block):
        writer.write(view[at : at + block])
    size, sha = writer.finish(len(data) // 8, cut)
    assert size == len(data) and sha == sha_of(data)
    return writer.number


def sha_of(data):
    return binascii.hexlify(hashlib.sha256(data).digest()).decode()


def read(reader, step=233):
    out, buffer = b"", bytearray(step)
    while True:
        got = reader.read_at(len(out), buffer)
        if not got:
            return out
        out += bytes(buffer[:got])


def fails(function, *arguments):
    try:
        function(*arguments)
    except StoreError as error:
        return str(error)
    return None


def test_what_was_written_is_read_back_whole_also_after_a_reset():
    with Flash() as flash:
        store = make(flash)
        # One byte, less than a page, exactly one page, one more, several pages.
        lengths = (1, 100, 128, 3000, 4092, 4096, 8192, 20_000, 40_960)
        for length in lengths:
            record(store, speech(length))
        store.close()
        flash.remount()
        store = make(flash)
        assert store.waiting() == list(range(1, len(lengths) + 1))
        for number, length in enumerate(lengths):
            reader = store.open(number + 1)
            assert reader.complete and not reader.cut
            assert (reader.size, reader.ms, reader.sha) == (length, length // 8, sha_of(speech(length)))
            assert read(reader) == speech(length)
            assert reader.meta["n"] == number + 1 and reader.meta["ep"] == store.epoch
            assert reader.meta["ms"] == 12345
            reader.close()


def test_pieces_of_any_length_make_the_same_clip():
    data = speech(9_999)
    with Flash() as flash:
        store = make(flash)
        for block in (1, 7, 127, 129, 512, 4096, 10_000):
            reader = store.open(record(store, data, block))
            assert read(reader) == data
            reader.close()


def test_a_clip_that_ends_exactly_at_a_page_is_whole():
    with Flash() as flash:
        store = make(flash)
        for page in (1, 2, 3, 4):
            for off in (-1, 0, 1):
                header = clip_header.pack(dict(META, ep=store.epoch, n=store.highest + 1))
                length = clip_layout.stream_start(page) - len(header) + off
                number = record(store, speech(length))
                reader = store.open(number)
                assert reader.header_bytes == len(header)
                assert reader.complete and read(reader) == speech(length), (page, off)
                reader.close()
                store.remove(number)


def test_synced_data_grows_for_a_reader_while_the_clip_is_recorded():
    data = speech(30_000)
    with Flash() as flash:
        store = make(flash)
        writer = store.begin(META)
        reader = store.open(writer.number)
        assert reader.size == 0 and not reader.complete
        buffer = bytearray(200)
        assert reader.read_at(0, buffer) == 0
        seen = []
        for at in range(0, len(data), 128):
            writer.write(data[at : at + 128])
            if writer.synced not in seen:
                seen.append(writer.synced)
            reader.refresh()
            assert reader.size == writer.synced
        # Nothing, then a sync of each whole page.
        assert len(seen) == 8 and seen[0] == 0
        assert all(3900 < seen[i + 1] - seen[i] < 4100 for i in range(7))
        assert read(reader) == data[: writer.synced]
        assert reader.crc(20_000) == binascii.crc32(data[:20_000])
        assert "not 29999" in fails(reader.crc, 29_999)
        writer.finish(3750)
        assert reader.read_at(29_900, buffer) == 100
        assert reader.complete and reader.size == 30_000 and reader.sha == sha_of(data)
        assert read(reader) == data
        assert reader.crc(30_000) == binascii.crc32(data)
        assert reader.crc(30_000, 12_345, reader.crc(12_345)) == binascii.crc32(data)
        reader.close()
        assert "closed" in fails(reader.read_at, 0, buffer)


def test_a_tap_leaves_nothing():
    with Flash() as flash:
        store = make(flash)
        free = store.free_bytes
        writer = store.begin(META)
        writer.write(speech(9000))
        writer.abort()
        writer.abort()
        assert store.waiting() == [] and store.free_bytes == free
        assert not exists(flash.root + "/clips/%08d" % writer.number)
        assert "closed" in fails(writer.write, b"x")
        assert "closed" in fails(writer.finish, 1)
        # Its number is gone for good.
        assert record(store, b"abc") == writer.number + 1


def test_a_clip_that_nobody_ended_is_cut_when_the_next_begins_or_the_store_closes():
    with Flash() as flash:
        store = make(flash)
        lost = store.begin(META)
        lost.write(speech(9000))
        empty = store.begin(META)
        assert not lost.open and empty.number == lost.number + 1
        last = store.begin(META)
        last.write(speech(700))
        store.close()
        assert "closed" in fails(last.write, b"x") and "closed" in fails(lost.finish, 1)
        for mounted in (store, make(flash)):
            assert mounted.waiting() == [lost.number, last.number]
            for number, length in ((lost.number, 9000), (last.number, 700)):
                reader = mounted.open(number)
                assert reader.cut and reader.ms == length // 8 and read(reader) == speech(length)
                reader.close()


def test_only_what_is_there_can_be_opened_or_removed():
    with Flash() as flash:
        store = make(flash)
        number = record(store, speech(5000))
        assert "no clip 99" in fails(store.open, 99)
        assert not store.remove(99)
        reader = store.open(number)
        assert store.remove(number)
        assert "closed" in fails(reader.read_at, 4990, bytearray(200))
        assert store.waiting() == [] and not store.remove(number)
        flash.remount()
        assert make(flash).waiting() == []


def test_readers_are_bounded_and_close_is_final():
    with Flash() as flash:
        store = make(flash)
        number = record(store, speech(300))
        readers = [store.open(number) for _ in range(4)]
        assert "open already" in fails(store.open, number)
        readers[0].close()
        readers[0].close()
        assert read(store.open(number)) == speech(300)
        store.close()
        assert "closed" in fails(readers[1].read_at, 0, bytearray(400))


def test_a_clip_may_be_marked_as_incomplete_by_who_recorded_it():
    with Flash() as flash:
        store = make(flash)
        reader = store.open(record(store, speech(400), cut=True))
        assert reader.complete and reader.cut
        reader.close()


def test_a_description_that_the_wire_would_not_carry_is_refused_before_anything_is_made():
    with Flash() as flash:
        store = make(flash)
        try:
            store.begin(dict(META, codec="x" * 500))
        except ValueError as error:
            assert "codec" in str(error)
        else:
            raise AssertionError("taken")
        assert record(store, b"after") in store.waiting()


def test_the_audio_path_allocates_nothing_between_pages():
    import gc

    with Flash() as flash:
        store = make(flash)
        writer = store.begin(META)
        block = memoryview(speech(128))
        calm, pieces = 0, 0
        for i in range(60):
            before = gc.mem_alloc()
            writer.write(block)
            grown = gc.mem_alloc() - before
            if (i + 1) % 4:
                assert grown == 0, i
                calm += 1
            else:
                # The flash of this test is Python, and allocates.
                pieces += 1
        assert calm == 45 and pieces == 15
        writer.abort()


ONLY_MICROPYTHON = ("test_the_audio_path_allocates_nothing_between_pages",)
