"""Fake pins: they advertise Lapel's name and service, and are none."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import AdvertisingType, Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service

from lapel_companion.link.peer import ended
from lapel_wire import gatt, rescue
from lapel_wire.packets import Cutter
from simulator.simulation import Simulation
from tests.strangers.centrals import GONE, OPENING_BYTES
from tests.strangers.radios import Radio, passes

_ADVERTISE_MS = 100.0
_CLEAR_OPENING = b"lapel in clear 1"


@dataclass
class Spoken:
    """What companions did at fakes. `written` is everything that one of them was told."""

    met: int = 0
    written: list[bytes] = field(default_factory=list)


class Host:
    """One companion at one fake."""

    def __init__(self, device: Device, up: Characteristic[Any], draw: random.Random) -> None:
        self.device = device
        self.draw = draw
        # What the pin said in a session before.
        self.heard: Sequence[bytes] = []
        self._up = up

    async def notify(self, packet: bytes) -> None:
        """To every companion here."""
        with contextlib.suppress(*GONE):
            await self.device.gatt_server.notify_subscribers(self._up, packet, force=True)

    async def say(self, record: bytes) -> None:
        """A whole record."""
        cutter = Cutter(gatt.MTU_WANTED)
        cutter.load(record, len(record))
        while (packet := cutter.packet()) is not None:
            await self.notify(bytes(packet))
            cutter.advance()


async def _silent(host: Host, packet: bytes) -> None:
    """Never an answer."""


async def _garbage(host: Host, packet: bytes) -> None:
    await host.say(host.draw.randbytes(OPENING_BYTES))


async def _odd(host: Host, packet: bytes) -> None:
    await host.notify(host.draw.randbytes(host.draw.randint(1, 200)))


async def _replays(host: Host, packet: bytes) -> None:
    for one in host.heard:
        await host.notify(one)


async def _clear(host: Host, packet: bytes) -> None:
    """A hello of the earlier protocol, in the clear."""
    await host.say(_CLEAR_OPENING + host.draw.randbytes(OPENING_BYTES - len(_CLEAR_OPENING)))
    await host.say(b"\x00\x00\x02" + b'{"v":1,"dev":"0badf00d"}' + b"\0\0\0\0")


async def _mirrors(host: Host, packet: bytes) -> None:
    await host.notify(packet)


async def _floods(host: Host, packet: bytes) -> None:
    while True:
        await host.notify(host.draw.randbytes(200))
        await asyncio.sleep(0.004)


async def _closes(host: Host, packet: bytes) -> None:
    await passes(2.5)
    for connection in list(host.device.connections.values()):
        with contextlib.suppress(*GONE):
            await connection.disconnect()


Answer = Callable[[Host, bytes], Awaitable[None]]


@dataclass(frozen=True)
class Fake:
    """What one does: its `info`, its answer to each packet, whether it lets anybody in."""

    answer: Answer = _silent
    info: bytes = gatt.INFO
    lets_in: bool = True


FAKES: dict[str, Fake] = {
    "silent": Fake(),
    "answers garbage": Fake(_garbage),
    "answers odd packets": Fake(_odd),
    "replays a pin's answers": Fake(_replays),
    "speaks in the clear": Fake(_clear),
    "mirrors": Fake(_mirrors),
    "floods": Fake(_floods),
    "closes late": Fake(_closes),
    "safe mode": Fake(info=bytes((gatt.PROTOCOL_VERSION, rescue.FLAG_SAFE_MODE)) + b"OSError: made up"),
    "version 1": Fake(info=b"\x01\x00"),
    "version 9": Fake(info=b"\x09\x00"),
    "unpaired": Fake(info=bytes((gatt.PROTOCOL_VERSION, 0x40))),
    "no info": Fake(info=b""),
    "long info": Fake(info=gatt.INFO + bytes(200)),
    "lets nobody in": Fake(lets_in=False),
}


class Pretenders:
    """Fakes on the air. With `rotate_s` each takes a new address so often, when nobody is connected."""

    def __init__(self, simulation: Simulation, names: Sequence[str], *, rotate_s: float = 0.0, seed: int = 1) -> None:
        self.spoken = Spoken()
        # Notifications of the pin, session by session, for those that replay: each meeting another of them.
        self.sessions: list[list[bytes]] = []
        self._draw = random.Random(f"pretenders {seed}")
        self._rotate_s = rotate_s
        self._radios = [(Radio(simulation.air, f"fake {i} {n}", seed), FAKES[n]) for i, n in enumerate(names)]
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Pretenders:
        for radio, fake in self._radios:
            await self._appear(radio, fake)
            if self._rotate_s:
                self._spawn(self._rotate(radio, fake))
        return self

    async def __aexit__(self, *_: Any) -> None:
        await ended(self._tasks)
        for radio, _fake in self._radios:
            radio.leave()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _rotate(self, radio: Radio, fake: Fake) -> None:
        while True:
            await passes(self._rotate_s)
            if not radio.device.connections:
                await self._appear(radio, fake)

    async def _appear(self, radio: Radio, fake: Fake) -> None:
        device = await radio.renew()
        up = Characteristic[bytes](
            gatt.UP_UUID, Characteristic.Properties.NOTIFY, Characteristic.Permissions.READABLE, b""
        )
        host = Host(device, up, self._draw)

        def met(_: Connection) -> None:
            if self.sessions:
                host.heard = self.sessions[self.spoken.met % len(self.sessions)]
            self.spoken.met += 1

        def written(_: Connection, value: bytes) -> None:
            self.spoken.written.append(bytes(value))
            self._spawn(fake.answer(host, bytes(value)))

        down = Characteristic[bytes](
            gatt.DOWN_UUID,
            Characteristic.Properties.WRITE | Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.Permissions.WRITEABLE,
            CharacteristicValue(write=written),
        )
        info = Characteristic[bytes](
            gatt.INFO_UUID, Characteristic.Properties.READ, Characteristic.Permissions.READABLE, fake.info
        )
        device.add_service(Service(gatt.SERVICE_UUID, [up, down, info]))
        device.on("connection", met)
        await device.start_advertising(
            advertising_type=AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
            if fake.lets_in
            else AdvertisingType.UNDIRECTED_SCANNABLE,
            own_address_type=hci.OwnAddressType.RANDOM,
            advertising_data=_payload(),
            advertising_interval_min=_ADVERTISE_MS,
            advertising_interval_max=_ADVERTISE_MS,
            auto_restart=True,
        )


def _payload() -> bytes:
    return bytes(
        AdvertisingData(
            [
                (AdvertisingData.Type.FLAGS, b"\x06"),
                (AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(gatt.SERVICE_UUID))),
                (AdvertisingData.Type.COMPLETE_LOCAL_NAME, gatt.NAME.encode()),
            ]
        )
    )
