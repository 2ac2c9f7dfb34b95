"""Stand-ins around the companion's link: a client at bleak's API with a bad radio between it and the pin,
an outbox in memory, and a daemon's parts put together on a folder."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bleak.exc import BleakError, BleakGATTProtocolError

from lapel_companion import intake as intake_module
from lapel_companion.clips import ClipFiles
from lapel_companion.clock import PinClock
from lapel_companion.events import EventLog
from lapel_companion.intake import Intake
from lapel_companion.link import desk as desk_module
from lapel_companion.link import peer as peer_module
from lapel_companion.link import reading as reading_module
from lapel_companion.link import teller as teller_module
from lapel_companion.link.desk import PinDesk
from lapel_companion.link.peer import Peer
from lapel_companion.notices import Outbox
from lapel_companion.state import StateFolder
from lapel_wire import clips as wire_clips
from lapel_wire import gatt
from lapel_wire import receiver as wire_receiver
from tests.host.companion.companion_pin import KEY, Connection, Pin


def make_hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats and limits fifty times shorter, so that lost packets do not cost the test seconds."""
    monkeypatch.setattr(wire_clips, "RETRY_MS", 40)
    monkeypatch.setattr(wire_receiver, "RESUME_INTERVAL_MS", 10)
    monkeypatch.setattr(teller_module, "REPEAT_S", 0.04)
    monkeypatch.setattr(desk_module, "_REPEAT_S", 0.04)
    monkeypatch.setattr(reading_module, "REPEAT_S", 0.04)
    monkeypatch.setattr(peer_module, "_TICK_S", 0.01)
    monkeypatch.setattr(peer_module, "_HELLO_REPEAT_S", 0.02)
    monkeypatch.setattr(peer_module, "HANDSHAKE_LIMIT_S", 0.2)
    monkeypatch.setattr(peer_module, "BACKOFF_S", (0.001, 0.003))
    monkeypatch.setattr(intake_module, "BATCH_S", 0.002)
    monkeypatch.setattr(intake_module, "RETRY_S", (0.01, 0.02))


@dataclass
class Faults:
    """How bad the radio is, each 0 to 1; `cut_after` ends the connection after so many packets."""

    loss: float = 0.0
    double: float = 0.0
    swap: float = 0.0
    refuse: float = 0.0
    cut_after: int | None = None
    random: random.Random = field(default_factory=random.Random)

    def pass_on(self, packet: bytes, held: list[bytes], give: Callable[[bytes], None]) -> None:
        roll = self.random.random
        if roll() < self.loss:
            return
        if not held and roll() < self.swap:
            held.append(packet)
            return
        give(packet)
        if roll() < self.double:
            give(packet)
        while held:
            give(held.pop())


class FakeClient:
    """What Peer needs of a BleakClient, over `Faults`."""

    def __init__(self, pin: Pin, faults: Faults, *, mtu: int = 247, info: bytes = gatt.INFO) -> None:
        self._faults = faults
        self._info = info
        self._mtu = mtu
        self._connection = Connection(pin, mtu, self._notify)
        pin.hang_up = self.cut
        self._callback: Callable[[Any, bytearray], None] | None = None
        self._up_held: list[bytes] = []
        self._down_held: list[bytes] = []
        self._packets = 0
        self._alive = True
        self.gone: Callable[[], None] = lambda: None
        self.writes = 0
        self.packets_up = 0
        self._answer: bytes | None = None
        self._lose: dict[bool, int] = {}
        self.refused = 0
        self.services = SimpleNamespace(get_characteristic=self._characteristic)

    async def pump(self) -> None:
        """The pin's side of the radio."""
        while self._alive:
            self._connection.pump()
            await asyncio.sleep(0.001)

    async def read_gatt_char(self, _: Any) -> bytearray:
        self._check()
        return bytearray(self._info)

    async def start_notify(self, _: Any, callback: Callable[[Any, bytearray], None]) -> None:
        self._check()
        self._callback = callback

    async def write_gatt_char(self, _: Any, data: bytes, response: bool) -> None:
        assert response, "the pin's inbox is small: every write waits for its answer"
        assert len(data) <= self._mtu - 3
        await asyncio.sleep(0)
        self._check()
        if self._faults.random.random() < self._faults.refuse:
            self.refused += 1
            raise BleakGATTProtocolError(0x11)
        self.writes += 1
        self._count()
        if self._is_lost(False):
            return
        self._faults.pass_on(data, self._down_held, self._connection.write)

    def cut(self) -> None:
        """The connection ends."""
        if self._alive:
            self._alive = False
            self.gone()

    def answer_with(self, packet: bytes) -> None:
        """Whoever is there answers the handshake with this."""
        self._answer = packet

    def lose(self, number: int, *, up: bool) -> None:
        """The packet of that number is lost on its way up or down."""
        self._lose[up] = number

    def _is_lost(self, up: bool) -> bool:
        left = self._lose.pop(up, -1)
        if left > 0:
            self._lose[up] = left - 1
        return left == 0

    def _notify(self, packet: bytes) -> None:
        self.packets_up += 1
        packet = self._answer or packet
        if self._is_lost(True):
            return
        if self._alive and self._callback is not None:
            self._count()
            callback = self._callback
            self._faults.pass_on(packet, self._up_held, lambda data: callback(None, bytearray(data)))

    def _count(self) -> None:
        self._packets += 1
        if self._faults.cut_after is not None and self._packets >= self._faults.cut_after:
            self.cut()

    def _check(self) -> None:
        if not self._alive:
            raise BleakError("Not connected")

    def _characteristic(self, uuid: str) -> Any:
        return SimpleNamespace(uuid=uuid, max_write_without_response_size=self._mtu - 3)


class Rig:
    """The companion's side without radio, engine and API."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None) -> None:
        self.state = StateFolder.open(folder)
        self.log = EventLog(self.state.events_path)
        self.files = ClipFiles(self.state.clips_dir)
        self.outbox = Outbox(self.log, self.state.epoch)
        self.outbox.load()
        self.submitted: list[str] = []
        self.cancelled: list[tuple[str, int]] = []
        self.reports: list[str] = []
        self.intake = Intake(self.log, self.files, submit=self._submit, report=self.reports.append)
        self.desk = PinDesk(
            self.state,
            self.log,
            self.intake,
            self.outbox,
            PinClock(folder / "clock.json"),
            settings=settings or {"preroll": False},
            cancel_clip=self._cancel_clip,
            report=self.reports.append,
        )
        self._tasks: list[asyncio.Task[None]] = []
        # Its own, so that they can die with it.
        self._threads = ThreadPoolExecutor()

    def record(self, kind: str, text: str) -> int:
        """A notice, as the engine would record it."""
        seq = self.outbox.record(kind, dispatch="d1", text=text, principal="engine")
        self.outbox.shown(seq, "test")
        return seq

    async def start(self) -> None:
        asyncio.get_running_loop().set_default_executor(self._threads)
        await self.intake.start()
        self._tasks = [asyncio.create_task(self.intake.run()), asyncio.create_task(self._watch())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        await self.intake.close()
        self.log.close()
        self.state.close()

    def die(self) -> None:
        """As kill -9 would: nothing is written any more, by no thread either; what was durable stays."""
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(cancel_futures=True)
        self.log.close()
        self.state.close()

    async def connect(self, client: FakeClient, until: Callable[[], bool] = lambda: False) -> str:
        """One connection, until it ends or `until`; why it ended."""
        peer = Peer(client, self.desk, KEY, interval_ms=30)  # type: ignore[arg-type]
        client.gone = peer.disconnected
        reason = "it was ended"

        async def talk() -> None:
            nonlocal reason
            reason = await peer.run()

        try:
            await peer_module.run_until(talk(), client.pump(), poll(until))
        except peer_module.EXPECTED as error:
            reason = str(error)
        finally:
            client.cut()
            await self.desk.left(reason)
        return reason

    async def _watch(self) -> None:
        async for event in self.log.subscribe(self.log.head()):
            self.desk.on_event(event)

    async def _submit(self, dispatch: str) -> None:
        self.submitted.append(dispatch)

    async def _cancel_clip(self, clip_id: str, cancel_id: int) -> None:
        self.cancelled.append((clip_id, cancel_id))


@contextmanager
def no_leftovers() -> Iterator[None]:
    """Every task that began inside has ended."""
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() == before


def run(test: Callable[[], Awaitable[None]], limit_s: float = 30.0) -> None:
    """Run an async test in a loop of its own."""

    async def limited() -> None:
        async with asyncio.timeout(limit_s):
            await test()

    asyncio.run(limited())


async def poll(until: Callable[[], bool]) -> None:
    """Until `until` holds."""
    while not until():
        await asyncio.sleep(0.002)
