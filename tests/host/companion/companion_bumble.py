"""The fake pin on a simulated radio: Bumble's GATT server, and the companion's radio as HCI over TCP."""

from __future__ import annotations

import asyncio
from typing import Any

from bumble import att, gatt, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import AdvertisingType, Device
from bumble.device import Connection as RadioConnection
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from lapel_wire import gatt as names
from simulator.air import Air
from simulator.controller import PacedController
from tests.host.companion.companion_pin import Connection, Pin


class RadioPin:
    """A pin that advertises on `air` until somebody connects, and again when they have gone."""

    def __init__(self, air: Air, pin: Pin, number: int = 1, *, info: bytes = names.INFO) -> None:
        self.pin = pin
        self.address = hci.Address(f"C0:00:00:00:00:{number:02X}", hci.Address.RANDOM_DEVICE_ADDRESS)
        controller = PacedController(f"pin {number}", air, self.address)
        self.device = Device(
            name="Lapel", address=self.address, host=Host(controller, AsyncPipeSink(controller))
        )
        self.connections = 0
        self.lets_in = True
        self._link: Connection | None = None
        self._pumping: asyncio.Task[None] | None = None
        readable, writeable = att.Attribute.Permissions.READABLE, att.Attribute.Permissions.WRITEABLE
        properties = gatt.Characteristic.Properties
        self._up: gatt.Characteristic[bytes] = gatt.Characteristic(
            UUID(names.UP_UUID), properties.NOTIFY, readable, b""
        )
        down: gatt.Characteristic[bytes] = gatt.Characteristic(
            UUID(names.DOWN_UUID),
            properties.WRITE | properties.WRITE_WITHOUT_RESPONSE,
            writeable,
            gatt.CharacteristicValue(write=self._written),
        )
        told: gatt.Characteristic[bytes] = gatt.Characteristic(
            UUID(names.INFO_UUID), properties.READ, readable, info
        )
        self.device.add_service(gatt.Service(UUID(names.SERVICE_UUID), [self._up, down, told]))
        self.device.on(Device.EVENT_CONNECTION, self._connected)

    async def start(self) -> None:
        await self.device.power_on()
        await self._advertise()

    async def stop(self) -> None:
        self._ended()
        await self.device.power_off()

    async def _advertise(self) -> None:
        types = AdvertisingData.Type
        data = AdvertisingData(
            [
                (types.FLAGS, b"\x06"),
                (types.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, UUID(names.SERVICE_UUID).to_bytes()),
                (types.COMPLETE_LOCAL_NAME, names.NAME.encode()),
            ]
        )
        kinds = AdvertisingType
        kind = kinds.UNDIRECTED_CONNECTABLE_SCANNABLE if self.lets_in else kinds.UNDIRECTED_SCANNABLE
        await self.device.start_advertising(
            advertising_type=kind,
            advertising_data=bytes(data),
            auto_restart=True,
            advertising_interval_min=100.0,
            advertising_interval_max=100.0,
        )

    def _connected(self, connection: RadioConnection) -> None:
        self.connections += 1
        self._ended()
        connection.on(RadioConnection.EVENT_DISCONNECTION, lambda _: self._ended())
        self._pumping = asyncio.create_task(self._pump(connection))

    def _ended(self) -> None:
        self._link = None
        if self._pumping is not None:
            self._pumping.cancel()
            self._pumping = None

    def _written(self, connection: Any, value: bytes) -> None:
        if self._link is None:
            self._link = Connection(
                self.pin, connection.att_mtu, lambda packet: self._send(connection, packet)
            )
        self._link.write(value)

    def _send(self, connection: RadioConnection, packet: bytes) -> None:
        connection.device.gatt_server.send_gatt_pdu(
            connection,
            bytes(
                att.ATT_Handle_Value_Notification(attribute_handle=self._up.handle, attribute_value=packet)
            ),
        )

    async def _pump(self, connection: RadioConnection) -> None:
        while True:
            if self._link is not None:
                self._link.pump(2)
            await asyncio.sleep(0.02)
