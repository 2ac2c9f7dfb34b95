"""Dispatches through the real engine, on the real database."""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import ledger, phrases
from lapel_companion.engine import EngineError


def test_a_clip_becomes_a_result(bench: Any) -> None:
    async def work(b: Any) -> None:
        dispatch = await b.hear("say hello", press_unix_ms=b.now_ms())
        notice = await b.until("notice", dispatch)
        assert notice.body["text"] == "say hello: hello"
        assert (notice.body["kind"], notice.body["seq"], notice.body["job"]) == ("done", 1, "d1.1")
        await b.idle()
        assert b.kinds(dispatch, "job", "state") == ["queued", "running", "done"]
        assert b.kinds(dispatch, "outcome", "outcome") == ["jobs"]
        assert len(b.log.read(kinds=["attempt"], dispatch=dispatch)) == 1
        assert b.ears.hints[:2] == ["say hello", "write {text} down"]
        found = ledger.load(b.log, dispatch)
        assert found is not None
        assert (found.status, found.settled, found.heard) == ("done", True, "say hello")

    bench.run(work)


def test_typed_words_act_though_not_harmless(bench: Any) -> None:
    async def work(b: Any) -> None:
        dispatch = await b.engine.say("write it's -rf; $HOME down")
        assert (await b.until("job", dispatch, state="done")).principal == "person"
        assert b.ledger() == ["it's -rf; $HOME"]
        failed = await b.engine.say("fail now")
        notice = await b.until("notice", failed)
        assert (notice.body["kind"], notice.body["text"]) == ("failed", "fail now: failed, exit status 1")

    bench.run(work)


def test_what_is_not_clear_is_held_and_let_go_by_a_person(bench: Any) -> None:
    async def work(b: Any) -> None:
        held = await b.hear("write this down", press_unix_ms=b.now_ms())
        notice = await b.until("notice", held)
        assert notice.body["kind"] == "held"
        assert notice.body["text"].startswith("Heard: write this down. ")
        assert f"lapel release {held}" in notice.body["detail"]
        assert b.ledger() == []
        await b.idle()
        await b.engine.release(held)
        await b.until("job", held, state="done")
        assert b.ledger() == ["this"]
        assert b.outbox.unseen()[0].kind == "done"

        odd = await b.hear("sigh hollow", press_unix_ms=b.now_ms())
        assert (await b.until("notice", odd)).body["text"] == (
            "Heard: sigh hollow. No phrase of yours says that."
        )
        await b.idle()
        await b.engine.release(odd)
        await b.until("outcome", odd, round=2, outcome="held")
        await b.idle()
        await b.engine.release(odd, "say hello")
        assert (await b.until("notice", odd, kind="done")).body["text"] == "say hello: hello"

    bench.run(work)


def test_what_counts_as_said(bench: Any) -> None:
    """With a recogniser that is not trusted only what it confirmed, until a person stands for the words."""
    bench.match = phrases.match

    async def work(b: Any) -> None:
        alike = await b.hear("say hello", press_unix_ms=b.now_ms())
        assert (await b.until("outcome", alike)).body["reason"] == "no_match"
        await b.idle()
        await b.engine.release(alike)
        assert (await b.until("notice", alike, kind="done")).body["text"] == "say hello: hello"
        b.ears.confirms = ("say hello",)
        sure = await b.hear("say yellow", press_unix_ms=b.now_ms())
        assert (await b.until("notice", sure)).body["text"] == "say hello: hello"
        b.ears.confirms = ("write this down",)
        serious = await b.hear("right this town", press_unix_ms=b.now_ms())
        assert (await b.until("outcome", serious)).body["reason"] == "not_trusted"
        # What is asked about is what letting it go would do.
        assert (await b.until("notice", serious)).body["text"].startswith("Heard: write this down. ")
        await b.idle()
        await b.engine.release(serious)
        await b.until("job", serious, state="done")
        assert b.ledger() == ["this"]
        b.ears.trusted, b.ears.confirms = True, ()
        trusted = await b.hear("Say hello, please.", press_unix_ms=b.now_ms())
        assert (await b.until("outcome", trusted)).body["outcome"] == "jobs"

    bench.run(work)


def test_what_was_not_said_clearly_enough(bench: Any, speech_error: type[Exception]) -> None:
    async def work(b: Any) -> None:
        silence = await b.hear("", press_unix_ms=b.now_ms())
        assert (await b.until("notice", silence)).body["kind"] == "unheard"
        cut = await b.hear("say hello", press_unix_ms=b.now_ms(), cut=True)
        assert (await b.until("outcome", cut)).body["reason"] == "cut"
        old = await b.hear("write old down", press_unix_ms=b.now_ms(3600))
        assert (await b.until("outcome", old)).body["outcome"] == "held"
        due = await b.hear("remind me in ten minutes to go")
        assert "nobody knows when" in (await b.until("outcome", due)).body["why"]
        b.ears.fails = speech_error("the model is not there; fetch it")
        deaf = await b.hear("say hello", press_unix_ms=b.now_ms())
        notice = await b.until("notice", deaf)
        assert notice.body["text"] == "Heard nothing. The model is not there; fetch it."
        await b.idle()
        b.ears.fails = None
        await b.engine.release(deaf)
        assert (await b.until("notice", deaf, kind="done")).body["text"] == "say hello: hello"

    bench.run(work)


def test_a_recording_that_was_cut_is_held_and_can_be_let_go(bench: Any) -> None:
    async def work(b: Any) -> None:
        cut = await b.hear("write half down", press_unix_ms=b.now_ms(), cut=True)
        notice = (await b.until("notice", cut, kind="held")).body
        assert notice["text"] == "Heard: write half down. The recording was cut short, so it may be half a sentence."
        assert f"lapel release {cut}" in notice["detail"]
        # Its first page had decayed: what was said is not known, and so not nothing.
        empty = await b.hear("", press_unix_ms=b.now_ms(), cut=True)
        notice = (await b.until("notice", empty, kind="held")).body
        assert notice["text"] == "Heard nothing. The recording was cut short, so it may be half a sentence."
        assert f'lapel release {empty} "the right words"' in notice["detail"]
        await b.idle()
        assert b.ledger() == []
        await b.engine.release(cut)
        await b.until("notice", cut, kind="done")
        await b.engine.release(empty, "write all down")
        await b.until("notice", empty, kind="done")
        assert b.ledger() == ["half", "all"]

    bench.run(work)


def test_in_the_order_in_which_it_was_said(bench: Any) -> None:
    words = ["one", "two", "three", "four", "five"]
    for word in words[:3]:
        bench.accept(f"make a note {word}", press_unix_ms=bench.now_ms())

    async def work(b: Any) -> None:
        for word in words[3:]:
            await b.hear(f"make a note {word}", press_unix_ms=b.now_ms())
        await b.until("job", "d5", state="done")
        await b.idle()
        assert b.ears.heard == [f"make a note {word}" for word in words]
        assert [event.dispatch for event in b.log.read(kinds=["outcome"])] == ["d1", "d2", "d3", "d4", "d5"]

    bench.run(work)


def test_what_is_typed_does_not_wait_for_what_is_being_heard(bench: Any) -> None:
    async def work(b: Any) -> None:
        b.ears.may_hear.clear()
        spoken = await b.hear("make a note slowly", press_unix_ms=b.now_ms())
        assert await asyncio.to_thread(b.ears.listening.wait, 10)
        later = await b.hear("make a note later", press_unix_ms=b.now_ms())
        typed = await b.engine.say("make a note typed")
        await b.until("job", typed, state="done")
        assert b.log.read(kinds=["outcome"], dispatch=spoken) == []
        b.ears.may_hear.set()
        await b.until("job", later, state="done")
        await b.idle()
        assert [event.dispatch for event in b.log.read(kinds=["outcome"])] == [typed, spoken, later]

    bench.run(work)


def test_a_dispatch_is_submitted_twice_and_runs_once(bench: Any) -> None:
    async def work(b: Any) -> None:
        dispatch = b.accept("make a note once", press_unix_ms=b.now_ms())
        await asyncio.gather(*(b.engine.submit(dispatch) for _ in range(5)))
        await b.until("job", dispatch, state="done")
        await b.idle()
        await b.engine.submit(dispatch)
        assert await b.engine.reconcile() == 0
        await b.idle()
        assert (b.state / "notes.md").read_text().count("once") == 1
        assert len(b.log.read(kinds=["notice"], dispatch=dispatch)) == 1

    bench.run(work)


def test_one_engine_a_process(bench: Any) -> None:
    async def work(b: Any) -> None:
        second = b.make()
        with pytest.raises(EngineError, match="a job engine runs in this process already"):
            await second.start()
        await b.engine.say("say hello")
        await b.until("notice", "d1")

    bench.run(work)


def test_nothing_is_pickled(bench: Any) -> None:
    async def work(b: Any) -> None:
        await b.engine.say("say hello")
        await b.until("notice", "d1")
        await b.idle()

    bench.run(work)
    database = sqlite3.connect(bench.state / "dbos.sqlite")
    for table in ("workflow_status", "operation_outputs"):
        kinds = {row[0] for row in database.execute(f"SELECT serialization FROM {table}")}
        assert kinds == {"portable_json"}
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc")
def test_no_port_is_open(bench: Any) -> None:
    async def work(b: Any) -> None:
        ours = set()
        for entry in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                ours.add(os.readlink(f"/proc/self/fd/{entry}"))
        for name in ("tcp", "tcp6"):
            rows = [line.split() for line in Path("/proc/net", name).read_text().splitlines()[1:]]
            listening = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
            assert not ours & listening

    bench.run(work)
