"""A radio that is a Unix socket: what the daemon uses of bleak, and packets that are neither lost nor late.

Frames both ways: a u16 length, a letter, data. From the pin `I` its info (first of all), `N` a notification,
`A` the answer to a write; from the daemon `W` a write.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from lapel_companion.link.radio import OnAdvertisement
from lapel_wire import gatt

MTU = 247
_LOOK_S = 0.05


def frame(letter: bytes, data: bytes = b"") -> bytes:
    """One frame."""
    return struct.pack("<H", len(data)) + letter + data


async def read_frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Letter and data. Raises EOFError (IncompleteReadError), OSError."""
    head = await reader.readexactly(3)
    return head[2:], await reader.readexactly(struct.unpack_from("<H", head)[0])


class SocketRadio:
    """lapel_companion.link.radio.Radio over the socket at `path`; a pin is heard while it is there."""

    name = "socket"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def lost(self) -> None:
        await asyncio.get_running_loop().create_future()

    def scanner(self, found: OnAdvertisement) -> BleakScanner:
        made: Any = _Scanner(self._path, found)
        return made  # type: ignore[no-any-return]

    def client(self, device: BLEDevice, gone: Callable[[BleakClient], None]) -> BleakClient:
        made: Any = _Client(self._path, gone)
        return made  # type: ignore[no-any-return]

    def interval_ms(self, client: BleakClient) -> int:
        return 30


class _Scanner:
    def __init__(self, path: Path, found: OnAdvertisement) -> None:
        self._path = path
        self._found = found
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    async def _look(self) -> None:
        while True:
            if self._path.exists():
                heard = AdvertisementData(gatt.NAME, {}, {}, [gatt.SERVICE_UUID], None, -40, ())
                self._found(BLEDevice("C0:00:00:00:00:01", gatt.NAME, None), heard)
            await asyncio.sleep(_LOOK_S)


class _Client:
    """What Peer needs of a BleakClient."""

    def __init__(self, path: Path, gone: Callable[[Any], None]) -> None:
        self._path = path
        self._gone = gone
        self._info = b""
        self._notify: Callable[[Any, bytearray], None] = lambda _, data: None
        self._answer: asyncio.Future[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self.services = SimpleNamespace(
            get_characteristic=lambda uuid: SimpleNamespace(uuid=uuid, max_write_without_response_size=MTU - 3)
        )

    async def connect(self) -> None:
        try:
            reader, self._writer = await asyncio.open_unix_connection(self._path)
            letter, self._info = await read_frame(reader)
        except (OSError, EOFError) as error:
            raise BleakError("the pin cannot be reached") from error
        assert letter == b"I"
        self._reading = asyncio.create_task(self._read(reader))

    async def disconnect(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._reading is not None:
            self._reading.cancel()

    async def read_gatt_char(self, _: Any) -> bytearray:
        return bytearray(self._info)

    async def start_notify(self, _: Any, callback: Callable[[Any, bytearray], None]) -> None:
        self._notify = callback

    async def write_gatt_char(self, _: Any, data: bytes, response: bool) -> None:
        if self._writer is None:
            raise BleakError("Not connected")
        self._answer = asyncio.get_running_loop().create_future()
        self._writer.write(frame(b"W", bytes(data)))
        await self._answer

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                letter, data = await read_frame(reader)
                if letter == b"N":
                    self._notify(None, bytearray(data))
                elif self._answer is not None and not self._answer.done():
                    self._answer.set_result(None)
        self._writer = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BleakError("the connection was lost"))
        self._gone(self)
