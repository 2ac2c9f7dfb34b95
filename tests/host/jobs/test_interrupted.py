"""What may have run is asked about: by whom it is answered, and what each answer does."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import ledger, processes


async def interrupt(b: Any, text: str = "wait for it") -> None:
    """Say something that runs, and stop the companion under it; `b` has a new engine then."""
    ran = len(b.ledger())
    await b.engine.start()
    dispatch = await b.hear(text, press_unix_ms=b.now_ms())
    await b.until("job", dispatch, state="running")
    async with asyncio.timeout(30):
        while len(b.ledger()) == ran:
            await asyncio.sleep(0.01)
    await b.engine.close()
    b.engine = b.make()


async def asked(b: Any, dispatch: str, times: int = 1) -> str:
    """The id of the notice that asks about a dispatch for the so-many-th time."""
    async with asyncio.timeout(30):
        while len(found := b.log.read(kinds=["notice"], dispatch=dispatch)) < times:
            await asyncio.sleep(0.01)
    notice = found[times - 1]
    assert (notice.body["kind"], notice.job) == ("held", f"{dispatch}.{times}")
    await b.idle()
    return str(b.on_the_pin(notice))


async def reply(b: Any, words: str, notice_id: str) -> str:
    return str(await b.hear(words, press_unix_ms=b.now_ms(), reply_to=notice_id))


def go(bench: Any, work: Any) -> None:
    bench.ears.trusted = True

    async def main() -> None:
        await interrupt(bench)
        await bench.engine.start()
        try:
            await work(bench)
        finally:
            await bench.engine.close()

    asyncio.run(main())


@pytest.mark.parametrize("words", ["yes", "Run it again."])
def test_a_spoken_yes_runs_it_again(bench: Any, words: str) -> None:
    async def work(b: Any) -> None:
        notice_id = await asked(b, "d1")
        assert b.ledger() == ["ran"]
        answer = await reply(b, words, notice_id)
        await b.until("job", "d1", id="d1.2", state="running")
        assert b.kinds(answer, "outcome", "outcome") == ["answer"]
        # The question is off the pin, and off the count.
        assert [notice.kind for notice in b.outbox.unseen()] == []
        while len(b.ledger()) < 2:
            await asyncio.sleep(0.01)
        await b.engine.cancel("d1")
        await b.idle()
        assert b.ledger() == ["ran", "ran"]

    go(bench, work)


def test_a_no_puts_it_away_and_does_not_say_that_it_was_not_done(bench: Any) -> None:
    async def work(b: Any) -> None:
        await reply(b, "no", await asked(b, "d1"))
        notice = await b.until("notice", "d1", kind="cancelled")
        assert notice.body["text"] == "wait for it: not run again, you said no"
        await b.idle()
        assert (ledger.need(b.log, "d1").status, b.ledger()) == ("cancelled", ["ran"])

    go(bench, work)


def test_silence_is_no_consent_and_a_cancel_is_a_no(bench: Any) -> None:
    async def work(b: Any) -> None:
        await asked(b, "d1")

    go(bench, work)
    bench.engine = bench.make()

    async def after(b: Any) -> None:
        # A start more asks nobody again, and runs nothing.
        assert await b.engine.reconcile() == 0
        assert len(b.log.read(kinds=["notice"], dispatch="d1")) == 1
        assert await b.engine.cancel("d1") == "d1 is cancelled."
        assert "not run again, you cancelled it" in (await b.until("notice", "d1", kind="cancelled")).body["text"]
        assert b.ledger() == ["ran"]

    bench.run(after)


def test_an_answer_to_the_first_question_does_not_answer_the_second(bench: Any) -> None:
    """Two replies to one question, the second one late on the pin: it asks about another run by then."""

    async def main() -> None:
        b = bench
        b.ears.trusted = True
        await interrupt(b)
        await b.engine.start()
        first = await asked(b, "d1")
        await reply(b, "yes", first)
        await b.until("job", "d1", id="d1.2", state="running")
        async with asyncio.timeout(30):
            while len(b.ledger()) < 2:
                await asyncio.sleep(0.01)
        await b.engine.close()
        b.engine = b.make()
        await b.engine.start()
        await asked(b, "d1", 2)
        late = await reply(b, "yes", first)
        assert (await b.until("outcome", late)).body["reason"] == "reply_closed"
        assert ledger.need(b.log, "d1").status == "held"
        await b.engine.close()
        assert b.ledger() == ["ran", "ran"]

    asyncio.run(main())


def test_a_reply_to_a_number_that_was_never_sent_answers_nothing(bench: Any) -> None:
    """After a backup was restored the pin knows another notice by that number."""

    async def work(b: Any) -> None:
        notice = await b.until("notice", "d1")
        await b.idle()
        strange = await reply(b, "yes", f"{notice.body['ep']}-{notice.body['seq']}")
        assert (await b.until("outcome", strange)).body["reason"] == "reply_unknown"
        assert b.ledger() == ["ran"]

    go(bench, work)


def test_a_recogniser_that_is_not_trusted_lets_nothing_run_again(bench: Any) -> None:
    bench.config = bench.config.__class__(**{
        **vars(bench.config),
        "phrases": tuple(
            phrase.__class__(**{**vars(phrase), "harmless": False}) for phrase in bench.config.phrases
        ),
    })
    bench.engine = bench.make()

    async def work(b: Any) -> None:
        b.ears.trusted = False
        doubtful = await reply(b, "yes", await asked(b, "d1"))
        assert (await b.until("outcome", doubtful)).body["reason"] == "answer_not_trusted"
        assert b.ledger() == ["ran"]

    go(bench, work)


def test_a_command_that_waited_in_an_earlier_run_for_days_is_asked_about(bench: Any) -> None:
    """As a backup of last week's has it: whether it ran since is not known there."""
    real = time.time
    clock = {"now": real() - 7200}
    bench.log._clock = lambda: clock["now"]
    plan = {"argv": ["sh", "-c", f"echo ran >> {bench.state}/ledger"], "cwd": "/", "env": [], "timeout_s": 5,
            "max_output_bytes": 999, "idempotent": False, "result": None}
    for harmless in (False, True):
        with bench.log.transaction():
            dispatch = bench.accept("write x down")
            outcome = {"outcome": "jobs", "reason": "matched", "why": "", "heard": "x", "round": 1}
            bench.log.append("outcome", outcome, principal="pin", dispatch=dispatch)
            job = {"id": f"{dispatch}.1", "agent": "command", "state": "queued", "heard": "x", "plan": plan,
                   "round": 1, "harmless": harmless}
            bench.log.append("job", job, principal="pin", dispatch=dispatch, job=f"{dispatch}.1")
    clock["now"] = real()

    async def work(b: Any) -> None:
        notice = await b.until("notice", "d1")
        assert notice.body["text"] == "Heard: x. It was said 2 hours ago and has not begun: do it now?"
        await b.until("job", "d2", state="done")
        await b.idle()
        assert b.ledger() == ["ran"]
        await b.engine.release("d1", "write once down")
        await b.until("job", "d1", id="d1.2", state="done")

    bench.run(work)


DETACHED = "import os, time; os.fork() and os._exit(0); os.setsid(); open({flag!r}, 'w').close(); time.sleep(60)"
linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


def detached(flag: Path, mark: str) -> processes.Process:
    """A process that has left its group and session; its parent is dead."""
    command = [sys.executable, "-c", DETACHED.format(flag=str(flag))]
    subprocess.run(command, env={**os.environ, processes.MARK: mark}, check=True, start_new_session=True)
    while not flag.exists():
        time.sleep(0.01)
    (found,) = processes.marked(mark)
    return found


@linux
def test_who_left_the_group_is_found_by_its_mark(tmp_path: Path) -> None:
    found = detached(tmp_path / "flag", "0123")
    attempt = {"pgid": 2**22 - 3, "started": "other-boot/1", "mark": "0123"}
    assert asyncio.run(processes.end_leftover({**attempt, "mark": "012"})) is False
    assert processes.look(found.pid) == found
    assert asyncio.run(processes.end_leftover(attempt)) is True
    assert processes.look(found.pid) is None


@linux
def test_one_that_is_stopped_is_ended_too(tmp_path: Path) -> None:
    found = detached(tmp_path / "flag", "4567")
    os.kill(found.pid, 19)
    assert asyncio.run(processes.end_leftover({"pgid": found.pgid, "started": found.started, "mark": "4567"}))
    assert processes.look(found.pid) is None


def test_what_cannot_be_ended_is_said_and_nothing_is_run_beside_it(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process in the kernel's hands, even of a command that may be run again."""

    async def before(b: Any) -> None:
        await b.engine.say("wait again")
        while not b.ledger():
            await asyncio.sleep(0.01)

    bench.run(before)
    bench.engine = bench.make()

    async def cannot(attempt: Any) -> bool:
        raise processes.StillThere("the process 4711 cannot be ended")

    monkeypatch.setattr(processes, "end_leftover", cannot)

    async def after(b: Any) -> None:
        notice = await b.until("notice", "d1")
        assert notice.body["kind"] == "held"
        assert "may have run; the process 4711 cannot be ended: run it again?" in notice.body["text"]
        assert b.ledger() == ["ran"]

    bench.run(after)


def test_what_may_have_been_done_in_a_lost_history_is_asked_about(bench: Any) -> None:
    """The state was put back from a backup, and the pin offers a recording that it made before."""
    ids = [f"0a0b0c0d-00112233445566aa-{number}" for number in (7, 8)]

    async def work(b: Any) -> None:
        b.log.append("restored", {"ep": "00112233445566aa", "high": 7}, principal="pin")
        first = await b.hear("say hello", press_unix_ms=b.now_ms(), clip_id=ids[0])
        second = await b.hear("say hello", press_unix_ms=b.now_ms(), clip_id=ids[1])
        assert (await b.until("outcome", first)).body["reason"] == "restored"
        assert (await b.until("notice", first)).body["text"] == (
            "Heard: say hello. It may have been done before the state here was put back."
        )
        await b.until("notice", second, kind="done")
        await b.idle()
        await b.engine.release(first)
        await b.until("notice", first, kind="done")

    bench.run(work)
