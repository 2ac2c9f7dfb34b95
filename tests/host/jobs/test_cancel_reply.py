"""What a person takes back, and what a person answers."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lapel_companion import ledger
from lapel_companion.engine import EngineError


def test_cancel(bench: Any) -> None:
    async def work(b: Any) -> None:
        dispatch = await b.engine.say("wait for it")
        await b.until("job", dispatch, state="running")
        while b.engine.log_so_far(f"{dispatch}.1") is None:
            await asyncio.sleep(0.01)
        while b.engine.status()["running"] != [f"{dispatch}.1"]:
            await asyncio.sleep(0.01)
        assert await b.engine.cancel(dispatch) == "d1 is cancelled."
        assert (await b.until("notice", dispatch)).body["kind"] == "cancelled"
        assert b.engine.log_so_far(f"{dispatch}.1") is None
        await b.idle()
        assert (
            await b.engine.cancel(dispatch) == "d1 is over already (cancelled): there is nothing to cancel."
        )

        reminder = await b.engine.say("remind me in an hour to go")
        await b.until("notice", reminder, kind="done")
        await b.engine.cancel(reminder)
        assert (await b.until("notice", reminder, kind="cancelled")).body["job"] == f"{reminder}.1"

        held = await b.engine.say("mumble")
        await b.until("notice", held, kind="held")
        await b.idle()
        await b.engine.cancel(held)
        assert [notice.kind for notice in b.outbox.unseen() if notice.dispatch == held] == ["cancelled"]

    bench.run(work)


@pytest.mark.parametrize("who", ["person", "pin"])
def test_who_asks_may_go_away_in_the_middle(bench: Any, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """The link of a pin ends, or a token is taken back, while the cancel is being written: the job ran on, for ever."""
    writing, go_on = threading.Event(), threading.Event()
    append = bench.log.append

    def slowly(kind: str, *given: Any, **more: Any) -> Any:
        if kind == "cancel":
            writing.set()
            go_on.wait(60)
        return append(kind, *given, **more)

    async def work(b: Any) -> None:
        dispatch = await b.hear("wait in silence", press_unix_ms=b.now_ms())
        await b.until("job", dispatch, state="running")
        monkeypatch.setattr(b.log, "append", slowly)
        asking = b.engine.cancel(dispatch) if who == "person" else b.engine.cancel_clip(f"clip-{dispatch}", 7)
        task = asyncio.create_task(asking)
        await asyncio.to_thread(writing.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        assert (await b.until("notice", dispatch)).body["kind"] == "cancelled"
        await b.idle()

    bench.run(work)


def test_a_cancel_before_its_clip_is_remembered(bench: Any) -> None:
    async def work(b: Any) -> None:
        for _ in range(2):
            await b.engine.cancel_clip("clip-d1", 7)
        dispatch = await b.hear("say hello", press_unix_ms=b.now_ms())
        assert (await b.until("notice", dispatch)).body["kind"] == "cancelled"
        assert b.kinds(dispatch, "outcome", "outcome") == ["cancelled"]
        assert len(b.log.read(kinds=["cancel"])) == 1
        await b.idle()
        # A person may still want it.
        await b.engine.release(dispatch)
        assert (await b.until("notice", dispatch, kind="done")).body["text"] == "say hello: hello"
        await b.idle()
        late = await b.hear("say hello", press_unix_ms=b.now_ms())
        await b.until("notice", late, kind="done")
        await b.idle()
        await b.engine.cancel_clip(f"clip-{late}", 8)
        assert "too late to cancel" in (await b.until("notice", late, kind="failed")).body["text"]

    bench.run(work)


def test_replies(bench: Any) -> None:
    async def work(b: Any) -> None:
        b.ears.trusted = True
        held = await b.hear("write it down", press_unix_ms=b.now_ms(7200))
        notice = await b.until("notice", held)
        notice_id = b.on_the_pin(notice)
        await b.idle()
        yes = await b.hear("yes", press_unix_ms=b.now_ms(), reply_to=notice_id)
        await b.until("job", held, state="done")
        assert b.kinds(yes, "outcome", "outcome") == ["answer"]
        assert b.ledger() == ["it"]
        await b.idle()
        again = await b.hear("yes", press_unix_ms=b.now_ms(), reply_to=notice_id)
        assert (await b.until("outcome", again)).body["reason"] == "reply_closed"
        strange = await b.hear("yes", press_unix_ms=b.now_ms(), reply_to="ffffffffffffffff-1")
        assert (await b.until("outcome", strange)).body["reason"] == "reply_unknown"

        other = await b.hear("right this town", press_unix_ms=b.now_ms())
        held_notice = await b.until("notice", other)
        await b.idle()
        reply_to = b.on_the_pin(held_notice)
        better = await b.hear("write this down", press_unix_ms=b.now_ms(), reply_to=reply_to)
        await b.until("job", better, state="done")
        assert ledger.need(b.log, other).status == "cancelled"
        assert b.ledger() == ["it", "this"]

        done = await b.until("notice", better, kind="done")
        follow = await b.hear("say hello", reply_to=b.on_the_pin(done))
        assert (await b.until("job", follow)).body["follows"] == f"{better}.1"

        doubtful = await b.hear("mumble", press_unix_ms=b.now_ms())
        asked = await b.until("notice", doubtful)
        await b.idle()
        await b.hear("no", press_unix_ms=b.now_ms(), reply_to=b.on_the_pin(asked))
        assert (await b.until("notice", doubtful, kind="cancelled")).body["text"] == (
            "mumble: not done, you said no"
        )

    bench.run(work)


SENTENCES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda e: e.say("   "), "there are no words in that"),
    (lambda e: e.say("x" * 2001), "one line has at most 2000"),
    (lambda e: e.release("d99"), "there is no dispatch d99"),
    (lambda e: e.cancel("nonsense"), "there is no dispatch nonsense"),
    (lambda e: e.release("d1"), "d1 is done already: there is nothing to release."),
]


def test_requests_that_cannot_be_met(bench: Any) -> None:
    async def work(b: Any) -> None:
        await b.engine.say("say hello")
        await b.until("notice", "d1")
        await b.idle()
        for request, sentence in SENTENCES:
            with pytest.raises(EngineError, match=sentence):
                await request(b.engine)

    bench.run(work)
    with pytest.raises(EngineError, match="the job engine is not running"):
        asyncio.run(bench.engine.say("say hello"))
