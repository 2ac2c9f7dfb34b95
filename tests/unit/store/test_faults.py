"""Flash that decays, fails or fills up: each fault has a defined outcome, and the pin goes on."""

import os

from flash import Flash, Random, Trace, damage, exists

from lapel.core import clip_layout
from lapel.services import store_clips
from lapel.services.clip_recovery import QUARANTINE_MAX
from lapel.services.store import Store, StoreError, StoreFull

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

META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 12345, "t": None, "re": None}
EPOCH = "f0f1f2f3f4f5f6f7"


def make(flash, seed=1, trace=None, statvfs=None):
    store = Store(flash.root, Random(seed), trace or Trace(), statvfs or plenty)
    store.mount()
    return store


def plenty(_):
    return (4096, 4096, 1000, 900, 900)


def speech(length, seed=7):
    block = Random(seed)(997)
    return (block * (length // 997 + 1))[:length]


def record(store, length):
    writer = store.begin(META)
    data = speech(length)
    for at in range(0, length, 128):
        writer.write(data[at : at + 128])
    writer.finish(length // 8)
    return writer.number


def read(store, number):
    reader = store.open(number)
    out, buffer = b"", bytearray(500)
    while True:
        got = reader.read_at(len(out), buffer)
        if not got:
            break
        out += bytes(buffer[:got])
    result = out, reader.cut, reader.size, reader.ms
    reader.close()
    return result


def path_of(flash, number):
    return "%s/clips/%08d" % (flash.root, number)


def good_audio(store, page):
    """Bytes of audio before that page."""
    return clip_layout.stream_start(page) - len(
        clip_layout.pack_header(dict(META, ep=store.epoch, n=store.highest))
    )


def test_a_page_that_decays_ends_the_clip_before_it():
    for page in (1, 2, 4):
        with Flash() as flash:
            store = make(flash)
            number = record(store, 20_000)
            good = good_audio(store, page)
            damage(path_of(flash, number), clip_layout.page_start(page) + 100)
            flash.remount()
            trace = Trace()
            store = make(flash, trace=trace)
            assert read(store, number) == (speech(20_000)[:good], True, good, good // 8)
            assert "clip_damaged" in trace.names()
            # It stays so.
            flash.remount()
            store = make(flash, trace=Trace())
            assert read(store, number) == (speech(20_000)[:good], True, good, good // 8)
            reader = store.open(number)
            assert reader.complete and reader.crc(good) == reader.crc(good, 3000, reader.crc(3000))
            reader.close()


def test_a_first_page_that_decays_leaves_an_empty_clip_that_is_cut():
    with Flash() as flash:
        store = make(flash)
        number = record(store, 9000)
        damage(path_of(flash, number), 1000)
        flash.remount()
        store = make(flash)
        assert read(store, number) == (b"", True, 0, 0)


def test_a_checksum_of_a_prefix_that_decayed_is_refused():
    with Flash() as flash:
        store = make(flash)
        number = record(store, 9000)
        damage(path_of(flash, number), 5000)
        flash.remount()
        reader = make(flash).open(number)
        try:
            reader.crc(9000)
        except StoreError as error:
            assert "not 9000" in str(error)
        else:
            raise AssertionError("given")
        assert reader.cut and reader.size < 5000
        reader.close()


def test_a_broken_header_goes_to_quarantine_and_is_reported():
    with Flash() as flash:
        store = make(flash)
        first, second = record(store, 3000), record(store, 3000)
        damage(path_of(flash, first), 12)
        flash.remount()
        trace = Trace()
        store = make(flash, trace=trace)
        assert store.waiting() == [second] and store.quarantined == 1
        event, fields = trace.events[0]
        assert event == "quarantined" and fields["file"] == "clip-%08d" % first
        assert "checksum" in fields["reason"]
        assert exists(flash.root + "/quarantine/clip-%08d" % first)
        assert read(store, second)[0] == speech(3000)


def test_quarantine_is_bounded():
    with Flash() as flash:
        store = make(flash)
        numbers = [record(store, 200) for _ in range(QUARANTINE_MAX + 3)]
        for number in numbers:
            damage(path_of(flash, number), 12)
        flash.remount()
        store = make(flash)
        assert store.quarantined == len(numbers) and store.waiting() == []
        held = sorted(os.listdir(flash.root + "/quarantine"))
        assert held == ["clip-%08d" % number for number in numbers[3:]]


def test_a_file_under_another_number_is_no_clip():
    with Flash() as flash:
        store = make(flash)
        number = record(store, 200)
        os.rename(path_of(flash, number), path_of(flash, 7))
        trace = Trace()
        store = make(flash, trace=trace)
        assert store.waiting() == [] and "it says that it is clip 1" in trace.events[0][1]["reason"]


def test_an_end_record_that_decays_costs_the_mark_and_not_the_audio():
    for length in (500, 9000):
        with Flash() as flash:
            store = make(flash)
            number = record(store, length)
            size = os.stat(path_of(flash, number))[6]
            damage(path_of(flash, number), size - 20)
            flash.remount()
            trace = Trace()
            store = make(flash, trace=trace)
            assert read(store, number) == (speech(length), True, length, length // 8)
            assert store.cut_found == 1 and "clip_cut" in trace.names()


def test_a_clip_cut_short_ends_before_its_first_bad_page():
    for bad_page, pages in ((None, 4), (2, 2), (0, 0)):
        with Flash() as flash:
            store = make(flash)
            record(store, 18_000)
            good = good_audio(store, pages) if pages else 0
            path = path_of(flash, 1)
            with open(path, "rb") as file:
                content = file.read(clip_layout.page_start(4))
            with open(path, "wb") as file:
                file.write(content)
            if bad_page is not None:
                damage(path, clip_layout.page_start(bad_page) + 1000)
            flash.remount()
            store = make(flash)
            assert read(store, 1) == (speech(18_000)[:good], True, good, good // 8)
            assert store.cut_found == 1


def test_a_hold_of_which_nothing_was_synced_leaves_nothing():
    with Flash() as flash:
        store = make(flash)
        with open(path_of(flash, 5), "wb"):
            pass
        store = make(flash)
        assert store.waiting() == [] and not exists(path_of(flash, 5)) and store.quarantined == 0
        # A clip of that number may have been on the air: it is not given again.
        assert record(store, 10) > 5


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


def test_so_many_waiting_clips_count_as_full():
    with Flash() as flash:
        store = make(flash)
        greatest, store_clips.WAITING_MAX = store_clips.WAITING_MAX, 3
        try:
            for _ in range(3):
                assert store.fits(60_000)
                record(store, 10)
            assert not store.fits(1)
            store.remove(1)
            assert store.fits(60_000)
        finally:
            store_clips.WAITING_MAX = greatest
