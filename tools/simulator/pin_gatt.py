"""What the pin's radio is made of: attributes as the firmware registers them, buffers, open writes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bumble import att, gatt, hci
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt_server import Server

READ, WRITE_NO_RESPONSE, WRITE = 0x02, 0x04, 0x08
PROPERTIES = 0x3E
BUFFERS = 16
WRITES_MAX = 8

OnWrite = Callable[[Connection, int, bytes], Awaitable[None]]


class Buffers:
    """NimBLE's message buffers: one for each notification until its packets are on the air."""

    def __init__(self) -> None:
        # for each, the number of packets after which it was sent
        self._taken: deque[int] = deque()

    @property
    def full(self) -> bool:
        """All of them are taken."""
        return len(self._taken) >= BUFFERS

    def take(self, queued: int) -> None:
        """One more, whose last packet is number `queued` of all."""
        self._taken.append(queued)

    def free(self, completed: int) -> int:
        """`completed` packets of all were sent: gives how many buffers are free again because of it."""
        before = len(self._taken)
        while self._taken and self._taken[0] <= completed:
            self._taken.popleft()
        return before - len(self._taken)


class Writes:
    """Writes that the firmware's handler has not run for yet, by token. When full, the next wait on the
    air."""

    def __init__(self) -> None:
        self._open: dict[int, asyncio.Future[None]] = {}
        self._token = 0

    @property
    def full(self) -> bool:
        """No more can be handed over now."""
        return len(self._open) >= WRITES_MAX

    @contextmanager
    def one(self) -> Iterator[tuple[int, asyncio.Future[None]]]:
        """A token, and the future that `confirm` of it sets."""
        self._token = (self._token + 1) & 0xFFFF
        token = self._token
        self._open[token] = done = asyncio.get_running_loop().create_future()
        try:
            yield token, done
        finally:
            self._open.pop(token, None)

    def confirm(self, token: int) -> None:
        """The handler has run."""
        done = self._open.get(token)
        if done and not done.done():
            done.set_result(None)

    def cancel(self) -> None:
        """It never will."""
        for done in list(self._open.values()):
            done.cancel()


class GattTable:
    """`values` are what centrals read, by handle; `on_write(connection, handle, value)` gets what they
    write."""

    def __init__(self, on_write: OnWrite) -> None:
        self.values: dict[int, bytes] = {}
        self.characteristics: dict[int, gatt.Characteristic[bytes]] = {}
        self._on_write = on_write

    def clear(self) -> None:
        """Nothing is registered any more."""
        self.values.clear()
        self.characteristics.clear()

    def register(self, services: list[Any], server: Server) -> list[list[int]]:
        """Add services, each [uuid, [[uuid, flags, [[uuid, flags] of descriptors]] of characteristics]] with
        UUIDs as little-endian hex; gives for each the handles of its values and descriptors, in that
        order."""
        handles = []
        for uuid, listed in services:
            made = [self._characteristic(*item) for item in listed]
            server.add_services([gatt.Service(_uuid(uuid), [characteristic for characteristic, _ in made])])
            numbers = []
            for characteristic, descriptors in made:
                self.characteristics[characteristic.handle] = characteristic
                numbers += [characteristic.handle, *(d.handle for d in descriptors)]
            handles.append(numbers)
        _guard(server)
        return handles

    def _characteristic(
        self, uuid: str, flags: int, described: list[Any]
    ) -> tuple[gatt.Characteristic[bytes], list[gatt.Descriptor]]:
        descriptors = []
        for its_uuid, its_flags in described:
            descriptor: gatt.Descriptor = gatt.Descriptor(_uuid(its_uuid), _permissions(its_flags))
            descriptor.value = self._attribute(descriptor)
            descriptors.append(descriptor)
        characteristic = gatt.Characteristic[bytes](
            _uuid(uuid),
            gatt.Characteristic.Properties(flags & PROPERTIES),
            _permissions(flags),
            b"",
            descriptors,
        )
        characteristic.value = self._attribute(characteristic)
        return characteristic, descriptors

    def _attribute(self, attribute: att.Attribute[bytes]) -> att.AttributeValue[bytes]:
        def read(connection: Connection) -> bytes:
            return self.values.get(attribute.handle, b"")

        async def write(connection: Connection, value: bytes) -> None:
            await self._on_write(connection, attribute.handle, value)

        return att.AttributeValue(read=read, write=write)


def _guard(server: Server) -> None:
    """Bumble reads and writes whatever there is; NimBLE refuses what is not for that, with 0x02 and 0x03."""
    for attribute in server.attributes:
        for permission, does, error in (
            (att.Attribute.Permissions.READABLE, "read_value", att.ATT_READ_NOT_PERMITTED_ERROR),
            (att.Attribute.Permissions.WRITEABLE, "write_value", att.ATT_WRITE_NOT_PERMITTED_ERROR),
        ):
            if not attribute.permissions & permission:
                setattr(attribute, does, _refusal(error))


def _refusal(error: int) -> Callable[..., Awaitable[bytes]]:
    async def refuse(*_: Any) -> bytes:
        raise att.ATT_Error(error_code=error)

    return refuse


def _permissions(flags: int) -> att.Attribute.Permissions:
    permissions = att.Attribute.Permissions(0)
    if flags & READ:
        permissions |= att.Attribute.Permissions.READABLE
    if flags & (WRITE | WRITE_NO_RESPONSE):
        permissions |= att.Attribute.Permissions.WRITEABLE
    return permissions


def _uuid(text: str) -> UUID:
    return UUID.from_bytes(bytes.fromhex(text))


async def end(connection: Connection) -> None:
    """Send the central away."""
    try:
        await connection.disconnect()
    except hci.HCI_Error:
        # it had ended by itself
        pass


async def exchange(connection: Connection, mtu: int) -> None:
    """Ask the central for a longer MTU."""
    try:
        await connection.gatt_client.request_mtu(mtu)
    except (att.ATT_Error, TimeoutError):
        # the central does not want to
        pass
