"""The pin's radio: a GATT server made from what the firmware registers, behind the bus
(boards/sim/radio/bluetooth.py).

Like NimBLE with 16 message buffers: a notification takes one until it was sent, and while all are taken a
central's write is refused with ATT error 0x11. Writes are confirmed when the firmware's handler has run.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
from collections.abc import Callable, Coroutine
from typing import Any

from bumble import att, hci
from bumble.device import AdvertisingType, Connection, Device, DeviceConfiguration
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from simulator.air import Air, PacedLink
from simulator.bus import Bus, Channel
from simulator.controller import PacedController
from simulator.pin_gatt import Buffers, GattTable, Writes, end, exchange
from simulator.relay import Relay

ACTIVE, REGISTER, ADVERTISE, ADVERTISE_STOP, VALUE = range(1, 6)
NOTIFY, INDICATE, DISCONNECT, EXCHANGE_MTU, WRITTEN = range(6, 11)
EV_CONNECT, EV_DISCONNECT, EV_WRITE, EV_MTU, EV_SENT, EV_UPDATE, EV_INDICATED = range(0x41, 0x48)

LINKS_MAX = 4
INSUFFICIENT_RESOURCES = 0x11
UNLIKELY = 0x0E
ADDRESS_RANDOM_STATIC = 1
LEAVE_TIMEOUT_S = 2.0

Report = Callable[..., None]


class PinRadio:
    """One per run; the firmware switches it on and off. `report(event, **fields)` tells what the air sees of
    it."""

    def __init__(self, bus: Bus, air: Air, seed: int, report: Report, relay: Relay) -> None:
        self.refused_writes = 0
        self._relay = relay
        self._bus = bus
        self._air = air
        self._random = random.Random(seed)
        self._report = report
        self._device: Device | None = None
        self._controller: PacedController | None = None
        self._told: dict[str, Any] = {}
        self._table = GattTable(self._on_write)
        self._connections: dict[int, Connection] = {}
        self._buffers = Buffers()
        self._writes = Writes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handlers: dict[int, Callable[[bytes], None]] = {
            ACTIVE: self._active,
            REGISTER: self._register,
            ADVERTISE: self._advertise,
            ADVERTISE_STOP: lambda payload: self._spawn(self._stop_advertising()),
            VALUE: self._value,
            NOTIFY: self._notify,
            INDICATE: self._indicate,
            DISCONNECT: self._disconnect,
            EXCHANGE_MTU: self._exchange_mtu,
            WRITTEN: self._written,
        }
        bus.handle(Channel.RADIO, lambda op, payload: self._handlers[op](payload))

    @property
    def full(self) -> bool:
        """Every buffer holds a notification."""
        return self._buffers.full

    def power_lost(self) -> None:
        """Gone without a word; peers find out by their supervision timeout."""
        for task in self._tasks:
            task.cancel()
        self._writes.cancel()
        if self._controller:
            self._controller.leave()
        self._controller = self._device = None
        self._told = {}
        self._table.clear()
        self._connections.clear()
        self._buffers = Buffers()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _send(self, op: int, *words: int, data: bytes = b"") -> None:
        self._bus.send(Channel.RADIO, op, struct.pack(f"<{len(words)}H", *words) + data)

    # on, off and names

    def _active(self, payload: bytes) -> None:
        told = json.loads(payload)
        self._spawn(self._power_on(told) if told.pop("on") else self._power_off())

    async def _power_on(self, told: dict[str, Any]) -> None:
        if self._device is None or self._told["addr_mode"] != told["addr_mode"]:
            self.power_lost_but(asyncio.current_task())
            await self._new_device(told)
        self._told = told
        assert self._device
        self._device.gatt_server.max_mtu = min(told["mtu"], self._air.pace.mtu)
        address = self._device.static_address
        kind = 0 if address.is_public else 1
        # the firmware's world has addresses most significant byte first
        self._bus.answer(Channel.RADIO, ACTIVE, bytes([kind]) + bytes(address)[::-1])

    def power_lost_but(self, kept: asyncio.Task[Any] | None) -> None:
        """As power_lost, from inside the task `kept`."""
        if kept:
            self._tasks.discard(kept)
        self.power_lost()

    async def _new_device(self, told: dict[str, Any]) -> None:
        raw = bytearray(self._random.randbytes(6))
        # the two highest bits (the address is little-endian) say: random and static, or random and private
        raw[5] = raw[5] | 0xC0 if told["addr_mode"] == ADDRESS_RANDOM_STATIC else raw[5] & 0x3F
        address = hci.Address(bytes(raw), hci.Address.RANDOM_DEVICE_ADDRESS)
        controller = PacedController("pin", self._air, hci.Address("00:00:00:00:00:00/P"))
        controller.can_take = lambda: not self._writes.full
        host = Host(controller, AsyncPipeSink(controller))
        device = Device(config=DeviceConfiguration(name=told["name"], address=address), host=host)
        await device.power_on()
        device.on("connection", self._on_connection)
        assert host.le_acl_packet_queue
        host.le_acl_packet_queue.on("flow", self._flowed)
        self._controller, self._device = controller, device

    async def _power_off(self) -> None:
        await self._stop_advertising()
        for connection in list(self._connections.values()):
            try:
                async with asyncio.timeout(LEAVE_TIMEOUT_S):
                    await connection.disconnect()
            except (TimeoutError, hci.HCI_Error):
                pass
        self.power_lost_but(asyncio.current_task())
        self._bus.answer(Channel.RADIO, ACTIVE)

    def _register(self, payload: bytes) -> None:
        assert self._device
        handles = self._table.register(json.loads(payload), self._device.gatt_server)
        self._bus.answer(Channel.RADIO, REGISTER, json.dumps(handles).encode())

    def _value(self, payload: bytes) -> None:
        handle, update = struct.unpack_from("<HH", payload)
        self._table.values[handle] = payload[4:]
        if update:
            # never refused; with no buffer free the update is left out
            for connection in self._connections.values():
                if not self.full:
                    self._push(connection, handle, payload[4:], counted=False)

    # advertising

    def _advertise(self, payload: bytes) -> None:
        low, high, connectable, n = struct.unpack_from("<HHBB", payload)
        adv, resp = payload[6 : 6 + n], payload[6 + n :]
        kind = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE if connectable else AdvertisingType.UNDIRECTED
        self._spawn(self._start_advertising((low | high << 16) / 1000, kind, adv, resp))

    async def _start_advertising(
        self, interval_ms: float, kind: AdvertisingType, adv: bytes, resp: bytes
    ) -> None:
        if self._device is None:
            return
        await self._device.start_advertising(
            advertising_type=kind,
            own_address_type=hci.OwnAddressType.RANDOM,
            advertising_data=adv,
            scan_response_data=resp,
            advertising_interval_min=interval_ms,
            advertising_interval_max=interval_ms,
        )
        self._report("advertising", address=str(self._device.random_address))

    async def _stop_advertising(self) -> None:
        if self._device:
            await self._device.stop_advertising()

    # links

    def _on_connection(self, connection: Connection) -> None:
        if len(self._connections) >= LINKS_MAX:
            self._spawn(end(connection))
            return
        handle = connection.handle
        self._connections[handle] = connection
        peer = connection.peer_address
        kind = bytes([0 if peer.is_public else 1])
        told = kind + bytes(peer)[::-1]
        self._send(EV_CONNECT, handle, data=told)
        link = self._link(handle)
        interval_ms = link.interval_s * 1000 if link else 0
        self._report("connected", handle=handle, interval_ms=interval_ms, peer=str(peer))

        def gone(reason: int) -> None:
            self._connections.pop(handle, None)
            self._send(EV_DISCONNECT, handle, data=told)
            self._flowed()
            self._report("disconnected", handle=handle, reason=reason)

        def updated() -> None:
            parameters = connection.parameters
            interval = round(parameters.connection_interval / 1.25)
            timeout = round(parameters.supervision_timeout / 10)
            self._send(EV_UPDATE, handle, interval, int(parameters.peripheral_latency), timeout)

        connection.on(connection.EVENT_DISCONNECTION, gone)
        connection.on(connection.EVENT_CONNECTION_PARAMETERS_UPDATE, updated)
        connection.on(
            connection.EVENT_CONNECTION_ATT_MTU_UPDATE, lambda: self._send(EV_MTU, handle, connection.att_mtu)
        )

    def _link(self, handle: int) -> PacedLink | None:
        return self._air.of(self._controller, handle) if self._controller else None

    def _disconnect(self, payload: bytes) -> None:
        connection = self._connections.get(struct.unpack("<H", payload)[0])
        if connection:
            self._spawn(end(connection))

    def _exchange_mtu(self, payload: bytes) -> None:
        connection = self._connections.get(struct.unpack("<H", payload)[0])
        if connection:
            self._spawn(exchange(connection, self._told["mtu"]))

    # what the firmware sends

    def _notify(self, payload: bytes) -> None:
        handle, attribute = struct.unpack_from("<HH", payload)
        connection = self._connections.get(handle)
        if connection is None:
            self._send(EV_SENT, 1)
            return
        passed = self._relay.carry("up", payload[4:])
        for number, packet in enumerate(passed):
            self._push(connection, attribute, packet, counted=number == 0)
        if not passed:
            self._send(EV_SENT, 1)

    def _push(self, connection: Connection, attribute: int, value: bytes, *, counted: bool) -> None:
        assert self._device and self._device.host.le_acl_packet_queue
        pdu = att.ATT_Handle_Value_Notification(
            attribute_handle=attribute, attribute_value=value[: connection.att_mtu - 3]
        )
        self._device.send_l2cap_pdu(connection.handle, att.ATT_CID, bytes(pdu))
        if counted:
            self._buffers.take(self._device.host.le_acl_packet_queue.queued)

    def _flowed(self) -> None:
        queue = self._device.host.le_acl_packet_queue if self._device else None
        if not queue:
            return
        sent = self._buffers.free(queue.completed)
        if sent:
            self._send(EV_SENT, sent)

    def _indicate(self, payload: bytes) -> None:
        handle, attribute = struct.unpack_from("<HH", payload)
        connection = self._connections.get(handle)
        if connection:
            self._spawn(self._indicated(connection, attribute, payload[4:]))

    async def _indicated(self, connection: Connection, attribute: int, value: bytes) -> None:
        assert self._device
        status = 0
        try:
            characteristic = self._table.characteristics[attribute]
            await self._device.gatt_server.indicate_subscriber(connection, characteristic, value, force=True)
        except TimeoutError:
            status = 1
        self._send(EV_INDICATED, connection.handle, attribute, data=bytes([status]))

    # what centrals write

    async def _on_write(self, connection: Connection, attribute: int, value: bytes) -> None:
        if self.full:
            self.refused_writes += 1
            raise att.ATT_Error(error_code=INSUFFICIENT_RESOURCES)
        for packet in self._relay.carry("down", value):
            with self._writes.one() as (token, done):
                self._send(EV_WRITE, connection.handle, attribute, token, data=packet)
                try:
                    await done
                except asyncio.CancelledError:
                    raise att.ATT_Error(error_code=UNLIKELY) from None

    def _written(self, payload: bytes) -> None:
        self._writes.confirm(struct.unpack("<H", payload)[0])
