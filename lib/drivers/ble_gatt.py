"""The pin's GATT server over aioble: advertising, links, bounded inboxes, honest sending.

Writes are taken in an own handler of the GATT write event, so that the sender and the borders of
every packet are kept: aioble's buffers belong to the value, not to the connection. Needs aioble
(`mpremote mip install aioble`).
"""

import asyncio

import aioble
import bluetooth
from micropython import const

_IRQ_CENTRAL_CONNECT = const(1)
_IRQ_CENTRAL_DISCONNECT = const(2)
_IRQ_GATTS_WRITE = const(3)
_IRQ_MTU_EXCHANGED = const(21)
_IRQ_CONNECTION_UPDATE = const(27)

_ADDRESS_RANDOM = const(1)
_MTU_DEFAULT = const(23)
_ENOMEM = const(12)
_INTERVAL_UNIT_US = const(1250)
_INBOX_MAX = const(12)
_FULL_MS = const(100)

_BATTERY_SERVICE = const(0x180F)
_BATTERY_LEVEL = const(0x2A19)


class LinkClosed(Exception):
    """The central has gone, or was sent away."""


class Link:
    """A transport over one connection. `address` is the central's (6 bytes, which prove nothing), `mtu` is 23 until
    it asked for more; `interval_ms` is 0 until it changed its first choice."""

    def __init__(self, gatt, handle: int, address: bytes) -> None:
        self._gatt = gatt
        self._handle = handle
        self.address = address
        self._inbox = []
        self._arrived = asyncio.ThreadSafeFlag()
        self.mtu = _MTU_DEFAULT
        self.interval_ms = 0
        self.closed = False
        self.dropped = 0

    def send(self, packet) -> bool:
        """Hands a packet of at most mtu - 3 bytes to the radio; False when its queue is full.

        Raises LinkClosed.
        """
        if self.closed:
            raise LinkClosed
        try:
            self._gatt.notify(self._handle, packet)
        except OSError as e:
            if e.errno == _ENOMEM:
                return False
            # Any other refusal means that the handle is dead (ENOTCONN, -128).
            self.end()
            raise LinkClosed from None
        return True

    async def receive(self):
        """The next packet as bytes. Raises LinkClosed once the inbox of a dead link is empty."""
        while not self._inbox:
            if self.closed:
                raise LinkClosed
            await self._arrived.wait()
        return self._inbox.pop(0)

    async def disconnect(self) -> None:
        """Sends the central away; harmless when it has gone."""
        if not self.closed:
            self._gatt.disconnect(self._handle)
            self.end()

    def take(self, packet) -> None:
        """For the driver's event handler."""
        if len(self._inbox) < _INBOX_MAX:
            self._inbox.append(packet)
        else:
            self.dropped += 1
        self._arrived.set()

    def end(self) -> None:
        """For the driver: nothing more will come."""
        self.closed = True
        self._arrived.set()


class BleGatt:
    """One service with `up` (notify), `down` (write) and `info` (read), and the Battery service."""

    LinkClosed = LinkClosed

    def __init__(self, name: str, service_uuid: str, up_uuid: str, down_uuid: str, info_uuid: str, info, mtu: int):
        self._name = name
        self._uuids = (service_uuid, up_uuid, down_uuid, info_uuid)
        self._info = info
        self._mtu = mtu
        self._service_uuid: bluetooth.UUID = None
        self._up: aioble.Characteristic = None
        self._down: aioble.BufferedCharacteristic = None
        self._battery: aioble.Characteristic = None
        self._links = {}
        self._waiting = []

    def start(self) -> None:
        """Switches the radio on, with a new random address, and registers the services."""
        # aioble keeps its handlers over a stop.
        if self._service_uuid is None:
            aioble.core.register_irq_handler(self._irq, None)
        aioble.config(addr_mode=_ADDRESS_RANDOM, mtu=self._mtu, gap_name=self._name)
        service_uuid, up_uuid, down_uuid, info_uuid = [bluetooth.UUID(text) for text in self._uuids]
        self._service_uuid = service_uuid
        service = aioble.Service(service_uuid)
        self._up = aioble.Characteristic(service, up_uuid, notify=True)
        self._down = aioble.BufferedCharacteristic(
            service, down_uuid, write=True, write_no_response=True, max_len=self._mtu, append=False
        )
        aioble.Characteristic(service, info_uuid, read=True, initial=self._info)
        battery = aioble.Service(bluetooth.UUID(_BATTERY_SERVICE))
        self._battery = aioble.Characteristic(
            battery, bluetooth.UUID(_BATTERY_LEVEL), read=True, notify=True, initial=b"\x64"
        )
        aioble.register_services(service, battery)

    def stop(self) -> None:
        """Switches the radio off; every link ends."""
        aioble.stop()
        for link in list(self._links.values()):
            link.end()
        self._links.clear()
        self._waiting.clear()

    async def accept(self, interval_us: int = 100_000) -> Link:
        """Advertises until a central connects; its link."""
        while True:
            while self._waiting:
                link = self._waiting.pop(0)
                if not link.closed:
                    return link
            try:
                arrived = await aioble.advertise(interval_us, name=self._name, services=[self._service_uuid])
            except OSError as e:
                if e.errno != _ENOMEM:
                    raise
                # Every connection that the radio has is taken, by those that are on their way out.
                await asyncio.sleep_ms(_FULL_MS)
                continue
            # aioble swallows a cancellation and returns None; hand it on.
            if arrived is None and not self._waiting:
                raise asyncio.CancelledError

    async def dismiss(self) -> None:
        """Sends away who connected and was not accepted."""
        while self._waiting:
            await self._waiting.pop(0).disconnect()

    def set_battery(self, percent: int) -> None:
        """0 to 100, for the Battery service."""
        if self._battery is not None:
            self._battery.write(bytes((max(0, min(100, percent)),)), send_update=True)

    def notify(self, handle: int, packet) -> None:
        """For Link."""
        aioble.core.ble.gatts_notify(handle, self._up._value_handle, packet)

    def disconnect(self, handle: int) -> None:
        """For Link."""
        try:
            aioble.core.ble.gap_disconnect(handle)
        except OSError:
            # It had gone already.
            pass

    def _irq(self, event, data) -> None:
        if event == _IRQ_GATTS_WRITE:
            link = self._links.get(data[0])
            if link is not None and data[1] == self._down._value_handle:
                link.take(aioble.core.ble.gatts_read(data[1]))
        elif event == _IRQ_CENTRAL_CONNECT:
            # The radio bounds how many there are: four in the stock build.
            link = Link(self, data[0], bytes(data[2]))
            self._links[data[0]] = link
            self._waiting.append(link)
        elif event == _IRQ_CENTRAL_DISCONNECT:
            link = self._links.pop(data[0], None)
            if link is not None:
                link.end()
        elif event == _IRQ_MTU_EXCHANGED:
            link = self._links.get(data[0])
            if link is not None:
                link.mtu = data[1]
        elif event == _IRQ_CONNECTION_UPDATE:
            link = self._links.get(data[0])
            if link is not None and data[4] == 0:
                link.interval_ms = data[1] * _INTERVAL_UNIT_US // 1000
