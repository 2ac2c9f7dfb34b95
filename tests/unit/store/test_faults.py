"""Files that decay: each fault has a defined outcome, and the pin goes on."""

import binascii
import hashlib
import os

from clips import META, make, read, record, speech
from flash import Flash, Trace, damage, exists

from lapel.core import clip_layout, records
from lapel.services import clip_header, store_clips, store_files
from lapel.services.quarantine import HELD_MAX
from lapel.services.store import StoreError

MICROPYTHON_HEAP = "8m"


NOTICE = {"ep": "a" * 16, "s": 7, "k": "done", "d": "d1", "j": None, "x": ""}


def path_of(flash, number):
    return "%s/clips/%08d" % (flash.root, number)


def good_audio(store, page):
    """Bytes of audio before that page."""
    return clip_layout.stream_start(page) - len(
        clip_header.pack(dict(META, ep=store.epoch, n=store.highest))
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
            reader = store.open(number)
            data = bytearray(20_000)
            assert reader.read_at(0, data) == good == reader.size
            # The companion takes it by this digest.
            assert reader.sha == binascii.hexlify(hashlib.sha256(data[:good]).digest()).decode()
            reader.close()
            assert read(store, number) == (speech(20_000)[:good], True, good, good // 8)
            assert "clip_damaged" in trace.names()
            # It stays so.
            flash.remount()
            store = make(flash, trace=Trace())
            assert read(store, number) == (speech(20_000)[:good], True, good, good // 8)
            reader = store.open(number)
            assert reader.complete and reader.crc(good) == reader.crc(good, 3000, reader.crc(3000))
            reader.close()


def test_a_folder_that_went_back_in_time_is_told_of_though_as_many_clips_are_there():
    with Flash() as flash:
        store = make(flash)
        first = record(store, 3000)
        with open(path_of(flash, first), "rb") as file:
            kept = file.read()
        record(store, 3000)
        store.remove(first)
        newest = record(store, 3000)
        store.close()
        os.remove(path_of(flash, newest))
        with open(path_of(flash, first), "wb") as file:
            file.write(kept)
        flash.remount()
        trace = Trace()
        assert make(flash, trace=trace).quarantined == 1
        assert ("store_error", {"error": "recordings are missing, at least 1: the flash has lost them"}) in trace.events


def test_clips_that_are_gone_without_a_word_are_told_of():
    # Where bits of a directory rot, LittleFS goes back to what it was before.
    with Flash() as flash:
        store = make(flash)
        first, second, third = record(store, 3000), record(store, 3000), record(store, 3000)
        os.remove(path_of(flash, second))
        damage(path_of(flash, third), 12)
        flash.remount()
        trace = Trace()
        store = make(flash, trace=trace)
        # The third lies in quarantine.
        assert store.waiting() == [first] and store.quarantined == 2
        assert ("store_error", {"error": "recordings are missing, at least 1: the flash has lost them"}) in trace.events
        # Once.
        flash.remount()
        trace = Trace()
        store = make(flash, trace=trace)
        assert store.quarantined == 0 and trace.events == []
        store.remove(first)
        flash.remount()
        assert make(flash).quarantined == 0


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
        name = "clip-%08d checksum does not match" % first
        assert trace.events[0] == ("quarantined", {"file": name}) and store.aside == [name]
        assert exists(flash.root + "/quarantine/" + name)
        assert read(store, second)[0] == speech(3000)


def test_records_that_say_nonsense_under_a_right_checksum_are_set_aside():
    marks = b"12345678\x01\x00"
    for name, kind, bodies in (
        ("state/tally", records.TALLY, (b"", b"123", b"12345")),
        ("state/counter", records.COUNTER, (b"12345678" + bytes(4), b"12345678\xff\xff\xff\xff1234")),
        ("state/cancels", records.CANCELS, (b"123", bytes(16 * 17))),
        ("state/marks", records.MARKS, (marks + b"\x05\0\0\0\x03\0\0\0", (b"12345678\0\0") * 3)),
        ("state/settings", records.SETTINGS, (b"", b"[1,{}]", b'{"id":-1,"v":{}}', b'{"id":1,"v":{},}')),
        ("notices/00000001", records.NOTICE, (b"123456", b'"abcdef"', b'["a",1,"done","d1",null,"x"]')),
    ):
        for body in bodies:
            with Flash() as flash:
                make(flash).close()
                store_files.save(flash.root + "/" + name, kind, body)
                store = make(flash)
                assert store.quarantined == 1 and len(store.aside) == 1, (name, body)
                assert store.put(dict(NOTICE)) and record(store, 1000) in store.waiting()
                store.close()
                again = make(flash)
                assert again.quarantined == 0, (name, body)
                again.close()


def test_quarantine_is_bounded():
    with Flash() as flash:
        store = make(flash)
        numbers = [record(store, 200) for _ in range(HELD_MAX + 3)]
        for number in numbers:
            damage(path_of(flash, number), 12)
        flash.remount()
        store = make(flash)
        assert store.quarantined == len(numbers) and store.waiting() == []
        held = sorted(os.listdir(flash.root + "/quarantine"))
        assert held == ["clip-%08d checksum does not match" % number for number in numbers[3:]] == store.aside
        # The next start tells of them still.
        flash.remount()
        store = make(flash)
        assert store.quarantined == 0 and store.aside == held


def test_what_was_said_stays_longest_in_quarantine():
    with Flash() as flash:
        store = make(flash)
        clip = record(store, 200)
        for seq in range(1, HELD_MAX + 2):
            store.put({"ep": "a" * 16, "s": seq, "k": "done", "d": "d1", "j": None, "x": ""})
            damage(flash.root + "/notices/%08d" % seq, 12)
        damage(path_of(flash, clip), 12)
        damage(flash.root + "/state/counter", 12)
        flash.remount()
        store = make(flash)
        assert store.quarantined == HELD_MAX + 3
        assert store.aside == ["notice-%08d checksum does not match" % seq for seq in range(3, HELD_MAX + 2)] + [
            "clip-%08d checksum does not match" % clip
        ]


def test_a_file_under_another_number_is_no_clip():
    with Flash() as flash:
        store = make(flash)
        number = record(store, 200)
        os.rename(path_of(flash, number), path_of(flash, 7))
        trace = Trace()
        store = make(flash, trace=trace)
        assert store.waiting() == [] and "it says that it is clip 1" in trace.events[0][1]["file"]


def test_an_end_record_that_decays_costs_the_mark_and_not_the_audio():
    header_bytes = len(clip_header.pack(dict(META, ep="0" * 16, n=1)))
    full = clip_layout.stream_start(2) - header_bytes
    # With these before last the end record reaches over its page's border.
    for length in (500, 9000, full - 40, full - 5, full - 1, full):
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
