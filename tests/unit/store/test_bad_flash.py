"""A flash that fails, fills up or wears: on the real LittleFS, block by block."""

import os

from clips import META, make, read, record, speech
from flash import Flash, Trace

from lapel.services.store import StoreError, StoreFull

ONLY_MICROPYTHON = (
    "test_blocks_that_answer_with_an_error",
    "test_blocks_that_raise_an_error",
    "test_blocks_that_fail_silently",
    "test_a_flash_that_is_really_full_ends_the_clip_and_not_the_pin",
    "test_erases_of_a_clip_are_those_of_its_blocks",
    "test_a_notice_costs_hardly_an_erase",
    "test_a_flash_that_fails_for_a_while_is_told_and_made_good_when_idle",
)
MICROPYTHON_HEAP = "8m"

EPOCH = "f0f1f2f3f4f5f6f7"


def use_with_bad_block(how, block):
    """Records, takes a notice, saves settings, with one bad block; then checks what was promised."""
    with Flash(40) as flash:
        store = make(flash)
        first = record(store, 9000)
        assert store.put(notice(1))
        flash.nor.bad[block] = how
        trace = Trace()
        try:
            second = record(store, 13_000)
        except StoreError as error:
            second = None
            assert "flash" in str(error) or "clip" in str(error)
        stored = store.put(notice(2))
        try:
            store.settings.save(5, {"strength": 3})
            saved = 5
        except StoreError:
            saved = None
        try:
            third = record(store, 500)
        except StoreError:
            third = None
        waiting = store.waiting()
        assert first in waiting and (second is None or second in waiting)
        store.close()
        flash.nor.bad.clear()
        flash.remount()
        store = make(flash, 3, trace)
        assert read(store, first)[0] == speech(9000)
        for number, length in ((second, 13_000), (third, 500)):
            if number is not None:
                assert read(store, number)[:2] == (speech(length), False)
        for number in store.waiting():
            if number not in (first, second, third):
                data, cut, _, _ = read(store, number)
                assert cut and data == speech(13_000)[: len(data)]
        assert store.has_notice(EPOCH, 1) and (not stored or store.has_notice(EPOCH, 2))
        assert saved is None or store.settings_id == saved
        assert record(store, 5000) not in waiting and store.quarantined == 0
        return second is not None


def notice(seq):
    return {"ep": EPOCH, "s": seq, "k": "done", "d": "d1", "j": None, "x": "x" * 100}


def test_blocks_that_answer_with_an_error():
    whole = [use_with_bad_block(-5, block) for block in range(40)]
    assert not all(whole) and whole.count(True) > 20
    # -84 is LittleFS' own word for a bad block: it goes around it, and nothing is lost.
    around = [use_with_bad_block(-84, block) for block in range(2, 40)]
    assert all(around)


def test_blocks_that_raise_an_error():
    whole = [use_with_bad_block("raise", block) for block in range(40)]
    assert not all(whole) and whole.count(True) > 20


def test_blocks_that_fail_silently():
    assert all(use_with_bad_block("stuck", block) for block in range(2, 40))


def test_a_flash_that_is_really_full_ends_the_clip_and_not_the_pin():
    with Flash(40) as flash:
        store = make(flash)
        first = record(store, 9000)
        try:
            record(store, 200_000)
        except StoreFull as full:
            assert "flash is full" in str(full)
        else:
            raise AssertionError("it had room")
        assert read(store, first)[0] == speech(9000)
        # Accepted clips make room again.
        store.remove(first)
        assert record(store, 500) in store.waiting()
        store.close()
        flash.remount()
        store = make(flash, statvfs=os.statvfs)
        assert not store.fits(60_000) and store.cut_found <= 1
        for number in store.waiting():
            store.remove(number)
        store.reconcile()
        record(store, 5000)


def erases(seconds, **options):
    with Flash(256, **options) as flash:
        store = make(flash, statvfs=os.statvfs)
        record(store, 8000)
        before = flash.nor.erased
        record(store, 8000 * seconds)
        assert flash.nor.violations == 0
        return flash.nor.erased - before


def test_erases_of_a_clip_are_those_of_its_blocks():
    # 10 and 59 blocks of data; now and then a directory is rewritten, for one or two more.
    for options in ({}, {"readsize": 128}):
        assert erases(5, **options) <= 12
        assert erases(30, **options) <= 61


def test_a_notice_costs_hardly_an_erase():
    with Flash(256, readsize=128) as flash:
        store = make(flash, statvfs=os.statvfs)
        before = flash.nor.erased
        for seq in range(1, 101):
            store.put({"ep": EPOCH, "s": seq, "k": "done", "d": "d12", "j": "d12.1", "x": "x" * 150})
            store.mark_seen(EPOCH, [seq])
            store.seen_answered(EPOCH, [seq])
        assert flash.nor.erased - before <= 25


def test_a_flash_that_fails_for_a_while_is_told_and_made_good_when_idle():
    with Flash(40) as flash:
        trace = Trace()
        store = make(flash, trace=trace)
        assert store.put(notice(1)) and store.put(notice(2))
        for block in range(40):
            flash.nor.bad[block] = -5
        assert not store.put(notice(3)) and not store.has_notice(EPOCH, 3)
        assert not store.mark_seen(EPOCH, [1])
        # It is seen for the person; the companion hears it when the flash has it.
        assert [seq for _, seq, _ in store.unseen()] == [2]
        for act in (store.reconcile, lambda: store.begin(META), lambda: store.add_cancel(EPOCH, 1)):
            try:
                act()
            except StoreError as error:
                assert "flash error 5" in str(error)
            else:
                raise AssertionError("it did not fail")
        assert "store_error" in trace.names() and "notice_refused" in trace.names()
        flash.nor.bad.clear()
        store.reconcile()
        flash.remount()
        store = make(flash)
        assert [seq for _, seq, _ in store.unseen()] == [2] and store.pending_seen() == (EPOCH, [1])
        assert store.put(notice(3)) and store.pending_cancels() == [] and store.waiting() == []
        record(store, 5000)
