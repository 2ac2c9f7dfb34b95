"""Devices, connections, and waiting that ends with a timeout or with the connection."""

import asyncio

from aioble.core import ble, log_error, register_irq_handler

_IRQ_CENTRAL_DISCONNECT = 2
_IRQ_MTU_EXCHANGED = 21


class DeviceDisconnectedError(Exception):
    """The connection ended inside `with connection.timeout()`."""


class DeviceTimeout:
    """`with` block that is cancelled after `timeout_ms`, or when the connection ends; either may be None."""

    def __init__(self, connection, timeout_ms):
        self._connection = connection
        self._timeout_ms = timeout_ms
        self._task = asyncio.current_task()
        self._watch = None
        self._late = False

    async def _expire(self):
        await asyncio.sleep_ms(self._timeout_ms)
        self._late = True
        self._watch = None
        self._task.cancel()

    def __enter__(self):
        if self._connection:
            self._connection._timeouts.append(self)
        if self._timeout_ms:
            self._watch = asyncio.create_task(self._expire())

    def __exit__(self, kind, value, trace):
        if self._connection:
            self._connection._timeouts.remove(self)
        if self._watch:
            self._watch.cancel()
        if kind == asyncio.CancelledError:
            if self._late:
                raise asyncio.TimeoutError
            if self._connection and not self._connection.is_connected():
                raise DeviceDisconnectedError


class Device:
    def __init__(self, addr_type, addr):
        self.addr_type = addr_type
        self.addr = addr
        self._connection = None

    def __eq__(self, other):
        return self.addr_type == other.addr_type and self.addr == other.addr

    def __hash__(self):
        return hash((self.addr_type, self.addr))

    def addr_hex(self):
        return ":".join("{:02x}".format(b) for b in self.addr)

    def __str__(self):
        return "Device({}, {})".format("ADDR_RANDOM" if self.addr_type else "ADDR_PUBLIC", self.addr_hex())


class DeviceConnection:
    """One link. `mtu` is None until it was exchanged; the handle is None once the link has gone."""

    # by handle, for the event handlers
    _connected = {}

    def __init__(self, device, handle):
        self.device = device
        device._connection = self
        self.mtu = None
        self.encrypted = False
        self._conn_handle = handle
        self._ended = asyncio.ThreadSafeFlag()
        self._mtu_told = asyncio.ThreadSafeFlag()
        self._timeouts = []
        self._task = None
        DeviceConnection._connected[handle] = self

    def _run_task(self):
        self._task = asyncio.create_task(self._until_gone())

    async def _until_gone(self):
        await self._ended.wait()
        DeviceConnection._connected.pop(self._conn_handle, None)
        self._conn_handle = None
        self.device._connection = None
        for waiting in self._timeouts:
            waiting._task.cancel()

    def is_connected(self):
        return self._conn_handle is not None

    def timeout(self, timeout_ms):
        return DeviceTimeout(self, timeout_ms)

    async def disconnected(self, timeout_ms=None, disconnect=False):
        """Wait for the end of the link. Raises asyncio.TimeoutError."""
        if not self.is_connected():
            return
        if disconnect:
            try:
                ble.gap_disconnect(self._conn_handle)
            except OSError as error:
                log_error("disconnect", error)
        with DeviceTimeout(None, timeout_ms):
            await self._task

    async def disconnect(self, timeout_ms=2000):
        await self.disconnected(timeout_ms, disconnect=True)

    async def exchange_mtu(self, mtu=None, timeout_ms=1000):
        """The agreed MTU. Raises ValueError without a link, asyncio.TimeoutError without an answer."""
        if not self.is_connected():
            raise ValueError("Not connected")
        if mtu:
            ble.config(mtu=mtu)
        ble.gattc_exchange_mtu(self._conn_handle)
        with self.timeout(timeout_ms):
            await self._mtu_told.wait()
        return self.mtu

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, value, trace):
        await self.disconnect()


def _irq(event, data):
    if event == _IRQ_MTU_EXCHANGED:
        connection = DeviceConnection._connected.get(data[0])
        if connection:
            connection.mtu = data[1]
            connection._mtu_told.set()
    elif event == _IRQ_CENTRAL_DISCONNECT:
        connection = DeviceConnection._connected.get(data[0])
        if connection:
            connection._ended.set()


def _listen():
    register_irq_handler(_irq, None)
    return True


_listening = _listen()
