"""A controller on the simulated air for a program outside: HCI over TCP (H4), as Bumble's
`tcp-client:HOST:PORT`."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

from bumble import core, hci
from bumble.transport.common import PacketParser

from simulator.air import Air
from simulator.controller import PacedController


class HciPort:
    """One radio; whoever connects last has it. When its program goes away the radio is reset, without a word
    to peers."""

    def __init__(self, air: Air, name: str, address: hci.Address) -> None:
        self.controller = PacedController(name, air, address)
        self._server: asyncio.Server | None = None
        self._client: _Client | None = None

    async def open(self) -> str:
        """Listen; gives the Bumble transport spec for the other side."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"tcp-client:{host}:{port}"

    async def close(self) -> None:
        """Stop listening, drop the client."""
        if self._client:
            self._client.transport.abort()
        if self._server:
            self._server.close()
            await self._server.wait_closed()
        self.controller.leave()

    def arrived(self, client: _Client) -> None:
        """For the connection: a program is there."""
        if self._client:
            self._client.transport.abort()
        self._client = client
        self.controller.reset()
        self.controller.host = client

    def left(self, client: _Client) -> None:
        """For the connection: its program is gone."""
        if client is self._client:
            self._client = None
            self.controller.host = None
            self.controller.reset()


class _Client(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, port: HciPort) -> None:
        self._port = port
        self._parser = PacketParser(port.controller)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port.arrived(self)

    def on_packet(self, packet: bytes) -> None:
        """From the controller."""
        self.transport.write(packet)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except core.InvalidPacketError:
            # not HCI: who sends that is not a Bluetooth host
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._port.left(self)
