"""Ids, notices, cancels, settings and free space, over resets and with broken files."""

from flash import Flash, Random, Trace, damage, exists

from lapel.services.store import Store, StoreError, StoreFull
from lapel.services.store_ids import BATCH
from lapel.services.store_objects import PENDING_MAX
from lapel.services.store_space import RESERVE_BLOCKS

MICROPYTHON_HEAP = "4m"

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


def notice(seq, epoch=A, kind="done", text="how much disk space is left: 12 GB"):
    return {"ep": epoch, "s": seq, "k": kind, "d": "d1", "j": "d1.1", "x": text}


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
            path = flash.root + "/state/counter"
            if fault == "gone":
                import os

                os.remove(path)
            else:
                damage(path, 10)
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


def test_a_counter_behind_the_clips_begins_an_epoch():
    with Flash() as flash:
        store = make(flash)
        old = store.epoch
        saved = open(flash.root + "/state/counter", "rb")
        content = saved.read()
        saved.close()
        for _ in range(BATCH + 2):
            clip(store)
        store.close()
        with open(flash.root + "/state/counter", "wb") as file:
            file.write(content)
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


# Notices


def test_a_notice_is_taken_once_and_kept_until_seen():
    with Flash() as flash:
        store = make(flash)
        notices = store.notices
        assert notices.epoch is None and notices.notice_high(A) == 0 and notices.newest_notice() is None
        assert notices.put(notice(1)) and notices.put(notice(2, kind="question"))
        assert notices.put(notice(1)) and len(notices.unseen()) == 2
        notices = again(flash).notices
        assert notices.unseen() == [(A, 1, "done"), (A, 2, "question")]
        assert notices.has_notice(A, 2) and notices.put(notice(2)) and len(notices.unseen()) == 2
        assert notices.notice_high(A) == 2 and notices.epoch == A
        assert notices.newest_notice() == notice(2, kind="question")
        assert notices.get_notice(A, 1) == notice(1) and notices.get_notice(A, 7) is None
        notices.mark_seen(A, [1])
        assert notices.unseen() == [(A, 2, "question")]
        assert notices.pending_seen() == (A, [1])
        notices = again(flash).notices
        assert notices.unseen() == [(A, 2, "question")] and notices.pending_seen() == (A, [1])
        assert notices.put(notice(1)) and len(notices.unseen()) == 1
        notices.seen_answered(A, [1])
        notices = again(flash).notices
        assert (
            notices.pending_seen() == (None, []) and notices.has_notice(A, 1) and notices.notice_high(A) == 2
        )


def test_a_late_lower_number_is_not_taken_for_a_double():
    with Flash() as flash:
        notices = make(flash).notices
        assert notices.put(notice(5)) and notices.put(notice(3))
        notices.mark_seen(A, [5])
        notices = again(flash).notices
        assert notices.has_notice(A, 5) and notices.has_notice(A, 3) and not notices.has_notice(A, 4)
        assert notices.put(notice(4))
        assert notices.unseen() == [(A, 3, "done"), (A, 4, "done")]


def test_seen_elsewhere_and_retracted_need_no_telling():
    with Flash() as flash:
        notices = make(flash).notices
        for seq in (1, 2, 3):
            notices.put(notice(seq))
        notices.mark_seen(A, [1, 9], pending=False)
        notices.retract(A, 2)
        notices = again(flash).notices
        assert notices.unseen() == [(A, 3, "done")] and notices.pending_seen() == (None, [])
        # What was over before it came is not felt when it comes late.
        assert notices.put(notice(9)) and notices.unseen() == [(A, 3, "done")]


def test_a_full_store_of_notices_takes_no_more_until_one_is_seen():
    with Flash(256) as flash:
        notices = make(flash).notices
        for seq in range(1, 65):
            assert notices.put(notice(seq))
        assert not notices.put(notice(65)) and notices.refused == 1
        assert not notices.has_notice(A, 65) and notices.put(notice(64))
        notices.mark_seen(A, [7])
        assert notices.put(notice(65))
        assert len(again(flash).notices.unseen()) == 64


def test_files_of_old_notices_go_but_the_newest_stays_for_a_reply():
    with Flash() as flash:
        store = make(flash)
        for seq in range(1, 5):
            store.notices.put(notice(seq))
        store.notices.mark_all_seen()
        store.reconcile()
        store = again(flash)
        assert store.notices.newest_notice() == notice(4) and store.notices.unseen() == []
        assert not exists(flash.root + "/notices/%08d" % 1) and exists(flash.root + "/notices/%08d" % 4)
        for seq in range(5, 60):
            store.notices.put(notice(seq))
            store.notices.mark_seen(A, [seq])
        import os

        assert len(os.listdir(flash.root + "/notices")) <= 12


def test_a_new_epoch_of_the_companion_counts_anew_and_the_last_one_is_remembered():
    with Flash() as flash:
        notices = make(flash).notices
        notices.put(notice(1))
        notices.put(notice(2))
        notices.mark_seen(A, [2])
        notices.know_companion(B)
        assert notices.epoch == B and notices.notice_high(B) == 0
        notices = again(flash).notices
        assert notices.epoch == B
        assert not notices.has_notice(B, 1) and notices.has_notice(A, 2) and notices.has_notice(A, 1)
        assert notices.put(notice(1, B)) and notices.pending_seen() == (A, [2])
        assert notices.notice_high(B) == 1 and notices.notice_high(A) == 2
        notices.know_companion(C)
        # A is forgotten; its notice is still there, is seen, and does not come back.
        notices = again(flash).notices
        assert (A, 1, "done") in notices.unseen() and notices.epoch == C
        notices.mark_seen(A, [1])
        assert again(flash).notices.unseen() == [(B, 1, "done")]


def test_a_broken_notice_is_set_aside_and_the_rest_stays():
    with Flash() as flash:
        notices = make(flash).notices
        for seq in (1, 2, 3):
            notices.put(notice(seq))
        damage(flash.root + "/notices/%08d" % 2, 12)
        trace = Trace()
        store = again(flash, trace=trace)
        assert [entry[1] for entry in store.notices.unseen()] == [1, 3]
        assert store.quarantined == 1 and "quarantined" in trace.names()
        assert exists(flash.root + "/quarantine/notice-%08d" % 2)
        # The companion has it still, as nobody saw it: it may come again.
        assert not store.has_notice(A, 2) and store.put(notice(2))


def test_broken_marks_are_reported_and_show_notices_again_rather_than_lose_them():
    with Flash() as flash:
        notices = make(flash).notices
        notices.put(notice(1))
        notices.put(notice(2))
        notices.mark_seen(A, [1])
        damage(flash.root + "/state/marks", 10)
        trace = Trace()
        notices = again(flash, trace=trace).notices
        assert "broken_file" in trace.names() and notices.epoch == A
        assert [entry[1] for entry in notices.unseen()] == [1, 2]


def test_a_notice_with_any_text_comes_back():
    with Flash() as flash:
        notices = make(flash).notices
        text = 'äöü "quoted" \\ 日本語 ' * 6
        notices.put(notice(1, text=text))
        assert again(flash).notices.newest_notice() == notice(1, text=text)


# Cancels and settings


def test_cancels_wait_until_confirmed():
    with Flash() as flash:
        store = make(flash)
        first = store.add_cancel(A, 5)
        assert store.add_cancel(A, 5) == first and first["n"] == 5 and first["ep"] == A
        second = store.add_cancel(B, 6)
        store = again(flash)
        assert store.pending_cancels() == [first, second] and first["id"] != second["id"]
        assert store.cancel_answered(first["id"]) and not store.cancel_answered(first["id"])
        assert again(flash).pending_cancels() == [second]


def test_cancels_are_bounded_and_never_dropped():
    with Flash() as flash:
        store = make(flash)
        for number in range(PENDING_MAX):
            store.add_cancel(A, number)
        assert "not confirmed" in raised(StoreFull, store.add_cancel, A, 99)
        assert len(again(flash).pending_cancels()) == PENDING_MAX


def test_settings_come_back_and_broken_ones_are_none():
    with Flash() as flash:
        store = make(flash)
        assert store.settings.load() == (0, {}) and not store.settings.was_broken
        store.settings.save(3, {"preroll": True, "quiet": None, "strength": 80, "name": "x" * 30})
        settings = again(flash).settings
        assert settings.load() == (3, {"preroll": True, "quiet": None, "strength": 80, "name": "x" * 30})
        damage(flash.root + "/state/settings", 20)
        trace = Trace()
        settings = again(flash, trace=trace).settings
        assert settings.load() == (0, {}) and settings.was_broken
        assert trace.names() == ["broken_file"]
        settings.save(4, {})
        assert settings.load() == (4, {}) and not again(flash).settings.was_broken


def test_a_store_without_its_folder_says_so():
    store = Store("/nowhere/at/all", Random(1), Trace(), Disk(5))
    assert "/nowhere/at/all/state" in raised(StoreError, store.mount)
