"""The companion as a process: its events, its end by itself, kill and start."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from lapel_companion.events import EventLog
from simulator.companion import Companion, CompanionSpec, last_seq, told

RUNS = "import sys, time; print('up', *sys.argv[1:], flush=True); time.sleep(600)"
DIES = "import sys; print('no radio here'); sys.exit(4)"


class Watched:
    """A companion of one program, and what it said."""

    def __init__(self, state: Path, program: str, rows: list[dict[str, Any]] | None = None) -> None:
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.exits: list[tuple[int, list[str]]] = []
        self.asked: list[int] = []
        self._rows = rows or []
        spec = CompanionSpec("bleak", state, state / "c.toml", (sys.executable, "-c", program))
        self.companion = Companion(
            spec, self._follow, lambda name, fields: self.events.append((name, fields)), self._exited
        )

    async def _follow(self, state: Path, after: int) -> AsyncIterator[dict[str, Any]]:
        self.asked.append(after)
        for row in self._rows:
            if row["seq"] > after:
                yield row
        await asyncio.sleep(3600)

    def _exited(self, code: int, last: list[str]) -> None:
        self.exits.append((code, last))

    async def until(self, ready: Callable[[], bool]) -> None:
        """Until `ready()`."""
        async with asyncio.timeout(10):
            while not ready():
                await asyncio.sleep(0.01)


def row(seq: int, kind: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A row as the API gives it."""
    rest = {"ts": time.time(), "principal": "pin", "dispatch": None, "job": None, "host": "h"}
    return {"seq": seq, **rest, "kind": kind, "body": body, **more}


def test_events_come_and_after_a_kill_only_new_ones_are_asked_for(tmp_path: Path) -> None:
    async def run() -> None:
        rows = [row(3, "linked", {"mtu": 247, "interval_ms": 30})]
        watched = Watched(tmp_path, RUNS, rows)
        await watched.companion.start()
        await watched.until(lambda: len(watched.events) == 2)
        assert ("linked", {"mtu": 247, "interval_ms": 30}) in watched.events
        printed = dict(watched.events)["print"]["line"]
        assert printed == f"up run --radio bleak --config {tmp_path}/c.toml --state {tmp_path}"
        pid = watched.companion.pid
        assert os.getpgid(pid) == pid
        await watched.companion.kill()
        assert not watched.companion.running
        assert watched.exits == []
        await watched.companion.start()
        await watched.until(lambda: len(watched.asked) == 2)
        assert watched.asked == [0, 3]
        await watched.companion.stop()
        assert not watched.companion.running

    asyncio.run(run())


def test_an_end_by_itself_is_told_with_what_it_said(tmp_path: Path) -> None:
    async def run() -> None:
        watched = Watched(tmp_path, DIES)
        await watched.companion.start()
        await watched.until(lambda: bool(watched.exits))
        assert watched.exits == [(4, ["no radio here"])]

    asyncio.run(run())


def test_what_a_state_holds_already_is_no_news(tmp_path: Path) -> None:
    assert last_seq(tmp_path) == 0
    log = EventLog(tmp_path / "events.db")
    log.append("linked", {"mtu": 23, "interval_ms": 30}, principal="system")
    log.close()
    assert last_seq(tmp_path) == 1
    assert Watched(tmp_path, RUNS).companion._after == 1


def test_the_names_of_the_contract() -> None:
    assert told(row(1, "notice", {"seq": 4, "kind": "done", "job": "d1.1", "text": "x"}, dispatch="d1")) == (
        "notice_recorded",
        {"seq": 4, "kind": "done", "job": "d1.1", "text": "x", "detail": None, "dispatch": "d1"},
    )
    name, fields = told(row(1, "outcome", {"outcome": "held", "reason": "r", "heard": "h"}, dispatch="d1"))
    assert (name, fields["id"], fields["outcome"]) == ("dispatch", "d1", "held")
    name, fields = told(row(1, "dispatch", {"id": "d1", "outcome": "accepted", "clip": "c"}, dispatch="d1"))
    assert (name, fields["id"], fields["outcome"]) == ("dispatch", "d1", "accepted")
    job = {"id": "d1.1", "agent": "command", "state": "done"}
    name, fields = told(row(1, "job", job, dispatch="d1", job="d1.1"))
    assert (name, fields["id"], fields["agent"], fields["state"]) == ("job", "d1.1", "command", "done")
