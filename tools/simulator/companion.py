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
    """How to start the daemon. `radio` is a spec as of `lapel run --radio`."""

    radio: str
    state: Path
    config: Path
    command: Sequence[str] = (sys.executable, "-m", "lapel_companion")

    def argv(self) -> list[str]:
        """The argument vector."""
        options = ["--config", str(self.config), "--state", str(self.state)]
        return [*self.command, "run", "--radio", self.radio, *options]


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
        self._after = 0
        self._projection = Projection()
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

    async def stop(self) -> None:
        """As a user stops it; killed when it does not listen."""
        process = self._process
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_S)
        await self._signal(signal.SIGKILL)

    async def _signal(self, number: int) -> None:
        process, self._process = self._process, None
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)
            await process.wait()
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
                    for name, fields in self._projection.of(event):
                        self._on_event(name, fields)
            await asyncio.sleep(RETRY_S)


class Projection:
    """From the daemon's table of events to the events of a run."""

    def of(self, event: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Names and fields. What has no name here is passed on under its own, `notice` as `notice_recorded`:
        a run's `notice` is the one that the pin felt."""
        kind, body = str(event["kind"]), dict(event.get("body") or {})
        dispatch = event.get("dispatch")
        if kind == "dispatch":
            return [("dispatch", {"outcome": "accepted", **body, "id": dispatch})]
        if kind == "outcome":
            return [("dispatch", {**body, "id": dispatch})]
        if kind == "transcript":
            return [(kind, {"dispatch": dispatch, **body})]
        if kind == "notice":
            return [("notice_recorded", body)]
        return [(kind, body)]
