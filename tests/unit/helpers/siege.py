"""Pins under siege: the real link on the real driver, its owner, and a crowd of others, in virtual time."""

import asyncio
import random
import sys

import virtual_time

virtual_time.install()
import near_radio  # noqa: E402

near_radio.install(next(folder for folder in sys.path if folder.endswith("boards/sim")))

import aioble  # noqa: E402
import aioble.core  # noqa: E402
import aioble.device  # noqa: E402
import light  # noqa: E402
from linked import KEY, Bytes, FakeDesk, FakeStore, NoRecording, Pairing  # noqa: E402

from drivers.ble_gatt import BleGatt  # noqa: E402
from lapel.core.clock import Clock  # noqa: E402
from lapel.services import link as links  # noqa: E402
from lapel.services.clip_feed import ClipFeed  # noqa: E402
from lapel.services.handshakes import Handshakes  # noqa: E402
from lapel_wire import gatt, messages  # noqa: E402
from lapel_wire.channel import Channel  # noqa: E402
from lapel_wire.packets import Cutter, Joiner  # noqa: E402
from lapel_wire.session import Session, prologue  # noqa: E402
from noise.initiator import Initiator  # noqa: E402
from noise.nnpsk0 import Ephemeral  # noqa: E402

# What a computer needs from the connection to its opening message: in the simulator, and with a slow one.
QUICK_MS = 600
SLOW_MS = 2000
_MTU_MS = 90
_PACKET_MS = 60
OPENING_BYTES = 48
_ADDRESS_BYTES = 6
# The keeper of a companion: how long it tries, listens before it does, and pauses after each failure.
_TRY_MS = 4000
_GATHER_MS = 300
_PAUSES_MS = (300, 500, 700, 1000, 1500, 2000, 3000, 5000)
_HANDLERS = len(aioble.core._handlers)


def address():
    return bytes([random.getrandbits(8) for _ in range(_ADDRESS_BYTES)])


class Central:
    """Who connects as soon as it can."""

    def __init__(self, place):
        self.place = place
        self.handle = None
        self.address = address()
        self.heard = []
        self.connects = 0

    def wants(self, now_ms):
        return True

    def connected(self, ble, handle):
        self.handle = handle
        self.connects += 1
        self.act()

    def act(self):
        pass

    def later(self, delay_ms, act, *arguments):
        """It happens then, if the connection still stands."""
        self.place.world.after_ms(delay_ms, self._still, self.handle, act, arguments)

    def _still(self, handle, act, arguments):
        if handle == self.handle:
            act(*arguments)

    def write(self, packet):
        self.place.ble.write(self.handle, self.place.gatt._down._value_handle, packet)

    def say(self, record, mtu=247):
        cutter = Cutter(mtu)
        cutter.load(record, len(record))
        while cutter.busy:
            self.write(bytes(cutter.packet()))
            cutter.advance()

    def notified(self, packet):
        self.heard.append(packet)

    def gone(self):
        self.handle = None


class Stranger(Central):
    """Does `what` at each connection; with a new address each time when it rotates, or after so many."""

    def __init__(self, place, what, rotates=True):
        Central.__init__(self, place)
        self.what = what
        self.rotates = rotates

    def gone(self):
        Central.gone(self)
        if self.rotates and self.connects % self.rotates == 0:
            self.address = address()

    def act(self):
        ble, handle = self.place.ble, self.handle
        if self.what != "silent":
            self.later(_MTU_MS, ble.exchange_mtu, handle, 247)
        if self.what == "garbage":
            self.later(QUICK_MS, self.say, Bytes(self.handle)(OPENING_BYTES))
        elif self.what == "half":
            self.later(QUICK_MS, self.write, b"\x80" + bytes(20))
        elif self.what == "old openings":
            # Genuine, and not answered by this pin since it was switched on.
            key = Ephemeral(light, lambda n: bytes([random.getrandbits(8) for _ in range(n)]))
            self.later(QUICK_MS, self.say, Initiator(light, KEY, prologue(gatt.INFO), key).start())
        elif self.what in ("floods", "drips"):
            self.later(QUICK_MS, self.flood, 5 if self.what == "floods" else 400)
        elif self.what == "replays":
            for n, packet in enumerate(self.place.owner.written):
                self.later(QUICK_MS + n * _PACKET_MS, self.write, packet)

    def flood(self, every_ms):
        self.write(bytes([random.getrandbits(8) for _ in range(1 + random.getrandbits(7))]))
        self.later(every_ms, self.flood, every_ms)


class Owner(Central):
    """Its companion: connects, discovers for `discovery_ms`, proves the key. It tries, fails and pauses as the keeper
    of the real one does."""

    def __init__(self, place, discovery_ms=QUICK_MS):
        Central.__init__(self, place)
        self.discovery_ms = discovery_ms
        self.seeks_ms = None
        self.failures = 0
        self.written = []
        self.channel = None
        self.seed = 0

    def seek(self):
        """From now on."""
        self.seeks_ms = self.place.world.now_ms
        self.failures = 0

    def wants(self, now_ms):
        if self.seeks_ms is None or now_ms < self.seeks_ms:
            return False
        if now_ms - self.seeks_ms > _TRY_MS:
            self._failed(now_ms)
            return False
        return True

    def _failed(self, now_ms):
        pause_ms = _PAUSES_MS[min(self.failures, len(_PAUSES_MS) - 1)]
        self.failures += 1
        self.seeks_ms = now_ms + pause_ms + _GATHER_MS

    def write(self, packet):
        self.written.append(packet)
        Central.write(self, packet)

    def act(self):
        self.written = []
        self.channel = None
        self.joiner = Joiner()
        self.seed += 7
        self.initiator = Initiator(light, KEY, prologue(gatt.INFO), Ephemeral(light, Bytes(self.seed)))
        self.later(_MTU_MS, self.place.ble.exchange_mtu, self.handle, 247)
        self.later(self.discovery_ms, self.open)

    def open(self):
        self.say(self.initiator.start())

    def notified(self, packet):
        if self.channel is not None:
            self.channel.feed(packet)
            return
        record = self.joiner.feed(packet)
        if record is None:
            return
        assert self.initiator.take(bytes(record))
        while not self.initiator.step():
            pass
        self.channel = Channel(Session(*self.initiator.result), 247)
        self.later(_PACKET_MS, self.greet)

    def greet(self):
        hello = {"v": gatt.PROTOCOL_VERSION, "ep": "f" * 16, "nh": 0, "ce": None, "ch": 0, "t": 1, "tz": 0, "set": 0}
        self.channel.post(messages.HELLO_HOST, hello)
        while True:
            packet = self.channel.next_packet()
            if packet is None:
                return
            self.write(bytes(packet))
            self.channel.sent()

    def gone(self):
        Central.gone(self)
        if self.seeks_ms is not None:
            self._failed(self.place.world.now_ms)


class Place:
    """A pin that runs, and who is near it."""

    def __init__(self, seed, crowd=(), rotates=True, discovery_ms=QUICK_MS, key=KEY):
        self.world = virtual_time.World()
        virtual_time.attach(self.world)
        self.ble = near_radio.BLE()
        self.ble.reset(self.world, seed)
        self.traced = []
        self.died = []
        clock = Clock(lambda: self.world.ticks_ms)
        self.recording = NoRecording()
        feed = ClipFeed(FakeStore({}), self.recording, self.trace, None)
        self.keys = Handshakes(Pairing(key), light, Bytes(seed), lambda: self.recording.is_busy, clock)
        self.gatt = links.serve(BleGatt, gatt.INFO)
        self.link = links.Link(
            self.gatt, feed, FakeDesk(), clock, self.keys, self.trace, lambda *e: self.died.append(e), lambda: None
        )
        self.owner = Owner(self, discovery_ms)
        self.crowd = [Stranger(self, what, rotates) for what in crowd]
        self.ble.centrals = self.crowd + [self.owner]

    def trace(self, event, **fields):
        self.traced = self.traced[-20:] + [(event, fields)]

    def run(self, scenario):
        """scenario(self), with the pin on."""

        async def main():
            task = asyncio.create_task(self.link.run())
            try:
                await scenario(self)
            finally:
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    pass
                await self.link.close()
                self._forget()

        self.world.run(main())
        assert self.died == [], self.died

    def _forget(self):
        # aioble outlives a run, and keeps every handler.
        del aioble.core._handlers[_HANDLERS:]
        aioble.device.DeviceConnection._connected.clear()

    async def passes(self, delay_ms):
        end_ms = self.world.now_ms + delay_ms
        await self.until(lambda: self.world.now_ms >= end_ms, delay_ms)

    async def until(self, condition, limit_ms):
        """Milliseconds until it holds; None after the limit."""
        begun_ms = self.world.now_ms
        while not condition():
            if self.world.now_ms - begun_ms > limit_ms:
                return None
            await asyncio.sleep_ms(5)
        return self.world.now_ms - begun_ms

    async def owner_in(self, limit_ms=60_000):
        """The owner begins to search; milliseconds until its session."""
        self.owner.seek()
        return await self.until(lambda: self.link.up, limit_ms)
