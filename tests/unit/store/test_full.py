"""A flash with hardly a block left, under the real LittleFS: each act says so, and nothing that is there suffers."""

import gc
import os

from clips import read, record, speech
from flash import Flash, Random, Trace

from lapel.services.store import Store, StoreError, StoreFull
from lapel.services.store_notices import UNSEEN_MAX

ONLY_MICROPYTHON = ("test_the_last_blocks", "test_an_end_that_finds_no_block")
MICROPYTHON_HEAP = "16m"

EPOCH = "f0f1f2f3f4f5f6f7"
BLOCKS = 48


def notice(seq, text="x" * 150):
    return {"ep": EPOCH, "s": seq, "k": "done", "d": "d1", "j": None, "x": text}


def make(flash, seed, trace=None):
    # The count in RAM sees room: what happens is up to the file system.
    store = Store(flash.root, Random(seed), trace or Trace(), lambda _: (4096, 4096, 1000, 900, 900))
    store.mount()
    return store


def fill(flash, left):
    """Takes all blocks but `left`: files of one block each."""
    os.mkdir(flash.root + "/ballast")
    count = 0
    try:
        while True:
            with open("%s/ballast/%d" % (flash.root, count), "wb") as file:
                file.write(bytes(4000))
            count += 1
    except OSError as error:
        assert error.errno == 28
    empty(flash, left)


def empty(flash, files):
    for name in os.listdir(flash.root + "/ballast")[:files]:
        os.remove(flash.root + "/ballast/" + name)


def tried(act, *arguments):
    """What it answers; None when it raises that the flash is full, or failing for want of a block."""
    try:
        return act(*arguments)
    except StoreError as error:
        assert isinstance(error, StoreFull), error
        return None


def use(left):
    with Flash(BLOCKS, readsize=128) as flash:
        store = make(flash, 1)
        first = record(store, 9000)
        assert store.put(notice(1)) and store.put(notice(2))
        store.settings.save(3, {"undo_ms": 7000})
        fill(flash, left)
        clips = [tried(record, store, length) for length in (9000, 300)]
        stored = [seq for seq in range(3, 60) if store.put(notice(seq))]
        saved = [number for number in (4, 5) if tried(store.settings.save, number, {"undo_ms": 8000}) is None]
        cancel = tried(store.add_cancel, EPOCH, 1)
        seen = store.mark_seen(EPOCH, [1])
        tried(store.reconcile)
        store.close()
        del saved
        settings = store.settings_id
        flash.remount()
        trace = Trace()
        store = make(flash, 2, trace)
        assert "quarantined" not in trace.names()
        assert read(store, first)[0] == speech(9000) and store.settings_id == settings
        for number, length in zip(clips, (9000, 300)):
            assert number is None or read(store, number)[:2] == (speech(length), False)
        for number in store.waiting():
            if number not in clips and number != first:
                data, cut = read(store, number)[:2]
                assert cut and data == speech(9000)[: len(data)]
        unseen = [seq for _, seq, _ in store.unseen()]
        assert all(seq in unseen for seq in stored) and (not seen or 1 not in unseen) and 2 in unseen
        assert cancel is None or store.pending_cancels() == [cancel]
        # There is room again.
        empty(flash, BLOCKS)
        for number in store.waiting():
            store.remove(number)
        store.reconcile()
        assert record(store, 20_000) in store.waiting() and store.put(notice(60)) and store.mark_seen(EPOCH, [2])
        store.settings.save(9, {})
        store.close()
    gc.collect()
    return len([number for number in clips if number]), len(stored)


def test_the_last_blocks():
    found = [use(left) for left in range(8)]
    # A clip of a moment lies in the directory; of the notices most found no block.
    assert found[0][0] == 1 and found[-1][0] == 2
    assert found[0][1] < found[-1][1] < 57


def test_an_end_that_finds_no_block():
    """The hold ended as the flash was full: it waits, cut, in the same boot and after the next."""
    with Flash(BLOCKS, readsize=128) as flash:
        store = make(flash, 1)
        trace = Trace()
        fill(flash, 3)
        assert tried(record, store, 30_000) is None
        for boot in range(2):
            (number,) = store.waiting()
            data, cut, size, ms = read(store, number)
            assert cut and size == len(data) > 3000 and data == speech(30_000)[:size] and ms == size // 8
            store.close()
            flash.remount()
            store = make(flash, 2 + boot, trace)
        store.remove(number)
        assert store.waiting() == []


def test_a_full_store_of_notices_takes_the_next_when_one_was_seen():
    with Flash() as flash:
        store = make(flash, 1)
        for seq in range(1, UNSEEN_MAX + 1):
            assert store.put(notice(seq, ""))
        for _ in range(3):
            assert not store.put(notice(UNSEEN_MAX + 1, "")) and not store.has_notice(EPOCH, UNSEEN_MAX + 1)
        assert len(store.unseen()) == UNSEEN_MAX
        assert store.mark_seen(EPOCH, [5]) and store.put(notice(UNSEEN_MAX + 1, ""))
        assert len(store.unseen()) == UNSEEN_MAX
