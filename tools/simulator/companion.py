"""The companion as its user runs it: a process of its own, killed as a crash kills, its events read from its
API."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import timeline
from lapel_companion.events import Event, EventLog

EVENTS = "events.db"
STOP_S = 8.0
RETRY_S = 0.1
LINE_BYTES = 64 * 1024
LAST_LINES = 60

OnEvent = Callable[[str, Mapping[str, Any]], None]
OnExit = Callable[[int, list[str]], None]
# follow(state, after): events as JSON objects from the daemon of that state, until it ends; raises OSError
Follow = Callable[[Path, int], AsyncIterator[dict[str, Any]]]


@dataclass(frozen=True)
class CompanionSpec:
    """How to start the daemon. `radio` is a spec as of `lapel run --radio`; `under()` is asked at each start
    for the command that it runs under (a tracer), which must leave it the process that was started."""

    radio: str
    state: Path
    config: Path
    command: Sequence[str] = (sys.executable, "-m", "lapel_companion")
    under: Callable[[], Sequence[str]] = tuple

    def argv(self) -> list[str]:
        """The argument vector."""
        options = ["--config", str(self.config), "--state", str(self.state)]
        return [*self.under(), *self.command, "run", "--radio", self.radio, *options]


class Companion:
    """One daemon at a time. `on_event(name, fields)` gets what it tells; `on_exit(code, last_lines)` an end
    by itself."""

    def __init__(
        self, spec: CompanionSpec, follow: Follow, on_event: OnEvent, on_exit: OnExit
    ) -> None:
        self._spec = spec
        self._follow = follow
        self._on_event = on_event
        self._on_exit = on_exit
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        # the table's rows that are older than this run are no news
        self._after = last_seq(spec.state)
        self.pid = 0

    @property
    def running(self) -> bool:
        """The daemon is there."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; does nothing when it runs. Raises OSError."""
        if self.running:
            return
        await self._ended()
        self._process = await asyncio.create_subprocess_exec(
            *self._spec.argv(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=LINE_BYTES,
        )
        self.pid = self._process.pid
        self._tasks = [
            asyncio.create_task(self._watch(self._process)),
            asyncio.create_task(self._listen(self._process)),
        ]

    async def kill(self) -> None:
        """As a crash: no farewell."""
        await self._signal(signal.SIGKILL)

    def freeze(self, frozen: bool) -> None:
        """Stop the process where it stands, or let it go on."""
        if self.running:
            os.kill(self.pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    async def stop(self) -> None:
        """As a user stops it; killed when it does not listen."""
        await self._signal(signal.SIGTERM)

    async def _signal(self, number: int) -> None:
        # from here on its end is no surprise
        process, self._process = self._process, None
        if process and process.returncode is None:
            self.freeze(False)
            for each in (number, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, each)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(STOP_S):
                        await process.wait()
                    break
        await self._ended()

    async def _ended(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks[1:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        last: list[str] = []
        while True:
            try:
                raw = await process.stdout.readline()
            except ValueError:
                # a line past the limit: the reader has dropped it
                continue
            if not raw:
                break
            line = raw.decode(errors="replace").rstrip("\n")
            last = [*last[1 - LAST_LINES :], line]
            self._on_event("print", {"line": line})
        code = await process.wait()
        if process is self._process:
            self._process = None
            self._on_exit(code, last)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        # the daemon's table survives it: after a restart go on behind what was heard
        while process.returncode is None:
            with contextlib.suppress(OSError):
                async for event in self._follow(self._spec.state, self._after):
                    self._after = max(self._after, int(event["seq"]))
                    self._on_event(*told(event))
            await asyncio.sleep(RETRY_S)


def told(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and fields of a row of the daemon's table, as `lapel run --json` gives them; but `notice` is
    `notice_recorded` here: a run's `notice` is the one that the pin felt."""
    public = timeline.public(Event(**row))
    name = str(public.pop("event"))
    return ("notice_recorded" if name == "notice" else name), public


def last_seq(state: Path) -> int:
    """The number of the newest event that a state holds already; 0 for a new one."""
    path = state / EVENTS
    if not path.exists():
        return 0
    log = EventLog(path)
    try:
        return log.head()
    finally:
        log.close()
