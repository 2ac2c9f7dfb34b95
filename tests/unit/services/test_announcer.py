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
    assert feedback.shown == [("failed", 2, (EPOCH, 2))]
    # A reply that follows is to the one that was felt.
    feedback.on_felt((EPOCH, 2))
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
    assert feedback.shown == [("done", 20, (EPOCH, 19))]
    await ended(task)
