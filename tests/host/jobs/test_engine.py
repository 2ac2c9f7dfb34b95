"""Dispatches through the real engine, on the real database."""

import asyncio
import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from asyncio import base_subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import dbos_host, dbos_runner, ledger, phrases, processes, workflows_v1
from lapel_companion.engine import EngineError


def now_ms(ago_s: float = 0) -> int:
    return int((time.time() - ago_s) * 1000)


def test_a_clip_becomes_a_result(bench: Any) -> None:
    async def work(b: Any) -> None:
        dispatch = await b.hear("say hello", press_unix_ms=now_ms())
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
        held = await b.hear("write this down", press_unix_ms=now_ms())
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

        odd = await b.hear("sigh hollow", press_unix_ms=now_ms())
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
        alike = await b.hear("say hello", press_unix_ms=now_ms())
        assert (await b.until("outcome", alike)).body["reason"] == "no_match"
        await b.idle()
        await b.engine.release(alike)
        assert (await b.until("notice", alike, kind="done")).body["text"] == "say hello: hello"
        b.ears.confirms = ("say hello",)
        sure = await b.hear("say yellow", press_unix_ms=now_ms())
        assert (await b.until("notice", sure)).body["text"] == "say hello: hello"
        b.ears.confirms = ("write this down",)
        serious = await b.hear("right this town", press_unix_ms=now_ms())
        assert (await b.until("outcome", serious)).body["reason"] == "not_trusted"
        # What is asked about is what letting it go would do.
        assert (await b.until("notice", serious)).body["text"].startswith("Heard: write this down. ")
        await b.idle()
        await b.engine.release(serious)
        await b.until("job", serious, state="done")
        assert b.ledger() == ["this"]
        b.ears.trusted, b.ears.confirms = True, ()
        trusted = await b.hear("Say hello, please.", press_unix_ms=now_ms())
        assert (await b.until("outcome", trusted)).body["outcome"] == "jobs"

    bench.run(work)


def test_what_was_not_said_clearly_enough(bench: Any, speech_error: type[Exception]) -> None:
    async def work(b: Any) -> None:
        silence = await b.hear("", press_unix_ms=now_ms())
        assert (await b.until("notice", silence)).body["kind"] == "unheard"
        cut = await b.hear("say hello", press_unix_ms=now_ms(), cut=True)
        assert (await b.until("outcome", cut)).body["reason"] == "cut"
        old = await b.hear("write old down", press_unix_ms=now_ms(3600))
        assert (await b.until("outcome", old)).body["outcome"] == "held"
        due = await b.hear("remind me in ten minutes to go")
        assert "nobody knows when" in (await b.until("outcome", due)).body["why"]
        b.ears.fails = speech_error("the model is not there; fetch it")
        deaf = await b.hear("say hello", press_unix_ms=now_ms())
        notice = await b.until("notice", deaf)
        assert notice.body["text"] == "Heard nothing. The model is not there; fetch it."
        await b.idle()
        b.ears.fails = None
        await b.engine.release(deaf)
        assert (await b.until("notice", deaf, kind="done")).body["text"] == "say hello: hello"

    bench.run(work)


def test_a_recording_that_was_cut_is_held_and_can_be_let_go(bench: Any) -> None:
    async def work(b: Any) -> None:
        cut = await b.hear("write half down", press_unix_ms=now_ms(), cut=True)
        notice = (await b.until("notice", cut, kind="held")).body
        assert notice["text"] == "Heard: write half down. The recording was cut short, so it may be half a sentence."
        assert f"lapel release {cut}" in notice["detail"]
        # Its first page had decayed: what was said is not known, and so not nothing.
        empty = await b.hear("", press_unix_ms=now_ms(), cut=True)
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
        bench.accept(f"make a note {word}", press_unix_ms=now_ms())

    async def work(b: Any) -> None:
        for word in words[3:]:
            await b.hear(f"make a note {word}", press_unix_ms=now_ms())
        await b.until("job", "d5", state="done")
        await b.idle()
        assert b.ears.heard == [f"make a note {word}" for word in words]
        assert [event.dispatch for event in b.log.read(kinds=["outcome"])] == ["d1", "d2", "d3", "d4", "d5"]

    bench.run(work)


def test_what_is_typed_does_not_wait_for_what_is_being_heard(bench: Any) -> None:
    async def work(b: Any) -> None:
        b.ears.may_hear.clear()
        spoken = await b.hear("make a note slowly", press_unix_ms=now_ms())
        assert await asyncio.to_thread(b.ears.listening.wait, 10)
        later = await b.hear("make a note later", press_unix_ms=now_ms())
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
        dispatch = b.accept("make a note once", press_unix_ms=now_ms())
        await asyncio.gather(*(b.engine.submit(dispatch) for _ in range(5)))
        await b.until("job", dispatch, state="done")
        await b.idle()
        await b.engine.submit(dispatch)
        assert await b.engine.reconcile() == 0
        await b.idle()
        assert (b.state / "notes.md").read_text().count("once") == 1
        assert len(b.log.read(kinds=["notice"], dispatch=dispatch)) == 1

    bench.run(work)


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


def test_a_cancel_before_its_clip_is_remembered(bench: Any) -> None:
    async def work(b: Any) -> None:
        for _ in range(2):
            await b.engine.cancel_clip("clip-d1", 7)
        dispatch = await b.hear("say hello", press_unix_ms=now_ms())
        assert (await b.until("notice", dispatch)).body["kind"] == "cancelled"
        assert b.kinds(dispatch, "outcome", "outcome") == ["cancelled"]
        assert len(b.log.read(kinds=["cancel"])) == 1
        await b.idle()
        # A person may still want it.
        await b.engine.release(dispatch)
        assert (await b.until("notice", dispatch, kind="done")).body["text"] == "say hello: hello"
        await b.idle()
        late = await b.hear("say hello", press_unix_ms=now_ms())
        await b.until("notice", late, kind="done")
        await b.idle()
        await b.engine.cancel_clip(f"clip-{late}", 8)
        assert "too late to cancel" in (await b.until("notice", late, kind="failed")).body["text"]

    bench.run(work)


def test_replies(bench: Any) -> None:
    async def work(b: Any) -> None:
        b.ears.trusted = True
        held = await b.hear("write it down", press_unix_ms=now_ms(7200))
        notice = await b.until("notice", held)
        notice_id = b.on_the_pin(notice)
        await b.idle()
        yes = await b.hear("yes", press_unix_ms=now_ms(), reply_to=notice_id)
        await b.until("job", held, state="done")
        assert b.kinds(yes, "outcome", "outcome") == ["answer"]
        assert b.ledger() == ["it"]
        await b.idle()
        again = await b.hear("yes", press_unix_ms=now_ms(), reply_to=notice_id)
        assert (await b.until("outcome", again)).body["reason"] == "reply_closed"
        strange = await b.hear("yes", press_unix_ms=now_ms(), reply_to="ffffffffffffffff-1")
        assert (await b.until("outcome", strange)).body["reason"] == "reply_unknown"

        other = await b.hear("right this town", press_unix_ms=now_ms())
        held_notice = await b.until("notice", other)
        await b.idle()
        reply_to = b.on_the_pin(held_notice)
        better = await b.hear("write this down", press_unix_ms=now_ms(), reply_to=reply_to)
        await b.until("job", better, state="done")
        assert ledger.need(b.log, other).status == "cancelled"
        assert b.ledger() == ["it", "this"]

        done = await b.until("notice", better, kind="done")
        follow = await b.hear("say hello", reply_to=b.on_the_pin(done))
        assert (await b.until("job", follow)).body["follows"] == f"{better}.1"

        doubtful = await b.hear("mumble", press_unix_ms=now_ms())
        asked = await b.until("notice", doubtful)
        await b.idle()
        await b.hear("no", press_unix_ms=now_ms(), reply_to=b.on_the_pin(asked))
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


def test_one_engine_a_process(bench: Any) -> None:
    async def work(b: Any) -> None:
        second = b.make()
        with pytest.raises(EngineError, match="a job engine runs in this process already"):
            await second.start()
        await b.engine.say("say hello")
        await b.until("notice", "d1")

    bench.run(work)


def test_a_full_disk_delays_and_loses_nothing(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lapel_companion import dbos_runner, steps

    monkeypatch.setattr(dbos_runner, "_AGAIN_S", (0.05,))
    monkeypatch.setattr(steps, "_SAVE_AGAIN_S", 0.05)
    append = bench.log.append
    full = {"outcome": 2, "job": 0, "transcript": 1}

    def sometimes(kind: str, body: Any, **more: Any) -> Any:
        state = body.get("state")
        if full.get(kind, 0) and state in (None, "done"):
            full[kind] -= 1
            raise sqlite3.OperationalError("database or disk is full")
        return append(kind, body, **more)

    monkeypatch.setattr(bench.log, "append", sometimes)

    async def work(b: Any) -> None:
        dispatch = await b.hear("make a note once", press_unix_ms=now_ms())
        await b.until("outcome", dispatch)
        await b.until("job", dispatch, state="done")
        full["job"] = 3
        second = await b.hear("say hello", press_unix_ms=now_ms())
        await b.until("notice", second)
        await b.idle()
        assert len(b.log.read(kinds=["attempt"], dispatch=second)) == 1
        assert b.kinds(dispatch, "outcome", "outcome") == ["jobs"]
        assert (b.state / "notes.md").read_text().count("once") == 1
        assert [report for report in b.reports if "d1 could not go on" in report]
        assert [report for report in b.reports if "the result of d2.1 cannot be saved yet" in report]

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


def test_stop_and_start_goes_on_with_what_waits(bench: Any) -> None:
    clock = {"now": time.time()}
    bench.now = lambda: clock["now"]
    bench.engine = bench.make()

    async def before(b: Any) -> None:
        await b.engine.say("remind me in an hour to go")
        await b.until("notice", "d1", kind="done")
        b.accept("say hello", press_unix_ms=now_ms())

    bench.run(before)
    assert bench.log.last("engine_mark").body["open"] == ["d1", "d2"]
    clock["now"] += 3700
    bench.engine = bench.make()

    async def after(b: Any) -> None:
        assert "was due at" in (await b.until("notice", "d1", kind="reminder")).body["text"]
        assert (await b.until("notice", "d2")).body["text"] == "say hello: hello"
        await b.idle()

    bench.run(after)
    assert bench.log.last("engine_mark").body["open"] == []


def test_stopped_while_a_command_runs(bench: Any) -> None:
    async def before(b: Any) -> None:
        await b.engine.say("wait for it")
        await b.until("job", "d1", state="running")
        while not b.ledger():
            await asyncio.sleep(0.01)

    bench.run(before)
    group = bench.log.last("attempt").body["pgid"]
    assert processes.members(group) == []
    assert bench.log.read(kinds=["notice"]) == []
    bench.engine = bench.make()

    async def after(b: Any) -> None:
        assert "It was interrupted and may have run" in (await b.until("notice", "d1")).body["text"]
        await b.idle()
        assert b.ledger() == ["ran"]

    bench.run(after)


def test_stopped_while_a_command_is_being_started(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """asyncio connects the pipes in a task of its own. Cancelled there, a start never ended, and no stop did."""
    connect = base_subprocess.BaseSubprocessTransport._connect_pipes
    connecting = threading.Event()

    async def slowly(*args: Any) -> None:
        connecting.set()
        # The stop is asked for meanwhile.
        for _ in range(20):
            await asyncio.sleep(0.01)
        await connect(*args)

    async def before(b: Any) -> None:
        await b.engine.say("wait for it")
        await asyncio.to_thread(connecting.wait, 30)

    with monkeypatch.context() as patched:
        patched.setattr(base_subprocess.BaseSubprocessTransport, "_connect_pipes", slowly)
        begun_s = time.monotonic()
        bench.run(before)
    assert time.monotonic() - begun_s < dbos_runner._STOP_LIMIT_S
    assert not [sentence for sentence in bench.reports if "did not end" in sentence]
    assert bench.ledger() == []
    bench.engine = bench.make()

    async def after(b: Any) -> None:
        if b.log.read(kinds=["attempt"]):
            assert "may have run" in (await b.until("notice", "d1")).body["text"]
        else:
            await b.until("job", "d1", state="running")
            await b.engine.cancel("d1")
        await b.idle()

    bench.run(after)


def test_a_task_that_does_not_end_is_told_and_not_waited_for(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbos_runner, "_STOP_LIMIT_S", 0.1)

    async def for_ever() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def work(b: Any) -> None:
        b.engine._loop.call_soon_threadsafe(b.engine._runner._spawn, for_ever())

    bench.run(work)
    assert bench.reports == ["1 tasks of the job engine did not end within 0.1 s."]


def test_a_job_that_brings_the_companion_down_is_not_run_for_ever(bench: Any) -> None:
    async def before(b: Any) -> None:
        await b.engine.say("wait again")
        await b.until("job", "d1", state="running")

    bench.run(before)
    for number in range(2, 6):
        body = {"job": "d1.1", "n": number, "pid": 1, "pgid": 1, "started": ""}
        bench.log.append("attempt", body, principal="person", dispatch="d1", job="d1.1")
    bench.engine = bench.make()

    async def after(b: Any) -> None:
        assert (await b.until("notice", "d1")).body["kind"] == "held"

    bench.run(after)


@pytest.mark.parametrize("damage", ["nothing", "gone", "rubbish", "torn"])
def test_the_events_are_enough_without_the_engines_database(bench: Any, damage: str) -> None:
    async def before(b: Any) -> None:
        await b.engine.say("remind me in two seconds to go")
        await b.until("notice", "d1")

    bench.run(before)
    database = bench.state / "dbos.sqlite"
    # It was closed: there is no journal that could mend it.
    assert [file.name for file in bench.state.glob("dbos*")] == ["dbos.sqlite"]
    if damage == "gone":
        database.unlink()
    elif damage == "rubbish":
        database.write_bytes(b"no database at all" * 100)
    elif damage == "torn":
        database.write_bytes(database.read_bytes()[:5000])
    bench.engine = bench.make()

    async def after(b: Any) -> None:
        assert (await b.until("notice", "d1", kind="reminder")).body["detail"] == "go"
        await b.idle()

    bench.run(after)
    assert len(bench.log.read(kinds=["notice"])) == 2
    assert any("begun anew" in report for report in bench.reports) == (damage in ("rubbish", "torn"))


def test_a_database_that_cannot_be_opened_is_a_sentence(bench: Any) -> None:
    (bench.state / "dbos.sqlite").mkdir()
    with pytest.raises(EngineError, match=r"the job engine cannot use .*dbos\.sqlite: unable to open"):
        asyncio.run(bench.engine.start())
    # And the process can still have an engine.
    (bench.state / "dbos.sqlite").rmdir()

    async def work(b: Any) -> None:
        await b.engine.say("say hello")
        await b.until("notice", "d1")

    bench.engine = bench.make()
    bench.run(work)


def test_workflows_that_ended_are_forgotten(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(dispatch: str) -> bool | None:
        with contextlib.closing(sqlite3.connect(bench.state / "dbos.sqlite")) as database:
            statement = "SELECT status FROM workflow_status WHERE workflow_uuid LIKE ?"
            row = database.execute(statement, [f"{dispatch}.%"]).fetchone()
        return row[0] == "SUCCESS" if row else None

    async def before(b: Any) -> None:
        await b.engine.say("say hello")
        await b.engine.say("remind me in an hour to go")
        await b.until("notice", "d1")
        await b.until("notice", "d2")
        async with asyncio.timeout(10):
            while not ended("d1"):
                await asyncio.sleep(0.02)

    bench.run(before)
    monkeypatch.setattr(dbos_host, "_KEPT_S", -60.0)
    bench.engine = bench.make()

    async def after(b: Any) -> None:
        async with asyncio.timeout(10):
            while ended("d1") is not None:
                await asyncio.sleep(0.02)
        assert ended("d2") is False
        assert b.engine.status()["open"] == 1

    bench.run(after)


def test_an_idle_engine_does_not_poll(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbos_host, "_CALM_LOOK_S", 0.05)

    def pollers() -> list[str]:
        names = [thread.name for thread in threading.enumerate()]
        return [name for name in names if "queue" in name or "background-jobs" in name]

    async def work(b: Any) -> None:
        await b.engine.say("say hello")
        await b.until("notice", "d1")
        async with asyncio.timeout(10):
            while pollers():
                await asyncio.sleep(0.02)
        await b.engine.say("say hello")
        await b.until("notice", "d2")

    bench.run(work)


def test_the_body_of_version_1_is_frozen() -> None:
    """Waiting work was begun by these very lines: to change them, begin workflows_v2 and keep this one."""
    text = Path(workflows_v1.__file__).read_text()
    body = text[text.index("    @DBOS.workflow") : text.index("    return dispatch_v1")]
    assert hashlib.sha256(body.encode()).hexdigest()[:16] == "93173ee8a230353e"
