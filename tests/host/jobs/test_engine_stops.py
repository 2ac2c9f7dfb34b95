"""The engine through stops, full disks and damage: the events are the truth."""

import asyncio
import contextlib
import hashlib
import sqlite3
import threading
import time
from asyncio import base_subprocess
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import dbos_host, dbos_runner, processes, workflows_v1
from lapel_companion.engine import EngineError


def test_a_full_disk_delays_and_loses_nothing(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lapel_companion import steps

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
        dispatch = await b.hear("make a note once", press_unix_ms=b.now_ms())
        await b.until("outcome", dispatch)
        await b.until("job", dispatch, state="done")
        full["job"] = 3
        second = await b.hear("say hello", press_unix_ms=b.now_ms())
        await b.until("notice", second)
        await b.idle()
        assert len(b.log.read(kinds=["attempt"], dispatch=second)) == 1
        assert b.kinds(dispatch, "outcome", "outcome") == ["jobs"]
        assert (b.state / "notes.md").read_text().count("once") == 1
        assert [report for report in b.reports if "d1 could not go on" in report]
        assert [report for report in b.reports if "the result of d2.1 cannot be saved yet" in report]

    bench.run(work)


def test_stop_and_start_goes_on_with_what_waits(bench: Any) -> None:
    clock = {"now": time.time()}
    bench.now = lambda: clock["now"]
    bench.engine = bench.make()

    async def before(b: Any) -> None:
        await b.engine.say("remind me in an hour to go")
        await b.until("notice", "d1", kind="done")
        b.accept("say hello", press_unix_ms=b.now_ms())

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
        bench.run(before)
    # It did not come to its limit.
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
