"""The torture's model of a companion, against a pin made of lapel_wire by hand."""

import hashlib

from companion import Companion, Options
from companion_disk import ATTEMPTED, UNSEEN, Ears
from draws import Draws
from keys import KEY, suite

from lapel_wire import gatt, messages
from lapel_wire.channel import Channel
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import Session, prologue
from noise.nnpsk0 import Ephemeral, Responder

EPOCH = "0011223344556677"
DEVICE = "0badcafe"
DATA = bytes([k * 7 & 0xFF for k in range(9000)])
CLIP = {"ep": EPOCH, "n": 1, "codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 5, "t": None, "re": None}


class Pin:
    """The other end: answers the handshake, collects what it is told, and takes every write at once."""

    def __init__(self, companion):
        self.companion = companion
        self.mtu = 247
        self.now_ms = 0
        self.got = []
        self.is_up = False
        self.notices_high = 0

    def link(self):
        self.joiner = Joiner()
        self.channel = None
        self.is_up = True
        self.companion.connected(self, self.now_ms)
        self.run(200)

    def write(self, packet):
        self.companion.written(True, self.now_ms)
        if self.channel is not None:
            message = self.channel.feed(packet)
            if message is not None:
                self.took(*message)
            return
        record = self.joiner.feed(packet)
        if record is not None:
            responder = Responder(suite(), KEY, prologue(gatt.INFO), Ephemeral(suite(), Draws(9)))
            assert responder.take(record)
            answer = responder.reply()
            cutter = Cutter(self.mtu)
            cutter.load(answer, len(answer))
            while cutter.busy:
                self.companion.talk.arrived(bytes(cutter.packet()), self.now_ms)
                cutter.advance()
            self.channel = Channel(Session(*responder.split()), self.mtu)

    def took(self, kind, body):
        self.got.append((kind, body))
        if kind == messages.HELLO_HOST:
            self.say(
                messages.HELLO_PIN,
                {"v": gatt.PROTOCOL_VERSION, "dev": DEVICE, "ep": EPOCH, "hw": 1, "q": 1, "ne": body["ep"],
                 "nh": self.notices_high, "boot": "01234567", "ms": 5, "bat": None, "set": 0},
            )  # fmt: skip

    def hang_up(self):
        self.is_up = False

    def say(self, kind, body):
        self.channel.post(kind, body)
        self._drain(None)

    def audio(self, offset, data):
        def fill(view):
            messages.put_audio_header(view, 1, offset)
            view[messages.AUDIO_HEADER_BYTES : messages.AUDIO_HEADER_BYTES + len(data)] = data
            return messages.AUDIO_HEADER_BYTES + len(data)

        self._drain(fill)

    def _drain(self, fill):
        packet = self.channel.next_packet(fill)
        while packet is not None:
            if self.companion.talk is not None:
                self.companion.talk.arrived(bytes(packet), self.now_ms)
            self.channel.sent()
            packet = self.channel.next_packet()

    def run(self, ms):
        for _ in range(ms):
            self.now_ms += 1
            due_ms = self.companion.due_ms()
            if due_ms is not None and due_ms <= self.now_ms:
                self.companion.poll(self.now_ms)

    def whole_clip(self, data=DATA):
        self.say(messages.CLIP, CLIP)
        self.run(50)
        for at in range(0, len(data), 200):
            self.audio(at, data[at : at + 200])
            self.run(1)
        sha = "".join(["%02x" % byte for byte in hashlib.sha256(data).digest()])
        self.say(messages.END, {"n": 1, "bytes": len(data), "ms": len(data) // 8, "sha": sha, "cut": False})
        self.run(400)

    def kinds(self):
        return [kind for kind, _ in self.got]

    def last(self, wanted):
        return [body for kind, body in self.got if kind == wanted][-1]


def made(**options):
    companion = Companion(Options(**options), Ears(), Draws(1))
    pin = Pin(companion)
    pin.link()
    return companion, pin


def test_a_clip_is_acknowledged_as_far_as_it_is_durable_and_accepted_once_it_is_whole():
    companion, pin = made()
    pin.whole_clip()
    assert pin.last(messages.ACK)["off"] <= len(DATA)
    assert pin.last(messages.ACCEPTED) == {"n": 1, "d": "d1"}
    assert [entry[2] for entry in companion.witness.ledger] == [len(DATA)]
    # Offered again, it is known.
    pin.whole_clip()
    assert len(companion.witness.ledger) == 1
    assert pin.kinds().count(messages.ACCEPTED) > 1


def test_a_clip_that_fails_its_digest_is_set_aside_and_asked_for_again():
    companion, pin = made()
    pin.say(messages.CLIP, CLIP)
    pin.audio(0, b"x" * 100)
    pin.say(messages.END, {"n": 1, "bytes": 100, "ms": 12, "sha": "ab" * 32, "cut": False})
    pin.run(400)
    assert pin.last(messages.RESUME)["off"] == 0
    assert companion.mind.intake.conflicts == 1
    assert not companion.witness.ledger


def test_a_hole_is_asked_for():
    _, pin = made()
    pin.say(messages.CLIP, CLIP)
    pin.audio(0, DATA[:200])
    pin.audio(400, DATA[400:600])
    pin.run(50)
    assert pin.last(messages.RESUME)["off"] == 200


def test_at_whatever_point_it_crashes_the_clip_is_run_once_or_its_failure_is_told():
    point = 0
    while True:
        companion, pin = made(restart_ms=10)
        companion.at_point = lambda k, point=point: k == point
        pin.whole_clip()
        pin.run(600)
        if not companion.crashes:
            break
        for _ in range(3):
            if companion.talk is None:
                pin.link()
                pin.whole_clip()
                pin.run(600)
        kinds = [entry[1] for entry in companion.witness.recorded.values()]
        runs = len(companion.witness.ledger)
        assert (runs, kinds) in ((1, ["done"]), (1, ["failed"]), (0, ["failed"])), (point, runs, kinds)
        point += 1
    assert point > 10


def test_an_attempt_that_a_crash_left_is_told_as_failed():
    companion, pin = made(runs_ms=(100_000,), restart_ms=10)
    pin.whole_clip()
    assert [entry[5] for entry in companion.disk.dispatches.values()] == [ATTEMPTED]
    companion.crash(pin.now_ms)
    pin.run(50)
    assert [entry[1] for entry in companion.witness.recorded.values()] == ["failed"]


def test_a_notice_is_repeated_until_it_is_stored():
    companion, pin = made()
    companion.remind(pin.now_ms, "reminder", "tea")
    pin.run(4500)
    assert pin.kinds().count(messages.NOTICE) >= 2
    body = pin.last(messages.NOTICE)
    pin.say(messages.STORED, {"ep": body["ep"], "s": body["s"]})
    pin.run(3000)
    count = pin.kinds().count(messages.NOTICE)
    pin.run(5000)
    assert pin.kinds().count(messages.NOTICE) == count
    assert companion.is_idle and companion.witness.recorded["tea"][3] == UNSEEN


def test_what_was_seen_is_answered_when_it_is_durable():
    companion, pin = made()
    companion.remind(0, "reminder", "tea")
    pin.run(50)
    body = pin.last(messages.NOTICE)
    pin.say(messages.SEEN, {"ep": body["ep"], "s": [body["s"]], "a": False})
    pin.run(100)
    assert pin.last(messages.SEEN) == {"ep": body["ep"], "s": [body["s"]], "a": True}
    assert companion.is_idle


def test_an_older_copy_of_the_state_begins_a_new_epoch():
    companion, pin = made(restart_ms=10)
    older = companion.disk.copy()
    companion.remind(0, "reminder", "tea")
    pin.run(100)
    pin.notices_high = 1
    companion.restore(older, pin.now_ms)
    pin.run(100)
    # Numbered like the one that the pin had.
    companion.remind(pin.now_ms, "reminder", "milk")
    pin.run(100)
    epoch = companion.disk.epoch
    pin.link()
    assert companion.disk.epoch != epoch and not pin.is_up
    pin.notices_high = 0
    companion.talk = None
    pin.link()
    body = pin.last(messages.NOTICE)
    assert (body["ep"], body["x"]) == (companion.disk.epoch, "milk")


def test_a_link_that_does_not_answer_is_given_up():
    companion, pin = made()
    companion.talk.port.write = lambda packet: None
    companion.remind(pin.now_ms, "reminder", "tea")
    pin.run(10_500)
    assert companion.talk is None and not pin.is_up
