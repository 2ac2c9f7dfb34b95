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
        with of_the_radio("scanning cannot be started"):
            await self._device.start_scanning(active=self._active, filter_duplicates=False)

    async def stop(self) -> None:
        self._device.remove_listener(Device.EVENT_ADVERTISEMENT, self._heard)
        with of_the_radio("scanning cannot be stopped"):
            await self._device.stop_scanning()

    def _heard(self, advertisement: Advertisement) -> None:
        # A stranger's name may be no text.
        names = (advertisement.data.get(kind, raw=True) for kind in _NAMES)
        name = next((one.decode("utf-8", "replace") for one in names if one is not None), None)
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
        with of_the_radio(f"{self.address} cannot be reached"):
            try:
                connection = await self._device.connect(self._target, timeout=kwargs.get("timeout", self._timeout))
            except asyncio.CancelledError:
                await self._give_up()
                raise
            connection.on(Connection.EVENT_DISCONNECTION, self._disconnected)
            self._connection, self._peer = connection, Peer(connection)
        await self._ask(self._talking.request_mtu(gatt.MTU_WANTED))
        await self._discover(self._talking)

    async def _give_up(self) -> None:
        # Bumble leaves the radio trying, and then no other connection can be made.
        with contextlib.suppress(BleakError, TimeoutError):
            async with asyncio.timeout(_GIVE_UP_S):
                with of_the_radio("it cannot be given up"):
                    await self._device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())

    async def disconnect(self) -> None:
        if self._connection is None:
            return
        with of_the_radio(f"{self.address} cannot be disconnected"):
            await self._connection.disconnect()

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
        with of_the_radio("the connection failed"):
            return await request


@contextlib.contextmanager
def of_the_radio(what: str) -> Iterator[None]:
    """What goes wrong inside is a BleakError, and a cancellation of ours is one.

    Bumble reads what strangers send, and stumbles in ways of its own (a struct.error, an AssertionError); it cancels
    what was asked on a connection that ends. Neither may end more than the connection. And it uses `wait_for`: before
    Python 3.12 that drops a cancellation which comes together with the answer, or with an error, and who asked us to
    stop would wait for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    wrong: BleakError | None = None
    try:
        yield
    except asyncio.CancelledError:
        wrong = BleakError("the connection was lost")
    except att.ATT_Error as error:
        wrong = BleakGATTProtocolError(error.error_code)
    except BleakError as error:
        wrong = error
    except Exception as error:  # noqa: BLE001 - see above
        wrong = BleakError(f"{what}: {str(error) or type(error).__name__}")
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    if wrong is not None:
        raise wrong


def _text(uuid: core.UUID) -> str:
    return normalize_uuid_str(uuid.to_hex_str("-"))
