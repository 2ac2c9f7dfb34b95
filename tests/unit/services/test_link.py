"""The link against a companion made of lapel_wire, over packets in memory."""

import asyncio
import binascii

from lapel.compat import sleep_ms, wait_for_ms
from lapel.core.clock import Clock
from lapel.services.clip_feed import ClipFeed
from lapel.services.link import Link
from lapel_wire import gatt, messages
from lapel_wire.channel import Channel
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import ClearSession

EPOCH = "00112233445566ff"


class Closed(Exception):
    pass


class Bytes:
    def __init__(self, seed):
        self.at = seed

    def __call__(self, n):
        self.at += 1
        return bytes([(self.at * 13 + i) & 0xFF for i in range(n)])


class FakeTransport:
    """The pin's end; `up` is what it sent, `full` makes the radio's queue refuse."""

    def __init__(self, mtu=247):
        self.mtu = mtu
        self.interval_ms = 30
        self.closed = False
        self.dropped = 0
        self.up = []
        self.full = 0
        self._inbox = []
        self._event = asyncio.Event()

    def send(self, packet):
        if self.closed:
            raise Closed
        if self.full:
            self.full -= 1
            return False
        assert len(packet) <= self.mtu - 3
        self.up.append(bytes(packet))
        return True

    async def receive(self):
        while not self._inbox:
            if self.closed:
                raise Closed
            self._event.clear()
            await self._event.wait()
        return self._inbox.pop(0)

    def put(self, packet):
        self._inbox.append(bytes(packet))
        self._event.set()

    async def disconnect(self):
        self.closed = True
        self._event.set()


class FakeGatt:
    LinkClosed = Closed

    def __init__(self):
        self.arriving = []
        self.advertising = False
        self._event = asyncio.Event()

    def start(self):
        pass

    def stop(self):
        pass

    def connect(self, transport):
        self.arriving.append(transport)
        self._event.set()

    async def accept(self):
        self.advertising = True
        try:
            while not self.arriving:
                self._event.clear()
                await self._event.wait()
            return self.arriving.pop(0)
        finally:
            self.advertising = False


class Reader:
    def __init__(self, data, complete=True):
        self.data = data
        self.size = len(data)
        self.complete = complete
        self.cut = False
        self.ms = len(data) // 8
        self.sha = "ab" * 32
        self.meta = None

    def read_at(self, offset, view):
        piece = self.data[offset : offset + len(view)]
        view[: len(piece)] = piece
        return len(piece)

    def refresh(self):
        pass

    def close(self):
        pass


class FakeStore:
    def __init__(self, clips):
        self.clips = clips

    def clip_id(self, number):
        return messages.clip_id("0badcafe", EPOCH, number)

    def waiting(self):
        return sorted(self.clips)

    def open(self, number):
        reader = Reader(self.clips[number])
        reader.meta = {
            "ep": EPOCH,
            "n": number,
            "codec": "ima-adpcm",
            "rate": 16000,
            "boot": "01020304",
            "ms": 5,
            "t": None,
            "re": None,
        }
        return reader

    def remove(self, number):
        del self.clips[number]


class NoRecording:
    number = None
    ring = None


class FakeDesk:
    def __init__(self):
        self.hellos = []
        self.others = []

    def greet(self, channel, hello):
        self.hellos.append(hello)
        channel.post(messages.STATUS, {"bat": None, "drops": 0, "over": 0, "aside": 0, "what": None})

    def plan(self, now_ms, channel):
        pass

    def take(self, kind, body, channel):
        self.others.append((kind, body))


class Companion:
    """The other end of a FakeTransport."""

    def __init__(self, transport, seed=1, mtu=247):
        self.transport = transport
        self.session = ClearSession(True, gatt.INFO, Bytes(seed))
        self.channel = None
        self.mtu = mtu
        self.clips = {}

    async def packet(self):
        while not self.transport.up:
            if self.transport.closed:
                raise Closed
            await sleep_ms(1)
        return self.transport.up.pop(0)

    def send_raw(self, record):
        cutter = Cutter(self.mtu)
        cutter.load(record, len(record))
        while cutter.busy:
            self.transport.put(cutter.packet())
            cutter.advance()

    async def handshake(self):
        self.send_raw(self.session.start())
        joiner, record = Joiner(), None
        while record is None:
            record = joiner.feed(await self.packet())
        assert self.session.finish(record)
        self.channel = Channel(self.session, self.mtu)
        self.post(
            messages.HELLO_HOST,
            {"v": 1, "ep": "f" * 16, "nh": 0, "ce": None, "ch": 0, "t": 1, "tz": 0, "set": 0},
        )

    def post(self, kind, body):
        self.channel.post(kind, body)
        while True:
            packet = self.channel.next_packet()
            if packet is None:
                return
            self.transport.put(packet)
            self.channel.sent()

    async def message(self):
        while True:
            got = self.channel.feed(await self.packet())
            if got is not None:
                return got

    async def take_clips(self, count, held=None, lose_at=-1):
        """Receives whole clips; `held` are prefixes it has already; audio at `lose_at` is lost once."""
        held = dict(held or {})
        done = {}
        number = None
        while len(done) < count:
            kind, body = await self.message()
            if kind == messages.CLIP:
                number = body["n"]
                if number in held:
                    crc = binascii.crc32(held[number]) & 0xFFFFFFFF
                    self.post(messages.RESUME, {"n": number, "off": len(held[number]), "crc": crc})
                else:
                    held[number] = b""
                    self.post(messages.ACK, {"n": number, "off": 0})
            elif kind == messages.AUDIO:
                low, offset, data = body
                assert low == number & 0xFFFF
                if offset <= lose_at < offset + len(data):
                    lose_at = -1
                elif offset == len(held[number]):
                    held[number] += bytes(data)
            elif kind == messages.END:
                if len(held[number]) < body["bytes"]:
                    crc = binascii.crc32(held[number]) & 0xFFFFFFFF
                    self.post(messages.RESUME, {"n": number, "off": len(held[number]), "crc": crc})
                else:
                    done[number] = held[number]
                    self.post(messages.ACCEPTED, {"n": number, "d": "d%d" % number})
            elif kind == messages.CONFLICT:
                held[number] = b""
                self.post(messages.RESUME, {"n": number, "off": 0, "crc": 0})
        return done


class House:
    """A link with what it needs, run for one test."""

    def __init__(self, clips=None):
        self.gatt = FakeGatt()
        self.desk = FakeDesk()
        self.store = FakeStore(clips or {})
        self.accepted = []
        self.died = []
        self.feed = ClipFeed(self.store, NoRecording, self.trace, lambda *a: self.accepted.append(a))
        self.link = Link(
            self.gatt,
            self.feed,
            self.desk,
            Clock(),
            lambda: ClearSession(False, gatt.INFO, Bytes(50)),
            self.trace,
            lambda name, e: self.died.append((name, repr(e))),
            lambda: None,
        )
        self.traced = []

    def trace(self, event, **fields):
        self.traced.append((event, fields))

    def connect(self, **options):
        transport = FakeTransport(**options)
        self.gatt.connect(transport)
        return transport

    async def until(self, condition):
        async def wait():
            while not condition():
                await sleep_ms(2)

        await wait_for_ms(wait(), 5000)


def run(scenario, clips=None):
    async def main():
        house = House(clips)
        task = asyncio.create_task(house.link.run())
        try:
            await wait_for_ms(scenario(house), 15000)
        finally:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
            await house.link.close()
        assert house.died == []

    asyncio.run(main())


def some(n, seed=7):
    return bytes([(i * seed + (i >> 8)) & 0xFF for i in range(n)])


def test_waiting_clips_arrive_in_order_and_are_forgotten():
    clips = {3: some(5000), 4: some(1), 70_000: some(3000, 5)}

    async def scenario(house):
        companion = Companion(house.connect())
        await companion.handshake()
        done = await companion.take_clips(3)
        assert done == {3: some(5000), 4: some(1), 70_000: some(3000, 5)}
        await house.until(lambda: not house.store.clips)
        assert [a[1] for a in house.accepted] == [3, 4, 70_000]

    run(scenario, clips)


def test_a_small_mtu_and_a_full_radio_lose_nothing():
    async def scenario(house):
        transport = house.connect(mtu=23)
        companion = Companion(transport, mtu=23)
        await companion.handshake()
        transport.full = 3
        assert await companion.take_clips(1) == {1: some(600)}

    run(scenario, {1: some(600)})


def test_a_lost_record_is_asked_for_again():
    async def scenario(house):
        companion = Companion(house.connect())
        await companion.handshake()
        assert await companion.take_clips(1, lose_at=1200) == {2: some(4000)}

    run(scenario, {2: some(4000)})


def test_a_prefix_is_resumed_and_a_foreign_prefix_is_a_conflict():
    for held, conflicts in ((some(1500), 0), (b"x" * 1500, 1), (some(9000), 1)):

        async def scenario(house):
            companion = Companion(house.connect())
            await companion.handshake()
            assert await companion.take_clips(1, {2: held}) == {2: some(4000)}
            assert house.feed.conflicts == conflicts

        run(scenario, {2: some(4000)})


def test_strangers_are_sent_away_and_the_owner_comes_in():
    async def scenario(house):
        garbage = house.connect()
        Companion(garbage).send_raw(b"x" * 48)
        await house.until(lambda: garbage.closed)
        silent = house.connect()
        companion = Companion(house.connect())
        await companion.handshake()
        await house.until(lambda: house.link.up)
        assert not house.gatt.advertising
        await house.until(lambda: silent.closed)
        assert house.link.strangers == 2
        assert await companion.take_clips(1) == {1: some(900)}

    run(scenario, {1: some(900)})


def test_a_link_that_breaks_is_followed_by_another():
    async def scenario(house):
        first = house.connect()
        companion = Companion(first)
        await companion.handshake()
        kind, _ = await companion.message()
        assert kind == messages.STATUS
        await first.disconnect()
        await house.until(lambda: house.gatt.advertising)
        assert not house.link.up
        again = Companion(house.connect(), seed=9)
        await again.handshake()
        assert await again.take_clips(1) == {1: some(900)}

    run(scenario, {1: some(900)})


def test_other_messages_reach_the_desk():
    async def scenario(house):
        companion = Companion(house.connect())
        await companion.handshake()
        await house.until(lambda: house.desk.hellos)
        body = {"ep": "f" * 16, "s": 3, "k": "done", "d": "d1", "j": "d1.1", "x": "ok"}
        companion.post(messages.NOTICE, body)
        await house.until(lambda: house.desk.others)
        assert house.desk.others == [(messages.NOTICE, body)]

    run(scenario)
