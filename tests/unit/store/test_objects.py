"""Ids and free space, over resets and with broken files."""

import os

from flash import Flash, Random, Trace, damage

from lapel.services import store_files
from lapel.services.store import Store, StoreError, StoreFull
from lapel.services.store_ids import BATCH
from lapel.services.store_space import RESERVE_BLOCKS

MICROPYTHON_HEAP = "4m"

COUNTERS = ("/state/counter", "/clips/counter")
A, B, C = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"
META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 1, "t": None, "re": None}


class Disk:
    """A file system that has so many free blocks of 4 kB."""

    def __init__(self, free):
        self.free = free
        self.walks = 0

    def __call__(self, _):
        self.walks += 1
        return (4096, 4096, 10_000, self.free, self.free)


def make(flash, seed=1, disk=None, trace=None):
    store = Store(flash.root, Random(seed), trace or Trace(), disk or Disk(900))
    store.mount()
    return store


def again(flash, seed=2, trace=None):
    flash.remount()
    return make(flash, seed, trace=trace)


def clip(store, length=300):
    writer = store.begin(META)
    writer.write(bytes(length))
    writer.finish(1)
    return writer.number


def raised(kind, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        return str(error)
    raise AssertionError("nothing was raised")


# Ids


def test_ids_are_made_at_the_first_mount_and_kept():
    with Flash() as flash:
        store = make(flash)
        device, epoch = store.device, store.epoch
        assert len(device) == 8 and len(epoch) == 16 and store.highest == 0
        store = again(flash)
        assert (store.device, store.epoch) == (device, epoch)


def test_no_number_comes_twice_over_resets():
    with Flash() as flash:
        given = []
        for boot in range(4):
            store = again(flash, boot + 2)
            for _ in range(BATCH // 2 + boot):
                number = clip(store)
                given.append(number)
                store.remove(number)
            assert store.highest == given[-1]
        assert len(set(given)) == len(given) and given == sorted(given)


def test_a_lost_counter_begins_an_epoch_after_the_waiting_clips():
    for fault in ("gone", "broken"):
        with Flash() as flash:
            store = make(flash)
            old = store.epoch
            for _ in range(3):
                clip(store)
            store.remove(1)
            for path in COUNTERS:
                if fault == "gone":
                    os.remove(flash.root + path)
                else:
                    damage(flash.root + path, 10)
            trace = Trace()
            store = again(flash, 5, trace)
            assert store.epoch != old and "epoch" in trace.names()
            assert store.waiting() == [2, 3]
            reader = store.open(2)
            assert reader.meta["ep"] == old
            reader.close()
            new = clip(store)
            assert store.clip_id(3) == "%s-%s-3" % (store.device, old)
            assert store.clip_id(new) == "%s-%s-%d" % (store.device, store.epoch, new)
            assert new > 3 and store.open(new).meta["ep"] == store.epoch


def test_one_counter_that_is_lost_or_old_takes_nothing():
    for fault in ("gone", "broken", "old"):
        for path in COUNTERS:
            with Flash() as flash:
                store = make(flash)
                device, epoch, old = store.device, store.epoch, content_of(flash.root + path)
                given = [clip(store) for _ in range(BATCH + 2)]
                # Nothing on flash shows how many there were.
                for number in given:
                    store.remove(number)
                store.close()
                if fault == "gone":
                    os.remove(flash.root + path)
                elif fault == "broken":
                    damage(flash.root + path, 10)
                else:
                    put_back(flash.root + path, old)
                os.remove(flash.root + "/state/device")
                store = again(flash, 5)
                assert (store.device, store.epoch) == (device, epoch)
                assert clip(store) not in given
                assert content_of(flash.root + COUNTERS[0]) == content_of(flash.root + COUNTERS[1])


def test_counters_that_do_not_agree_on_the_epoch_begin_another():
    with Flash() as flash:
        store = make(flash)
        number, old = clip(store), content_of(flash.root + COUNTERS[0])
        epochs = [store.epoch, store.new_epoch()]
        for seed, path in enumerate(COUNTERS):
            put_back(flash.root + path, old)
            store = again(flash, 6 + seed)
            assert store.epoch not in epochs and clip(store) > number
            epochs.append(store.epoch)


def test_no_clip_begins_before_its_whole_id_is_durable():
    # As the flash of a new pin that fails in its first moment.
    with Flash() as flash:
        trace, failing = Trace(), [True]
        save = store_files.save

        def fails(path, kind, body):
            if failing[0]:
                raise StoreError("no")
            save(path, kind, body)

        store_files.save = fails
        try:
            store = make(flash, trace=trace)
            assert "no" in raised(StoreError, store.begin, META)
            failing[0] = False
            number, identity = clip(store), (store.device, store.epoch)
        finally:
            store_files.save = save
        store = again(flash)
        assert (store.device, store.epoch) == identity and store.waiting() == [number]


def test_a_counter_behind_the_clips_begins_an_epoch():
    with Flash() as flash:
        store = make(flash)
        old = store.epoch
        content = content_of(flash.root + COUNTERS[0])
        for _ in range(BATCH + 2):
            clip(store)
        store.close()
        for path in COUNTERS:
            put_back(flash.root + path, content)
        trace = Trace()
        store = again(flash, 9, trace)
        assert "counter_behind" in trace.names()
        assert store.epoch != old and clip(store) > BATCH + 2


def test_the_link_can_ask_for_a_new_epoch():
    with Flash() as flash:
        store = make(flash)
        old, before = store.epoch, clip(store)
        assert store.new_epoch() == store.epoch != old
        assert clip(store) == before + 1
        epoch = store.epoch
        assert again(flash).epoch == epoch


# Free space


def test_free_space_is_counted_and_not_walked_for():
    disk = Disk(RESERVE_BLOCKS + 130)
    with Flash() as flash:
        store = make(flash, disk=disk)
        assert disk.walks == 1 and store.fits(60_000)
        number = clip(store, 50_000)
        assert store.free_bytes == (RESERVE_BLOCKS + 130 - 13) * 4096
        assert not store.fits(60_000) and store.fits(50_000)
        store.remove(number)
        assert store.fits(60_000) and disk.walks == 1
        disk.free = RESERVE_BLOCKS + 5
        store.reconcile()
        assert disk.walks == 2 and not store.fits(60_000)


def test_a_clip_that_runs_out_of_room_keeps_what_went_in():
    with Flash() as flash:
        store = make(flash, disk=Disk(RESERVE_BLOCKS + 3))
        writer = store.begin(META)
        taken = 0
        block = bytes(range(128))
        try:
            while True:
                writer.write(block)
                taken += 128
        except StoreFull as full:
            assert "flash is full" in str(full)
        size, _ = writer.finish(1234)
        assert taken - 512 <= size <= taken + 128
        store = again(flash)
        reader = store.open(1)
        assert reader.complete and reader.cut and reader.size == size
        buffer = bytearray(size)
        assert reader.read_at(0, buffer) == size and buffer == (block * (size // 128 + 1))[:size]
        assert "no clip can begin" in raised(StoreFull, make(flash, disk=Disk(3)).begin, META)


def test_nothing_slow_is_done_while_recording():
    disk = Disk(900)
    with Flash() as flash:
        store = make(flash, disk=disk)
        writer = store.begin(META)
        store.reconcile()
        assert disk.walks == 1
        writer.finish(1)
        store.reconcile()
        assert disk.walks == 2


def test_ids_are_reserved_ahead_when_idle():
    with Flash() as flash:
        store = make(flash)
        for _ in range(BATCH - 2):
            store.begin(META).abort()
        counter = flash.root + "/state/counter"
        before = content_of(counter)
        store.reconcile()
        assert content_of(counter) != before
        reserved = content_of(counter)
        clip(store), clip(store), clip(store)
        assert content_of(counter) == reserved


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


def put_back(path, content):
    with open(path, "wb") as file:
        file.write(content)


def test_a_store_without_its_folder_says_so():
    store = Store("/nowhere/at/all", Random(1), Trace(), Disk(5))
    assert "/nowhere/at/all/state" in raised(StoreError, store.mount)
