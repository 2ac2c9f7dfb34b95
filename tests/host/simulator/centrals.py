"""A Bumble central on a simulation's air, over its HCI port as a companion's would be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bumble import hci
from bumble.core import UUID
from bumble.device import Advertisement, Connection, Device, DeviceConfiguration, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.host import Host
from bumble.transport import open_transport

from simulator.air import Pace
from simulator.simulation import Simulation

SERVICE = UUID("6c617065-6c00-4000-8000-000000000001")
UP = UUID("6c617065-6c00-4000-8000-000000000002")
DOWN = UUID("6c617065-6c00-4000-8000-000000000003")
PLAIN = UUID.from_16_bits(0x2A29)


@asynccontextmanager
async def central(
    simulation: Simulation, address: str = "F0:F1:F2:F3:F4:F6", spec: str = ""
) -> AsyncIterator[Device]:
    """A device that is on; on the companion's port, or on that of `spec`."""
    async with await open_transport(spec or simulation.companion_spec) as transport:
        host = Host(transport.source, transport.sink)
        device = Device(config=DeviceConfiguration(name="C", address=hci.Address(address)), host=host)
        await device.power_on()
        yield device


async def find(device: Device) -> Advertisement:
    """The first advertisement with our service."""
    found: asyncio.Future[Advertisement] = asyncio.get_running_loop().create_future()

    def heard(advertisement: Advertisement) -> None:
        if bytes(SERVICE) in advertisement.data_bytes and not found.done():
            found.set_result(advertisement)

    device.on("advertisement", heard)
    await device.start_scanning(active=True, filter_duplicates=False)
    try:
        return await asyncio.wait_for(found, 10)
    finally:
        device.remove_listener("advertisement", heard)
        await device.stop_scanning()


class Central:
    """A connection with its characteristics found; `notified` are the values that came."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.notified: list[bytes] = []
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._more = asyncio.Event()
        connection.on("disconnection", self._ended)

    async def prepare(self, mtu: int = 247, *, subscribe: bool = True) -> Central:
        """Exchange the MTU, discover, subscribe."""
        self.peer = Peer(self.connection)
        self.mtu = await self.peer.request_mtu(mtu)
        await self.peer.discover_services()
        await self.peer.discover_characteristics()
        self.up, self.down, self.plain = (self._find(uuid) for uuid in (UP, DOWN, PLAIN))
        if subscribe:
            await self.up.subscribe(self._heard)
        return self

    async def wait_for(self, count: int, timeout_s: float = 20) -> None:
        """Until that many notifications came."""
        async with asyncio.timeout(timeout_s):
            while len(self.notified) < count:
                self._more.clear()
                await self._more.wait()

    def _ended(self, reason: int) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    def _heard(self, value: bytes) -> None:
        self.notified.append(bytes(value))
        self._more.set()

    def _find(self, uuid: UUID) -> CharacteristicProxy[bytes]:
        found: CharacteristicProxy[bytes] = self.peer.get_characteristics_by_uuid(uuid)[0]
        return found


async def connected(device: Device) -> Central:
    """Find the pin and connect to it."""
    advertisement = await find(device)
    return Central(await device.connect(advertisement.address))


def paced(interval_ms: float = 30, packets: int = 4, **more: Any) -> dict[str, Any]:
    """Options of a simulation with that radio."""
    return {"pace": Pace(interval_ms, packets, **more)}


async def ready(simulation: Any, device: Any, **how: Any) -> Central:
    """Connected, prepared, and the pin was told to begin."""
    one = await (await connected(device)).prepare(**how)
    await one.down.write_value(b"go", with_response=True)
    return one
