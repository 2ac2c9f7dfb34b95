"""A radio in memory: transports that carry packets well or badly, and who hands them out."""

import asyncio
import random


class Closed(Exception):
    pass


class FakeTransport:
    """The pin's end; `up` is what it sent, `full` makes the radio's queue refuse so often, and when it `is_bad`
    packets are lost, doubled and swapped both ways."""

    def __init__(self, mtu=247, address=None):
        self.mtu = mtu
        self.address = random.getrandbits(30).to_bytes(6, "little") if address is None else address
        self.interval_ms = 30
        self.closed = False
        self.dropped = 0
        self.up = []
        self.full = 0
        self.is_bad = False
        self._inbox = []
        self._held = {}
        self._event = asyncio.Event()

    def send(self, packet):
        if self.closed:
            raise Closed
        if self.full:
            self.full -= 1
            return False
        assert len(packet) <= self.mtu - 3
        self._carry(self.up, bytes(packet))
        return True

    def _carry(self, line, packet):
        fate = random.getrandbits(6) if self.is_bad else 63
        if fate == 0 and id(line) not in self._held:
            # It comes behind the next one.
            self._held[id(line)] = packet
        elif fate > 2:
            line.append(packet)
            if fate == 3:
                line.append(packet)
            if id(line) in self._held:
                line.append(self._held.pop(id(line)))

    async def receive(self):
        while not self._inbox:
            if self.closed:
                raise Closed
            self._event.clear()
            await self._event.wait()
        return self._inbox.pop(0)

    def put(self, packet):
        self._carry(self._inbox, bytes(packet))
        self._event.set()

    async def disconnect(self):
        self.closed = True
        self._event.set()


class FakeGatt:
    LinkClosed = Closed

    def __init__(self):
        self.arriving = []
        self.battery = []
        self.advertising = False
        self._event = asyncio.Event()

    def start(self):
        pass

    def set_battery(self, percent):
        self.battery.append(percent)

    def stop(self):
        pass

    def connect(self, transport):
        self.arriving.append(transport)
        self._event.set()

    async def dismiss(self):
        while self.arriving:
            await self.arriving.pop(0).disconnect()

    async def accept(self):
        self.advertising = True
        try:
            while not self.arriving:
                self._event.clear()
                await self._event.wait()
            return self.arriving.pop(0)
        finally:
            self.advertising = False
