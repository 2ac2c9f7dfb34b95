"""The pin's own conversation: every message that can be decoded, in any order, at any time; presses of any kind."""

import place
from clips import plenty, record
from draw import Draw
from flash import Random, Trace
from verdicts import crc, shown

from lapel.core.clock import Clock
from lapel.core.gesture import Gesture
from lapel.core.notices import Coalescer
from lapel.services import flight
from lapel.services.clip_feed import ClipFeed
from lapel.services.desk import Desk
from lapel.services.store import Store
from lapel_wire import messages, schema

STEPS_MAX = 60
DIGITS = "0123456789abcdef"
NUMBERS = (0, 1, 2, 3, 15, 40, 64, 255, 4096, 65536, 2147483647, 2147483648, 4294967294, 4294967295)
WORDS = ("", "a", "flight", "d1", "d4294967295.99", "preroll", "undo_ms", "quiet_from_min", "haptic_strength")
WORDS += ("00112233445566ff-3", "\u732b", '"', "\\\n")
VALUES = (None, True, 0, -5, 300, 3500, 4294967295, "x")
TEXTS = ("", "how much disk space is left: 77G", "\u732b" * 80, "\x01" * 240, '"' * 240)


def body_of(kind, draw):
    """A body of that kind which the wire carries."""
    row = messages.TABLE[kind]
    return {row[at]: _value(row[at + 1], draw) for at in range(1, len(row), 2)}


def _value(field, draw):
    if field[-1] == "?":
        if draw.byte() & 1:
            return None
        field = field[:-1]
    if field == "u32":
        return draw.pick(NUMBERS)
    if field == "u53":
        return draw.pick(NUMBERS + (1795213800000, schema.U53))
    if field == "s16":
        return draw.pick((0, -1, 60, -32768, 32767))
    if field == "bool":
        return draw.byte() & 1 == 1
    if field == "seqs":
        return [draw.pick(NUMBERS) for _ in range(draw.byte() % 17)]
    if field == "settings":
        return {draw.pick(WORDS): draw.pick(VALUES) for _ in range(draw.byte() % 4)}
    if field[:3] == "hex":
        return draw.pick("0a7f") * int(field[3:])
    if field == "notice":
        return draw.pick(schema.NOTICE_KINDS)
    if field == "blob":
        return draw.pick(("", "00ff", "ab" * 200))
    return draw.pick(WORDS if field == "word" else TEXTS)


class Channel:
    """Takes what is posted as the real one does: nothing that the wire would not carry, never more than 16."""

    def __init__(self):
        self.waiting = []
        self.posted = []

    def post(self, kind, body):
        message = messages.encode(kind, body)
        if len(self.waiting) == 16:
            return False
        self.waiting.append(kind)
        self.posted.append((kind, crc(message)))
        return True


class Announcer:
    """Counts."""

    def __init__(self):
        self.felt = 0

    def announce(self, notice):
        self.felt += 1

    def withdrawn(self, epoch, seq):
        pass


class Memory:
    """The flight recorder's, empty."""

    def load(self):
        return b""

    def save(self, data):
        pass


class Recorder:
    """At rest."""

    number = None
    ring = None
    is_busy = False


class Pin:
    """Desk and clip feed over a real store in a folder, with one short clip that waits."""

    def __init__(self, root):
        self.now_ms = 0
        trace = Trace()
        self.trace = trace
        self.store = Store(root, Random(1), trace, plenty)
        self.store.mount()
        record(self.store, 700)
        self.channel, self.announcer = Channel(), Announcer()
        log = flight.Flight(Memory(), lambda: self.now_ms)
        self.desk = Desk(
            self.store, Clock(lambda: self.now_ms, lambda a, b: a - b), "01020304", log, lambda: 3700,
            lambda: {"mic": 0}, self.announcer, lambda count: None, self.set, trace,
        )  # fmt: skip
        self.feed = ClipFeed(self.store, Recorder(), trace, lambda *_: None)

    def set(self, identity, values):
        self.store.settings.save(identity, values)

    def step(self, draw):
        """Something happens: time passes, packets go out, or a message comes."""
        kind = draw.pick((None, 0) + tuple(sorted(messages.TABLE)))
        if kind is None:
            self.now_ms += draw.number(2)
            self.desk.plan(self.now_ms, self.channel)
            self.feed.plan(self.now_ms, self.channel)
        elif kind == 0:
            self.channel.waiting.clear()
            self.feed.fill(memoryview(bytearray(200)))
        else:
            body = body_of(kind, draw)
            # As the link does with what it decoded.
            if not self.feed.take(kind, body, self.channel):
                self.desk.take(kind, body, self.channel)

    def check(self):
        """All that it keeps is bounded."""
        store = self.store
        assert len(store.unseen()) <= 64 and len(store.pending_cancels()) <= 16 and len(store.pending_seen()[1]) <= 16
        assert len(store.waiting()) <= 1 and len(self.channel.waiting) <= 16
        assert "store_error" not in self.trace.names(), self.trace.events


def conversation(data):
    """A companion gone mad: messages of every kind and with any values, in any order, at any time."""
    draw, pin = Draw(data), Pin(place.empty())
    steps = 0
    while draw.left and steps < STEPS_MAX:
        pin.step(draw)
        pin.check()
        steps += 1
    store = pin.store
    told = [store.waiting(), len(store.unseen()), store.settings_id, store.highest, store.notice_high("0" * 16)]
    told += [pin.announcer.felt, pin.feed.conflicts, pin.channel.posted]
    pin.feed.close()
    store.close()
    return crc(shown(told).encode())


def presses(data):
    """Edges and ticks at any time of a clock that wraps. What begins also ends."""
    draw, gesture = Draw(data), Gesture()
    now = draw.number(4) & (1 << 30) - 1
    said, is_holding = [], False
    while draw.left:
        now = now + draw.number(2) & (1 << 30) - 1
        for action in draw.pick((gesture.press, gesture.release, gesture.tick))(now):
            name = action[0]
            assert name != "begin" or not is_holding
            assert name != "end" or is_holding
            is_holding = (is_holding or name == "begin") and name != "end"
            said.append("%s %s" % (name, action[2]))
        assert gesture.deadline is None or not gesture.is_idle
    return crc(shown(said).encode())


def gathering(data):
    """Notices at any time, felt or held back. What is felt is at most what came."""
    draw, gather = Draw(data), Coalescer()
    now, came, felt, said = 0, 0, 0, []
    while draw.left:
        now += draw.number(2) % 5000
        if draw.byte() & 1:
            came += 1
            shown_now = gather.arrived(now, draw.pick(schema.NOTICE_KINDS), came, draw.byte() & 1 == 1)
        else:
            shown_now = gather.tick(now)
        if shown_now is not None:
            felt += 1
            said.append(shown(list(shown_now)))
            assert felt <= came and shown_now[1] <= came
    return crc(shown(said).encode())
