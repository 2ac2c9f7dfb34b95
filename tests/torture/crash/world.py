"""The world of one case: a folder, a wearer with their pin, ears, the agent's books, and daemons one after another."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from lapel_companion.client import ApiError, Client, NoDaemon
from tests.torture.agent import scene as agent
from tests.torture.agent.recogniser import Recogniser
from tests.torture.crash.entry import Orders
from tests.torture.crash.person import Press, Wearer
from tests.torture.crash.trap import STOP, Fault
from tests.torture.dark.power import Blackout
from tests.torture.dark.tracer import Ear, Tracer

ROOT = Path(__file__).parents[3]
START_LIMIT_S = 30.0
UNTIL_LIMIT_S = 8.0
STOPPED_S = 0.4
_POLL_S = 0.02
_NOTES = "kept"


class Died(Exception):
    """The daemon is gone, in the middle of a scene."""


class Nursery:
    """`with Nursery() as nursery`: starts daemons. One for all cases."""

    def __init__(self, strace: str = "") -> None:
        """strace: it looks on at everything that the daemons do."""
        self.tracer: Tracer | None = None
        self._strace = strace
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Nursery:
        if self._strace:
            folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="lapel-b-"))
            self.tracer = Tracer(self._strace, Path(folder))
            self._closing.callback(self.tracer.close)
            self.tracer.start()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]])}
        self._process = subprocess.Popen(
            [*(self.tracer.command if self.tracer else ()), sys.executable, "-m", "tests.torture.crash.nursery"],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._closing.close()

    def start(self, orders: Orders, log: Path) -> None:
        """Fork one daemon; it comes to the control socket of its orders."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"orders": orders.line(), "log": str(log)}).encode() + b"\n")
        self._process.stdin.flush()


class World:
    """`async with World(nursery) as world`. `trail` is what a listing daemon passed."""

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._closing = contextlib.AsyncExitStack()
        self._pid = 0
        self._ready = asyncio.Event()
        self.trail: list[str] = []
        self.sprung: str | None = None
        self.armed: Fault | None = None
        # When it was sprung, the power goes too: before the next start.
        self.blackout: Blackout | None = None
        self._dark = False
        self._killed = (0, 0)
        self._ear: Ear | None = None
        self.died = asyncio.Event()
        # What was typed: its number, and the dispatch that was promised (None: nobody knows whether it was taken).
        self.typed: dict[int, str | None] = {}
        # Of what its wearer released with other words.
        self.released: dict[int, Press] = {}
        self.seen_here: set[int] = set()
        self.deaths = 0

    async def __aenter__(self) -> World:
        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="lapel-b-"))
        self.folder = Path(folder).resolve()
        self.state = self.folder / "state"
        if self._nursery.tracer:
            self._ear = self._nursery.tracer.listen(self.folder)
            self._closing.callback(self._nursery.tracer.ignore, self._ear)
        self.wearer = Wearer(self.folder / "pin")
        self.ears = self._closing.enter_context(Recogniser(agent.text))
        self._config = agent.write_config(self.folder, self.ears.url)
        # A folder that is not there yet, whose name must become durable too.
        self._config.write_text(self._config.read_text().replace("/notes.md", f"/{_NOTES}/notes.md"))
        self._closing.push_async_callback(self.wearer.stop)
        await self.wearer.start()
        server = await asyncio.start_unix_server(self._controlled, self.folder / "control")
        self._closing.callback(server.close)
        self._closing.push_async_callback(self.kill)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    @property
    def log(self) -> str:
        """What the daemons said."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def last_words(self) -> str:
        """What the daemons said last."""
        lines = self.log.strip().splitlines()
        return lines[-1] if lines else "and said nothing"

    @property
    def books(self) -> agent.Books:
        books = agent.read_books(self.folder)
        return agent.Books(books.begun, books.ended, agent.read_books(self.folder / _NOTES).noted)

    async def start(self, fault: Fault | None = None) -> None:
        """A daemon, until its API answers. Raises Died."""
        if self.sprung and self.blackout and not self._dark:
            self._dark = True
            await asyncio.to_thread(self._go_dark, self.blackout)
        self.died.clear()
        self._ready.clear()
        orders = Orders(
            str(self.state),
            str(self._config),
            str(self.folder / "pin"),
            str(self.folder / "control"),
            None if fault is None else fault.as_dict(),
        )
        self._nursery.start(orders, self.folder / "log")
        await self._or_died(self._ready.wait(), START_LIMIT_S)

    async def start_armed(self) -> None:
        """The daemon that is meant."""
        await self.start(self.armed)

    async def end(self, number: int) -> None:
        """Send the daemon a signal, and wait until it is gone."""
        if self._pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)
            async with asyncio.timeout(START_LIMIT_S):
                await self.died.wait()

    async def kill(self) -> None:
        """As a power cut does."""
        await self.end(signal.SIGKILL)

    async def until(self, holds: Callable[[], bool], limit_s: float = UNTIL_LIMIT_S) -> bool:
        """Whether it came to hold within the limit: after a fault it need not. Raises Died."""
        deadline_s = time.monotonic() + limit_s
        while not holds():
            if self.died.is_set():
                raise Died(self.last_words)
            if time.monotonic() > deadline_s:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    async def get(self, path: str, **query: Any) -> dict[str, Any] | None:
        """The API's answer; None when there was none. Raises Died."""
        return await self._ask(lambda: Client(self.state).get(path, **query))

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The same for a POST: with None nobody knows whether it was taken."""
        return await self._ask(lambda: Client(self.state).post(path, body))

    async def say(self, number: int) -> None:
        """`lapel say`."""
        self.typed[number] = None
        answer = await self.post("/v1/say", {"text": agent.text(number)})
        if answer is not None:
            self.typed[number] = answer["dispatch"]

    async def release(self, press: Press, number: int) -> None:
        """`lapel release` with the words of another recording."""
        dispatch = self.wearer.pin.accepted.get(press.clip)
        if dispatch is None:
            return
        self.released[number] = press
        if await self.post("/v1/release", {"dispatch": dispatch, "text": agent.text(number)}) is not None:
            self.typed[number] = dispatch

    async def _ask(self, request: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            return await asyncio.to_thread(request)
        except (NoDaemon, ApiError):
            # A daemon that is killed in the middle of an answer is seen to be dead a moment later.
            await asyncio.sleep(_POLL_S)
            if self.died.is_set():
                raise Died(self.last_words) from None
            return None

    async def _or_died(self, what: Any, limit_s: float) -> None:
        tasks = [asyncio.ensure_future(what), asyncio.ensure_future(self.died.wait())]
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        if self.died.is_set():
            raise Died

    async def _controlled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                self._told(json.loads(line))
        writer.close()
        self._pid = 0
        self.deaths += 1
        self.died.set()

    def _told(self, said: dict[str, Any]) -> None:
        if "at" in said:
            self.trail.append(said["at"])
        elif "pid" in said:
            self._pid = said["pid"]
        elif "ready" in said:
            self._ready.set()
        elif "sprung" in said:
            self.sprung = said["point"]
            self._killed = self._pid, said["thread"]
            if said["sprung"] == STOP:
                self._going_on = asyncio.create_task(self._go_on())

    def _go_dark(self, blackout: Blackout) -> None:
        assert self._nursery.tracer and self._ear, "nobody looked on"
        blackout.come(self._nursery.tracer, self._ear, self.folder, *self._killed)

    async def _go_on(self) -> None:
        # While it stands still the pin walks out of reach and comes back.
        self.wearer.cut()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOPPED_S):
                await self.died.wait()
        if self._pid:
            os.kill(self._pid, signal.SIGCONT)
