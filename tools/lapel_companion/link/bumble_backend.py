"""bleak on Bumble: a scanner and a client for any HCI transport that Bumble can open.

The daemon speaks bleak only; with the spec `bumble:<transport>` these two classes stand behind it: for the
simulator's virtual radio, and for radios on USB or a serial port that the system does not own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic, GattCharacteristicsFlags
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError
from bleak.uuids import normalize_uuid_str
from bumble import att, core, hci
from bumble.core import AdvertisingData
from bumble.device import Advertisement, Connection, Device, Peer
from bumble.gatt_client import CharacteristicProxy

from lapel_wire import gatt

_GIVE_UP_S = 1.0
# A radio that stood still answers what was given up, which Bumble takes for the answer to the next: it asserts.
_FAILURES = (core.BaseBumbleError, AssertionError)
_UUID_LISTS = (
    AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
)
_NAMES = (AdvertisingData.Type.COMPLETE_LOCAL_NAME, AdvertisingData.Type.SHORTENED_LOCAL_NAME)


class BumbleScanner(BaseBleakScanner):
    """bleak's scanner over a Bumble device (keyword `bumble`)."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",
        *,
        bumble: Device,
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._device = bumble
        self._active = scanning_mode == "active"

    async def start(self) -> None:
        self.seen_devices = {}
        self._device.on(Device.EVENT_ADVERTISEMENT, self._heard)
        try:
            await self._device.start_scanning(active=self._active, filter_duplicates=False)
        except _FAILURES as error:
            raise BleakError(f"scanning cannot be started: {error}") from error

    async def stop(self) -> None:
        self._device.remove_listener(Device.EVENT_ADVERTISEMENT, self._heard)
        try:
            await self._device.stop_scanning()
        except _FAILURES as error:
            raise BleakError(f"scanning cannot be stopped: {error}") from error

    def _heard(self, advertisement: Advertisement) -> None:
        name = next(
            (n for n in (advertisement.data.get(kind) for kind in _NAMES) if isinstance(n, str)), None
        )
        uuids: list[str] = []
        for kind in _UUID_LISTS:
            for listed in advertisement.data.get_all(kind):
                if isinstance(listed, (list, tuple)):
                    uuids += [_text(uuid) for uuid in listed if isinstance(uuid, core.UUID)]
        data = AdvertisementData(name, {}, {}, uuids, None, advertisement.rssi, (advertisement,))
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, name, advertisement.address, data)
        self.call_detection_callbacks(device, data)


class BumbleClient(BaseBleakClient):
    """bleak's client over a Bumble device (keyword `bumble`)."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        bumble: Device,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._device = bumble
        self._target: Any = self.address
        if isinstance(address_or_ble_device, BLEDevice):
            self._target = address_or_ble_device.details
        self._wanted = services
        self._connection: Connection | None = None
        self._peer: Peer | None = None

    @property
    def name(self) -> str:
        return self.address

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else gatt.MTU_MIN

    @property
    def interval_ms(self) -> int:
        """The connection interval, rounded."""
        return round(self._connection.parameters.connection_interval) if self._connection else 0

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        with _cancellable():
            try:
                connection = await self._device.connect(
                    self._target, timeout=kwargs.get("timeout", self._timeout)
                )
            except _FAILURES as error:
                raise BleakError(f"{self.address} cannot be reached: {error}") from error
            except asyncio.CancelledError:
                await self._give_up()
                raise
            connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)
            self._connection, self._peer = connection, Peer(connection)
        await self._ask(self._talking.request_mtu(gatt.MTU_WANTED))
        await self._discover(self._talking)

    async def _give_up(self) -> None:
        # Bumble leaves the radio trying, and then no other connection can be made.
        with contextlib.suppress(*_FAILURES, hci.HCI_Error, TimeoutError):
            async with asyncio.timeout(_GIVE_UP_S):
                await self._device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())

    async def disconnect(self) -> None:
        if self._connection is None:
            return
        try:
            await self._connection.disconnect()
        except _FAILURES as error:
            raise BleakError(f"{self.address} cannot be disconnected: {error}") from error

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("the session needs no pairing of the radio")

    async def unpair(self) -> None:
        raise NotImplementedError("the session needs no pairing of the radio")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return bytearray(await self._ask(self._talking.read_value(characteristic.obj)))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return bytearray(await self._ask(self._talking.read_value(descriptor.handle)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        await self._ask(self._talking.write_value(characteristic.obj, bytes(data), response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._ask(self._talking.write_value(descriptor.handle, bytes(data), True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        def arrived(value: bytes) -> None:
            callback(bytearray(value))

        await self._ask(self._talking.subscribe(characteristic.obj, arrived))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._ask(self._talking.unsubscribe(characteristic.obj))

    @property
    def _talking(self) -> Peer:
        if self._peer is None:
            raise BleakError("the connection was lost")
        return self._peer

    async def _discover(self, peer: Peer) -> None:
        self.services = BleakGATTServiceCollection()
        if self._wanted is None:
            await self._ask(peer.discover_services())
        for uuid in self._wanted or ():
            await self._ask(peer.discover_service(core.UUID(uuid)))
        for service in peer.services:
            known = BleakGATTService(service, service.handle, _text(service.uuid))
            self.services.add_service(known)
            for proxy in await self._ask(peer.discover_characteristics(service=service)):
                self.services.add_characteristic(self._described(proxy, known))

    def _described(
        self, proxy: CharacteristicProxy[bytes], service: BleakGATTService
    ) -> BleakGATTCharacteristic:
        properties: list[Any] = [
            flag.name.replace("_", "-")
            for flag in GattCharacteristicsFlags
            if int(proxy.properties) & flag.value
        ]
        room = self.mtu_size - gatt.ATT_HEADER_BYTES
        return BleakGATTCharacteristic(
            proxy, proxy.handle, _text(proxy.uuid), properties, lambda: room, service
        )

    def _disconnected(self, _reason: int) -> None:
        self._connection = self._peer = None
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def _ask(self, request: Any) -> Any:
        try:
            with _cancellable():
                return await request
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(error.error_code) from error
        except _FAILURES as error:
            raise BleakError(str(error)) from error
        except asyncio.CancelledError:
            # Bumble cancels what was asked on a connection that ends; that is no cancellation of ours.
            task = asyncio.current_task()
            if self._connection is None and (task is None or not task.cancelling()):
                raise BleakError("the connection was lost") from None
            raise


@contextlib.contextmanager
def _cancellable() -> Iterator[None]:
    """A cancellation of what is inside is one. Bumble uses `wait_for`: before Python 3.12 that drops one which comes
    together with the answer, and who asked us to stop would wait for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


def _text(uuid: core.UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))
