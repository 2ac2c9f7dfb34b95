"""A link with all it needs, and a companion made of lapel_wire, over packets in memory."""

import asyncio
import binascii

import light
from thin_air import Closed, FakeGatt, FakeTransport

from lapel.compat import sleep_ms, ticks_add, ticks_ms, wait_for_ms
from lapel.core.clock import Clock
from lapel.services.clip_feed import ClipFeed
from lapel.services.handshakes import Handshakes
from lapel.services.link import Link
from lapel_wire import gatt, messages
from lapel_wire.channel import Channel
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import Session, prologue
from noise.initiator import Initiator
from noise.nnpsk0 import Ephemeral, Responder

_QUIET_MS = 60
EPOCH = "00112233445566ff"
KEY = bytes(range(32))


class Bytes:
    def __init__(self, seed):
        self.at = seed

    def __call__(self, n):
        self.at += 1
        return bytes([(self.at * 13 + i) & 0xFF for i in range(n)])


class Pairing:
    """The pin's, with no flash."""

    generation = 1
    info = gatt.INFO

    def __init__(self, key=KEY):
        self.key = key
        self.is_paired = key is not None

    def new_responder(self, suite, ephemeral):
        return Responder(suite, self.key, prologue(self.info), ephemeral)


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
    """The recorder, at rest."""

    number = None
    ring = None
    is_busy = False


class FakeDesk:
    def __init__(self):
        self.hellos = []
        self.others = []
        self.asked = 0

    def ask(self, channel):
        self.asked += 1
        channel.post(messages.STATUS, {"bat": None, "drops": 0, "over": 0, "aside": 0, "what": None})

    def greet(self, channel, hello):
        self.hellos.append(hello)
        channel.post(messages.STATUS, {"bat": None, "drops": 0, "over": 0, "aside": 0, "what": None})

    def plan(self, now_ms, channel):
        pass

    def take(self, kind, body, channel):
        self.others.append((kind, body))


class Companion:
    """The other end of a FakeTransport."""

    def __init__(self, transport, seed=1, mtu=247, key=KEY, suite=light):
        self.transport = transport
        self.initiator = Initiator(suite, key, prologue(gatt.INFO), Ephemeral(suite, Bytes(seed)))
        self.session = None
        self.channel = None
        self.mtu = mtu
        # Called whenever nothing came for a while.
        self.on_quiet = None

    async def packet(self):
        quiet_ms = 0
        while not self.transport.up:
            if self.transport.closed:
                raise Closed
            await sleep_ms(1)
            quiet_ms += 1
            if quiet_ms % _QUIET_MS == 0 and self.on_quiet:
                self.on_quiet()
        return self.transport.up.pop(0)

    def send_raw(self, record):
        cutter = Cutter(self.mtu)
        cutter.load(record, len(record))
        while cutter.busy:
            self.transport.put(cutter.packet())
            cutter.advance()

    async def handshake(self):
        self.send_raw(self.initiator.start())
        joiner, record = Joiner(), None
        while record is None:
            record = joiner.feed(await self.packet())
        self.finish(record)
        self.greet()

    def finish(self, answer):
        assert self.initiator.take(answer)
        while not self.initiator.step():
            pass
        self.session = Session(*self.initiator.result)

    def greet(self):
        self.channel = Channel(self.session, self.mtu)
        self.post(
            messages.HELLO_HOST,
            {"v": gatt.PROTOCOL_VERSION, "ep": "f" * 16, "nh": 0, "ce": None, "ch": 0, "t": 1, "tz": 0, "set": 0},
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
            elif kind == messages.STATUS:
                self.post(messages.JOBS, {"n": 0})
            elif kind == messages.CONFLICT:
                held[number] = b""
                self.post(messages.RESUME, {"n": number, "off": 0, "crc": 0})
        return done


class House:
    """A link with what it needs, run for one test. `skip_ms` puts its clock forward; radio and tasks go by the
    real one."""

    def __init__(self, clips=None, start_ticks=0, suite=light, key=KEY):
        self.skipped_ms = 0
        self.gatt = FakeGatt()
        self.desk = FakeDesk()
        self.store = FakeStore(clips or {})
        self.accepted = []
        self.died = []
        self.recording = NoRecording()
        self.feed = ClipFeed(self.store, self.recording, self.trace, lambda *a: self.accepted.append(a))
        clock = Clock(lambda: ticks_add(ticks_ms(), start_ticks + self.skipped_ms))
        self.pairing = Pairing(key)
        self.keys = Handshakes(self.pairing, suite, Bytes(50), lambda: self.recording.is_busy, clock)
        self.link = Link(
            self.gatt,
            self.feed,
            self.desk,
            clock,
            self.keys,
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

    def skip_ms(self, delay_ms):
        self.skipped_ms += delay_ms

    async def until(self, condition):
        async def wait():
            while not condition():
                await sleep_ms(2)

        await wait_for_ms(wait(), 20_000)


def run(scenario, clips=None, **options):
    """scenario(house), with `clips` {number: bytes} waiting on the pin."""

    async def main():
        house = House(clips, **options)
        task = asyncio.create_task(house.link.run())
        try:
            await wait_for_ms(scenario(house), 45_000)
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
