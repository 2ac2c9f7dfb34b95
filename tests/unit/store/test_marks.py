"""The numbers that were taken, and the marks of the notices."""

from lapel.core.notice_marks import UNTOLD_MAX, Marks
from lapel.core.recent_clips import RecentClips
from lapel.core.records import BadRecord
from lapel.core.seq_ranges import SeqRanges

A, B, C = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"


def test_ranges_agree_with_a_plain_set_in_every_order():
    for step in (1, 3, 7, 11, 13):
        ranges, truth = SeqRanges(), set()
        for i in range(17):
            seq = i * step % 17 + 1
            if seq in (5, 9):
                continue
            ranges.add(seq)
            ranges.add(seq)
            truth.add(seq)
            for probe in range(20):
                assert (probe in ranges) == (probe in truth)
        assert ranges.ranges() == [(1, 4), (6, 8), (10, 17)]
        assert ranges.highest() == 17
        assert ranges.merged == 0


def test_too_many_ranges_give_up_the_oldest_gap():
    ranges = SeqRanges(limit=3)
    for seq in (10, 20, 30):
        ranges.add(seq)
    assert 15 not in ranges
    ranges.add(40)
    assert 15 in ranges and 25 not in ranges and 35 not in ranges
    assert ranges.merged == 1


def test_an_empty_set_has_no_highest():
    assert SeqRanges().highest() == 0
    assert 0 not in SeqRanges()


def test_marks_come_back():
    marks = Marks()
    assert marks.epoch is None and marks.pack() == b""
    assert marks.adopt(A) and not marks.adopt(A)
    assert marks.finish(A, (1, 2, 5), tell=True)
    assert marks.adopt(B)
    assert marks.finish(B, (7,), tell=False)
    again = Marks(marks.pack())
    assert again.pack() == marks.pack()
    assert again.epoch == B and again.highest(B) == 7 and again.highest(A) == 5
    assert again.untold() == [(A, [1, 2, 5])]
    assert again.is_done(A, 2) and not again.is_done(A, 3) and not again.is_done(B, 2)
    assert again.told(A, [2, 9]) and not again.told(A, [2]) and not again.told(C, [1])
    assert again.untold() == [(A, [1, 5])]


def test_what_was_seen_elsewhere_needs_no_telling():
    marks = Marks()
    marks.adopt(A)
    marks.finish(A, (1,), tell=True)
    marks.finish(A, (1,), tell=False)
    assert marks.untold() == []


def test_two_epochs_are_remembered_and_a_returning_one_is_current_again():
    marks = Marks()
    for epoch in (A, B, C):
        marks.adopt(epoch)
    assert not marks.remembers(A) and marks.remembers(B)
    assert not marks.finish(A, (1,), tell=True)
    marks.finish(B, (3,), tell=False)
    marks.adopt(B)
    assert marks.epoch == B and marks.is_done(B, 3) and marks.remembers(C)


def test_a_companion_that_never_answers_costs_no_memory():
    marks = Marks()
    marks.adopt(A)
    for seq in range(1, UNTOLD_MAX + 4):
        marks.finish(A, (seq,), tell=True)
    assert marks.untold() == [(A, list(range(4, UNTOLD_MAX + 4)))]
    assert marks.dropped == 3


def test_marks_that_are_cut_short_are_bad():
    marks = Marks()
    marks.adopt(A)
    marks.finish(A, (1, 3), tell=True)
    data = marks.pack()
    for length in range(1, len(data)):
        try:
            Marks(data[:length])
        except BadRecord:
            continue
        raise AssertionError(length)


def test_the_newest_clip_is_the_one_to_call_back():
    recent = RecentClips()
    assert recent.newest() is None
    for number in range(1, 12):
        recent.captured(A, number, 100 * number)
    recent.accepted(A, 11, "d3")
    recent.accepted(B, 10, "d4")
    assert recent.newest() == (A, 11, 1100, "d3")
    recent.cancelled(A, 11)
    assert recent.newest() == (A, 10, 1000, None)
    for number in range(3, 11):
        recent.cancelled(A, number)
    assert recent.newest() is None
