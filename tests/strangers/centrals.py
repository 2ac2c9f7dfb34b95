"""Strangers at the pin: who they are, and what they do once they are connected."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bumble import att, core, hci
from bumble.device import Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy

from lapel_companion.link.peer import ended
from lapel_wire import gatt
from lapel_wire.packets import Cutter
from simulator.simulation import Simulation
from tests.strangers.radios import Radio, passes

OPENING_BYTES = 48
GONE = (att.ATT_Error, core.BaseBumbleError, hci.HCI_Error, TimeoutError, asyncio.InvalidStateError)
_CONNECT_S = 30.0
_LONGEST_S = 60.0


@dataclass
class Tally:
    """What strangers did and got."""

    connected: int = 0
    writes: int = 0
    refused: int = 0
    notified: list[bytes] = field(default_factory=list)
    read: dict[int, bytes] = field(default_factory=dict)
    held_s: list[float] = field(default_factory=list)


class Visit:
    """One connection of a stranger."""

    def __init__(self, connection: Connection, mtu: int, draw: random.Random, tally: Tally, heard: list[bytes]):
        self.connection = connection
        self.peer = Peer(connection)
        self.draw = draw
        self.tally = tally
        # What the owner wrote in a session before, for those that replay.
        self.heard = heard
        self.mtu = 23
        self._asked = mtu
        self._down: CharacteristicProxy[bytes] | None = None

    async def prepare(self, *, subscribe: bool = True) -> None:
        """MTU, discovery, `info`, and everything that can be subscribed."""
        if self._asked > gatt.MTU_MIN:
            self.mtu = await self.peer.request_mtu(self._asked)
        service = (await self.peer.discover_service(core.UUID(gatt.SERVICE_UUID)))[0]
        await self.peer.discover_characteristics(service=service)
        found = {str(one.uuid).lower(): one for one in service.characteristics}
        self._down = _of(found, gatt.DOWN_UUID)
        info = _of(found, gatt.INFO_UUID)
        self.tally.read[info.handle] = bytes(await self.peer.read_value(info))
        if subscribe:
            await self.peer.subscribe(_of(found, gatt.UP_UUID), lambda value: self.tally.notified.append(bytes(value)))

    async def write(self, packet: bytes, *, response: bool = True) -> None:
        """To `down`."""
        assert self._down
        self.tally.writes += 1
        try:
            await self.peer.write_value(self._down, packet, response)
        except att.ATT_Error:
            self.tally.refused += 1

    async def say(self, record: bytes) -> None:
        """A whole record, in packets."""
        cutter = Cutter(self.mtu)
        cutter.load(record, len(record))
        while (packet := cutter.packet()) is not None:
            await self.write(bytes(packet))
            cutter.advance()

    async def stay(self) -> None:
        """Until the pin sends it away."""
        await asyncio.get_running_loop().create_future()


async def silent(visit: Visit) -> None:
    """Connects, and says nothing at all."""
    await visit.stay()


async def subscribes(visit: Visit) -> None:
    """Subscribes, reads `info`, and waits for what comes."""
    await visit.prepare()
    await visit.stay()


async def floods(visit: Visit, *, response: bool) -> None:
    """Writes nonsense of every length as fast as the radio goes."""
    await visit.prepare()
    while True:
        await visit.write(visit.draw.randbytes(visit.draw.randint(1, visit.mtu - 3)), response=response)
        if not response:
            await asyncio.sleep(0.004)


async def garbles(visit: Visit) -> None:
    """An opening of the right length with nothing in it; then it stays."""
    await visit.prepare()
    await visit.say(visit.draw.randbytes(OPENING_BYTES))
    await visit.stay()


async def halves(visit: Visit) -> None:
    """The first packet of an opening, and never the rest."""
    await visit.prepare(subscribe=False)
    cutter = Cutter(gatt.MTU_MIN)
    cutter.load(visit.draw.randbytes(OPENING_BYTES), OPENING_BYTES)
    packet = cutter.packet()
    assert packet is not None
    await visit.write(bytes(packet))
    await visit.stay()


async def drips(visit: Visit) -> None:
    """A byte now and then, so that it is never quite silent."""
    await visit.prepare(subscribe=False)
    while True:
        await visit.write(bytes((0x80, visit.draw.getrandbits(8))))
        await passes(0.4)


async def replays(visit: Visit) -> None:
    """An opening of the owner's, heard on the air in another session; then whatever the owner said after it."""
    await visit.prepare()
    for packet in visit.heard or [b""]:
        await visit.write(packet)
    await visit.stay()


Behaviour = Callable[[Visit], Awaitable[None]]


async def _flood_with(visit: Visit) -> None:
    await floods(visit, response=True)


async def _flood_without(visit: Visit) -> None:
    await floods(visit, response=False)


BEHAVIOURS: dict[str, Behaviour] = {
    "silent": silent,
    "subscribes": subscribes,
    "floods": _flood_with,
    "floods, no response": _flood_without,
    "garbage opening": garbles,
    "half an opening": halves,
    "drips": drips,
    "replays an opening": replays,
}


class Crowd:
    """So many strangers, each doing one thing after the other for as long as they may. They wait for the pin with a
    pending connection, as the owner does. `rotate`: with a new address each time."""

    def __init__(
        self, simulation: Simulation, names: list[str], *, rotate: bool = True, mtu: int = 247, seed: int = 1
    ) -> None:
        self.tally = Tally()
        # Packets of the owner's sessions, for those that replay: each visit another of them.
        self.sessions: list[list[bytes]] = []
        self._simulation = simulation
        self._rotate = rotate
        self._mtu = mtu
        self._radios = [Radio(simulation.air, f"stranger {i} {name}", seed) for i, name in enumerate(names)]
        self._names = names
        self._draw = random.Random(f"crowd {seed}")
        self._tasks: list[asyncio.Task[None]] = []
        self.inside = 0

    async def __aenter__(self) -> Crowd:
        self._tasks = [
            asyncio.create_task(self._live(radio, BEHAVIOURS[name]))
            for radio, name in zip(self._radios, self._names, strict=True)
        ]
        return self

    async def __aexit__(self, *_: Any) -> None:
        await ended(self._tasks)
        for radio in self._radios:
            radio.leave()

    async def _live(self, radio: Radio, behaviour: Behaviour) -> None:
        await radio.renew()
        while True:
            await self._once(radio.device, behaviour)
            if self._rotate:
                await radio.renew()

    async def _once(self, device: Device, behaviour: Behaviour) -> None:
        now_s = self._simulation.timeline.now_s
        try:
            connection = await device.connect(self._pin(), timeout=_CONNECT_S)
        except GONE:
            await asyncio.sleep(0.02)
            return
        self.tally.connected += 1
        self.inside += 1
        begun_s = now_s()
        gone = asyncio.Event()
        connection.on(Connection.EVENT_DISCONNECTION, lambda _: gone.set())
        heard = self.sessions[self.tally.connected % len(self.sessions)] if self.sessions else []
        visit = Visit(connection, self._mtu, self._draw, self.tally, heard)
        acting = asyncio.ensure_future(behaviour(visit))
        leaving = asyncio.ensure_future(gone.wait())
        try:
            await asyncio.wait((acting, leaving), return_when=asyncio.FIRST_COMPLETED, timeout=_LONGEST_S)
            if not gone.is_set():
                await asyncio.wait((leaving,), timeout=_LONGEST_S)
        finally:
            self.inside -= 1
            self.tally.held_s.append(now_s() - begun_s)
            await ended((acting, leaving))
            with contextlib.suppress(*GONE):
                if not gone.is_set():
                    await connection.disconnect()

    def _pin(self) -> hci.Address:
        events = self._simulation.timeline.events
        told = next(e for e in reversed(events) if e.who == "radio" and e.name == "advertising")
        return hci.Address(told.fields["address"])


def _of(found: dict[str, CharacteristicProxy[bytes]], uuid: str) -> CharacteristicProxy[bytes]:
    wanted = core.UUID(uuid)
    return next(one for one in found.values() if one.uuid == wanted)


def seed_of(given: int | None) -> int:
    """The one that was asked for, else a new one."""
    return int.from_bytes(os.urandom(3), "little") if given is None else given
