"""Notices are felt at least once, whatever the power does."""

import asyncio

from stepped import Stepped, Traced, ended

from lapel.services.announcer import Announcer

EPOCH = "00112233445566aa"


class Feedback:
    """Plays nothing; what was to be felt stands in `shown`."""

    def __init__(self):
        self.shown = []
        self.on_felt = None
        self.is_held = False

    def show(self, name, count=0, identity=None):
        self.shown.append((name, count, identity))


def announcer():
    feedback = Feedback()
    timing = Stepped()
    return Announcer(feedback, timing, Traced(timing), lambda: None), feedback


def test_what_a_start_finds_unseen_is_felt_again_as_one():
    it, feedback = announcer()
    it.remind([(EPOCH, 1, "done"), (EPOCH, 2, "failed")])
    assert [shown[:2] for shown in feedback.shown] == [("failed", 2)]
    # A reply that follows is to the one that was felt.
    feedback.on_felt(feedback.shown[0][2])
    assert it.reply_target(1) == EPOCH + "-2"


def test_a_start_without_news_is_quiet():
    it, feedback = announcer()
    it.remind([])
    assert feedback.shown == []


async def test_notices_of_a_long_recording_are_felt_after_it_as_one():
    it, feedback = announcer()
    timing = it._timing
    task = asyncio.create_task(it.run())
    feedback.is_held = True
    for seq in range(20):
        it.announce({"ep": EPOCH, "s": seq, "k": "done", "d": "d1", "j": None, "x": ""})
        await timing.step(3000)
    assert feedback.shown == []
    feedback.is_held = False
    await timing.step(1000)
    assert [shown[:2] for shown in feedback.shown] == [("done", 20)]
    assert len(it.unfelt) == 20
    feedback.on_felt(feedback.shown[0][2])
    assert it.unfelt == []
    assert it.reply_target(timing.now_ms) == EPOCH + "-19"
    await ended(task)


def test_what_came_is_unfelt_until_a_pattern_that_stands_for_it_was_played():
    it, feedback = announcer()
    for seq, kind in ((1, "done"), (2, "done"), (3, "held")):
        it.announce({"ep": EPOCH, "s": seq, "k": kind, "d": "d1", "j": None, "x": ""})
    assert it.unfelt == [(EPOCH, 1), (EPOCH, 2), (EPOCH, 3)]
    feedback.on_felt(feedback.shown[0][2])
    assert it.unfelt == [(EPOCH, 2), (EPOCH, 3)]
    # Two seconds later the next one comes, and the two that were gathered are felt.
    it._timing.now_ms += 2000
    it.announce({"ep": EPOCH, "s": 4, "k": "held", "d": "d1", "j": None, "x": ""})
    feedback.on_felt(feedback.shown[1][2])
    assert it.unfelt == [(EPOCH, 4)]


def test_what_waits_for_a_notice_to_be_felt_is_done_once_and_then():
    it, feedback = announcer()
    done = []
    it.when_felt((EPOCH, 1), lambda: done.append("known"))
    it.announce({"ep": EPOCH, "s": 2, "k": "done", "d": "d1", "j": None, "x": ""})
    it.when_felt((EPOCH, 2), lambda: done.append("new"))
    assert done == ["known"]
    feedback.on_felt(feedback.shown[0][2])
    assert done == ["known", "new"]
    it.repeat("done", (EPOCH, 2), 1)
    feedback.on_felt(feedback.shown[1][2])
    assert done == ["known", "new"]


def test_a_notice_that_was_never_felt_is_bounded_all_the_same():
    it, feedback = announcer()
    feedback.is_held = True
    for seq in range(100):
        it.announce({"ep": EPOCH, "s": seq, "k": "done", "d": "d1", "j": None, "x": ""})
    assert len(it.unfelt) == 64
