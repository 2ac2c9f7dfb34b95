"""The local API over an engine that only records what it is asked."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from lapel_companion import socket_path
from lapel_companion.api import Api, Backend
from lapel_companion.blobs import Blobs
from lapel_companion.clips import ClipFiles
from lapel_companion.engine import EngineError
from lapel_companion.events import EventLog
from lapel_companion.link.reading import NoPin
from lapel_companion.notices import Outbox
from lapel_wire.flight_log import FlightLog
from tests.host.companion.companion_fakes import run


class FakeEngine:
    """Records what is asked; knows d1 and its running job."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.asked: list[tuple[Any, ...]] = []

    async def say(self, text: str, *, principal: str = "person") -> str:
        self.asked.append(("say", text, principal))
        with self._log.transaction():
            dispatch = self._log.next_dispatch()
            body = {"id": dispatch, "clip": None, "source": "say", "outcome": "accepted"}
            self._log.append("dispatch", body, principal=principal, dispatch=dispatch)
        return dispatch

    async def release(self, dispatch_id: str, text: str | None = None, *, principal: str = "person") -> None:
        self.asked.append(("release", dispatch_id, text, principal))
        if dispatch_id != "d1":
            raise EngineError(f"there is no dispatch {dispatch_id}.")

    async def cancel(self, dispatch_id: str, *, principal: str = "person") -> str:
        return f"{dispatch_id} is cancelled."

    def log_so_far(self, job_id: str) -> bytes | None:
        return b"half \xff a line" if job_id == "d1.1" else None


class Rig:
    def __init__(self, folder: Path) -> None:
        self.state = folder
        (folder / "clips").mkdir(parents=True)
        self.log = EventLog(folder / "events.db")
        self.outbox = Outbox(self.log, "0123456789abcdef")
        self.engine = FakeEngine(self.log)
        log = FlightLog()
        log.begin_boot("power")
        self.flight: bytes | None = bytes(log.sealed())
        self.blobs = Blobs(folder / "blobs")
        self.said: list[str] = []
        backend = Backend(
            self.log,
            self.engine,  # type: ignore[arg-type]
            self.outbox,
            ClipFiles(folder / "clips"),
            self.blobs,
            status=lambda: {"version": "test"},
            read_flight=self._flight,
            report=self._report,
        )
        self.api = Api(backend)

    def _report(self, sentence: str) -> None:
        self.said.append(sentence)

    async def _flight(self) -> bytes:
        if self.flight is None:
            raise NoPin("no pin is linked.")
        return self.flight

    async def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        def ask() -> tuple[int, dict[str, Any]]:
            connection = http.client.HTTPConnection("lapel", timeout=5)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(socket_path.find(self.state)))
            data = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
            given = {"Content-Type": "application/json", **headers} if data is not None else headers
            connection.request(method, path, data, given)
            response = connection.getresponse()
            found = response.status, json.loads(response.read())
            connection.close()
            return found

        return await asyncio.to_thread(ask)


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Rig]:
    rig = Rig(folder)
    await rig.api.start(folder)
    try:
        yield rig
    finally:
        await rig.api.close()
        rig.log.close()


def served(test: Callable[[Rig], Awaitable[None]], folder: Path) -> None:
    """A test against a daemon's API in a folder of its own."""

    async def work() -> None:
        async with serving(folder / "s") as rig:
            await test(rig)

    run(work)
