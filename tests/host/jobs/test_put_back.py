"""What waits from an earlier run is not begun before the pin has told whether this state is the newest."""

from typing import Any

import pytest

FOREVER_S = 3600.0


def waiting(bench: Any, text: str) -> str:
    """A dispatch that an earlier run accepted and had not begun."""
    bench.ears.trusted = True
    dispatch: str = bench.accept(text, press_unix_ms=bench.now_ms())
    bench.pin_patience_s = FOREVER_S
    bench.engine = bench.make()
    return dispatch


async def decided(b: Any, dispatch: str) -> None:
    """Until it is understood, and another has begun and ended, which it could have done meanwhile."""
    await b.until("job", dispatch, state="queued")
    other = await b.engine.say("say hello")
    await b.until("notice", other, kind="done")
    assert b.kinds(dispatch, "attempt", "job") == []


def test_it_is_asked_about_when_the_pin_knows_a_later_history(bench: Any) -> None:
    dispatch = waiting(bench, "write bread down")

    async def work(b: Any) -> None:
        await decided(b, dispatch)
        b.log.append("epoch", {"old": "a", "new": "b", "why": "pin"}, principal="companion")
        b.engine.pin_linked()
        notice = await b.until("notice", dispatch)
        assert (notice.body["kind"], b.ledger()) == ("held", [])
        assert notice.body["text"] == (
            "Heard: write bread down. It may have been done before the state here was put back: do it now?"
        )
        await b.idle()
        await b.engine.release(dispatch)
        await b.until("notice", dispatch, kind="done")
        assert b.ledger() == ["bread"]

    bench.run(work)


def test_it_begins_as_soon_as_the_pin_is_linked(bench: Any) -> None:
    dispatch = waiting(bench, "write bread down")

    async def work(b: Any) -> None:
        await decided(b, dispatch)
        b.engine.pin_linked()
        await b.until("notice", dispatch, kind="done")
        assert b.ledger() == ["bread"]

    bench.run(work)


def test_it_begins_when_no_pin_comes(bench: Any) -> None:
    dispatch = waiting(bench, "write bread down")
    bench.pin_patience_s = 0.3
    bench.engine = bench.make()

    async def work(b: Any) -> None:
        await b.until("notice", dispatch, kind="done")

    bench.run(work)


def test_a_new_dispatch_waits_for_no_pin(bench: Any) -> None:
    bench.pin_patience_s = FOREVER_S
    bench.engine = bench.make()

    async def work(b: Any) -> None:
        dispatch = await b.engine.say("write bread down")
        await b.until("notice", dispatch, kind="done")

    bench.run(work)


def test_a_cancel_does_not_wait_for_the_pin(bench: Any) -> None:
    dispatch = waiting(bench, "write bread down")

    async def work(b: Any) -> None:
        await decided(b, dispatch)
        await b.engine.cancel(dispatch)
        await b.until("job", dispatch, state="cancelled")
        assert b.ledger() == []

    bench.run(work)


@pytest.mark.parametrize(("text", "kind"), [("make a note bread", "held"), ("wait again", "done")])
def test_only_what_does_no_harm_twice_is_done_unasked(bench: Any, text: str, kind: str) -> None:
    """A note would stand there twice; a command that its owner marked as idempotent is repeated."""
    (bench.state / "ledger").write_text("ran\n")
    dispatch = waiting(bench, text)

    async def work(b: Any) -> None:
        await decided(b, dispatch)
        b.log.append("epoch", {"old": "a", "new": "b", "why": "pin"}, principal="companion")
        b.engine.pin_linked()
        assert (await b.until("notice", dispatch)).body["kind"] == kind

    bench.run(work)


def test_what_was_accepted_in_a_lost_history_is_asked_about_before_it_is_planned(bench: Any) -> None:
    dispatch = waiting(bench, "write bread down")
    bench.log.append("epoch", {"old": "a", "new": "b", "why": "files"}, principal="companion")

    async def work(b: Any) -> None:
        assert (await b.until("outcome", dispatch)).body["reason"] == "restored"
        assert b.ledger() == []

    bench.run(work)
