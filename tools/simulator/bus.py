"""The simulator's end of the bus (the board's end is boards/sim/bus.py): one loopback socket, framed.

A frame is: payload length (u16, little endian), channel (u8), op (u8), payload. An answer has the op of its
question with 0x80 added. A board proves itself with a token in its first frame; one board at a time.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable
from enum import IntEnum
from typing import cast

HELLO = 1
ANSWER = 0x80
HEAD = struct.Struct("<HBB")


class Channel(IntEnum):
    """Who a frame is for."""

    SYSTEM = 0
    FLASH = 1
    MIC = 2
    BUTTON = 3
    HAPTIC = 4
    LED = 5
    TRACE = 6
    RADIO = 7


Handler = Callable[[int, bytes], None]


class Bus:
    """`handle` says who takes a channel's frames; `send` and `answer` write when a board is there, else do
    nothing."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self.on_board: Callable[[], None] = _nothing
        self.on_gone: Callable[[], None] = _nothing
        self._handlers: dict[int, Handler] = {}
        self._server: asyncio.Server | None = None
        self._wire: _Wire | None = None

    async def open(self) -> str:
        """Listen; gives host:port for the board."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Wire(self), "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def close(self) -> None:
        """Stop listening and let the board go."""
        if self._wire:
            self._wire.transport.abort()
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def connected(self) -> bool:
        """A board has proved itself and is there."""
        return self._wire is not None

    def handle(self, channel: Channel, handler: Handler) -> None:
        """Frames of `channel` go to handler(op, payload)."""
        self._handlers[channel] = handler

    def send(self, channel: Channel, op: int, payload: bytes = b"") -> bool:
        """One frame to the board; False without one."""
        if self._wire is None:
            return False
        self._wire.transport.write(HEAD.pack(len(payload), channel, op) + payload)
        return True

    def answer(self, channel: Channel, op: int, payload: bytes = b"") -> None:
        """The answer to the board's call `op`."""
        self.send(channel, op | ANSWER, payload)

    def _frame(self, wire: _Wire, channel: int, op: int, payload: bytes) -> None:
        if wire is not self._wire:
            hello = channel == Channel.SYSTEM and op == HELLO
            if hello and secrets.compare_digest(payload, self.token.encode()):
                if self._wire:
                    self._wire.transport.abort()
                self._wire = wire
                self.answer(Channel.SYSTEM, HELLO)
                self.on_board()
            else:
                wire.transport.abort()
            return
        handler = self._handlers.get(channel)
        if handler:
            handler(op, payload)

    def _lost(self, wire: _Wire) -> None:
        if wire is self._wire:
            self._wire = None
            self.on_gone()


class _Wire(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        pending = self._pending + data
        at = 0
        while len(pending) - at >= HEAD.size:
            n, channel, op = HEAD.unpack_from(pending, at)
            end = at + HEAD.size + n
            if len(pending) < end:
                break
            self._bus._frame(self, channel, op, pending[at + HEAD.size : end])
            at = end
        self._pending = pending[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        self._bus._lost(self)


def _nothing() -> None:
    pass
