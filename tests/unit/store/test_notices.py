"""Notices: taken once, kept until seen, told until answered; over resets and with broken files."""

import os

from flash import Flash, Random, Trace, damage, exists

from lapel.services.store import Store

MICROPYTHON_HEAP = "4m"

A, B, C = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"


def plenty(_):
    return (4096, 4096, 1000, 900, 900)


def make(flash, seed=1, trace=None):
    store = Store(flash.root, Random(seed), trace or Trace(), plenty)
    store.mount()
    return store


def again(flash, seed=2, trace=None):
    flash.remount()
    return make(flash, seed, trace=trace)


def notice(seq, epoch=A, kind="done", text="how much disk space is left: 12 GB"):
    return {"ep": epoch, "s": seq, "k": kind, "d": "d1", "j": "d1.1", "x": text}


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
        assert len(os.listdir(flash.root + "/notices")) <= 12


def test_all_are_seen_but_those_that_were_not_felt():
    with Flash() as flash:
        notices = make(flash).notices
        for seq in range(1, 4):
            notices.put(notice(seq))
        notices.mark_all_seen([(A, 2), (B, 1)])
        assert [entry[1] for entry in notices.unseen()] == [2]
        assert [entry[1] for entry in again(flash).notices.unseen()] == [2]


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
        assert exists(flash.root + "/quarantine/notice-%08d checksum does not match" % 2)
        # The companion has it still, as nobody saw it: it may come again.
        # That it sends it again, the pin asks for by knowing nothing.
        assert store.notice_high(A) == 0
        assert not store.has_notice(A, 2) and store.put(notice(2))
        store = again(flash)
        assert store.notice_high(A) == 3 and len(store.unseen()) == 3


def test_broken_marks_are_reported_and_show_notices_again_rather_than_lose_them():
    with Flash() as flash:
        notices = make(flash).notices
        notices.put(notice(1))
        notices.put(notice(2))
        notices.mark_seen(A, [1])
        damage(flash.root + "/state/marks", 10)
        trace = Trace()
        notices = again(flash, trace=trace).notices
        assert trace.names() == ["quarantined"] and notices.epoch == A and notices.notice_high(A) == 0
        assert [entry[1] for entry in notices.unseen()] == [1, 2]


def test_a_notice_with_any_text_comes_back():
    with Flash() as flash:
        notices = make(flash).notices
        text = 'äöü "quoted" \\ 日本語 ' * 6
        notices.put(notice(1, text=text))
        assert again(flash).notices.newest_notice() == notice(1, text=text)
