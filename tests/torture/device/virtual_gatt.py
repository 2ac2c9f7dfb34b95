"""The pin's end of the air: what lib/drivers/ble_gatt.py gives the firmware, with a `carrier` for a radio.

A carrier is an object with
    advertising(gatt)     the pin can be found from now on; gatt.connect(...) makes a link, at any later time
    hidden(gatt)          it cannot be found any more
    up(link, packet)      the pin sends these bytes; False when the radio's queue is full (ENOMEM), else True
    gone(link)            the pin ended this link, or its power went
It is told in the middle of the pin's own code, and so must only note it and let things happen by
`world.after_ms(...)`. On a link it may set `mtu` and `interval_ms`, and call
    link.take(packet)     a write of the central arrives (twelve wait at most; more are dropped and counted)
    link.end()            the pin learns that the central has gone
"""

import asyncio

INBOX_MAX = 12
LINKS_MAX = 4


class LinkClosed(Exception):
    """The central has gone, or was sent away."""


class Link:
    """As drivers.ble_gatt.Link."""

    def __init__(self, gatt, mtu: int, interval_ms: int):
        self._gatt = gatt
        self._inbox = []
        self._arrived = asyncio.ThreadSafeFlag()
        self.address = b"person"
        self.mtu = mtu
        self.interval_ms = interval_ms
        self.closed = False
        self.dropped = 0

    def send(self, packet) -> bool:
        if self.closed:
            raise LinkClosed
        if len(packet) > self.mtu - 3:
            raise AssertionError("a packet of %d bytes at an MTU of %d" % (len(packet), self.mtu))
        return self._gatt.carrier.up(self, bytes(packet))

    async def receive(self):
        while not self._inbox:
            if self.closed:
                raise LinkClosed
            await self._arrived.wait()
        return self._inbox.pop(0)

    async def disconnect(self) -> None:
        if not self.closed:
            self.end()
            self._gatt.carrier.gone(self)

    def take(self, packet) -> None:
        if self.closed:
            return
        if len(self._inbox) < INBOX_MAX:
            self._inbox.append(packet)
        else:
            self.dropped += 1
        self._arrived.set()

    def end(self) -> None:
        if not self.closed:
            self.closed = True
            self._gatt.links.remove(self)
            self._arrived.set()


class Gatt:
    """As drivers.ble_gatt.BleGatt."""

    LinkClosed = LinkClosed

    def __init__(self, carrier, name, service_uuid, up_uuid, down_uuid, info_uuid, info, mtu):
        self.carrier = carrier
        self.info = info
        self.mtu_max = mtu
        self.links = []
        self.percent = None
        self.is_on = False
        self._waiting = []
        self._connected = asyncio.ThreadSafeFlag()

    def start(self) -> None:
        self.is_on = True

    def stop(self) -> None:
        """The radio goes off, also by a power cut."""
        self.is_on = False
        self._waiting = []
        for link in list(self.links):
            link.end()
            self.carrier.gone(link)
        self.carrier.hidden(self)

    async def accept(self, interval_us: int = 100_000):
        while True:
            while self._waiting:
                link = self._waiting.pop(0)
                if not link.closed:
                    return link
            self.carrier.advertising(self)
            try:
                await self._connected.wait()
            finally:
                self.carrier.hidden(self)

    async def dismiss(self) -> None:
        while self._waiting:
            await self._waiting.pop(0).disconnect()

    def set_battery(self, percent: int) -> None:
        self.percent = percent

    def connect(self, mtu: int = 23, interval_ms: int = 0):
        """A central connects; its Link, or None when the pin takes no more."""
        if not self.is_on or len(self.links) >= LINKS_MAX:
            return None
        link = Link(self, min(mtu, self.mtu_max), interval_ms)
        self.links.append(link)
        self._waiting.append(link)
        self._connected.set()
        return link
