"""A pin made of lapel_wire's parts alone: clips, notices, seen, cancels; flash that never fails.

It outlives its connections, as a pin does. What it believes is what the tests ask afterwards.
"""

from __future__ import annotations

import binascii
import hashlib
import random
import time
from collections.abc import Callable
from typing import Any

from lapel_companion.pairing import Key
from lapel_wire import clips, gatt, messages
from lapel_wire.channel import Channel
from lapel_wire.clips import FINISH, OFFER, Sender
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import Session, prologue
from noise import host
from noise.nnpsk0 import Ephemeral, Responder

KEY = Key(1, bytes(range(32)))
DEVICE = "0a0b0c0d"
EPOCH = "00112233445566aa"
BOOT = "b007b007"


class Pin:
    """`clips` maps a number to the bytes that wait, those of `growing` are still being recorded. Time is the
    host's monotonic clock in ms."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.key = KEY
        self.clips: dict[int, bytes] = {}
        self.word: dict[str, Any] = {"bat": 3900, "drops": 0, "over": 0, "aside": 0, "what": None}
        self.growing: set[int] = set()
        self.acked: dict[int, int] = {}
        self.said: dict[int, dict[str, Any]] = {}
        self.accepted: dict[int, str] = {}
        self.notices: dict[int, dict[str, Any]] = {}
        self.notices_felt: list[int] = []
        self.retracted: list[int] = []
        self.jobs: list[int] = []
        self.seen_by_host: set[int] = set()
        self.unanswered_seen: list[int] = []
        self.cancels: dict[int, dict[str, Any]] = {}
        self.settings: dict[str, Any] | None = None
        self.settings_id = 0
        self.notice_epoch: str | None = None
        self.notice_high = 0
        self.flight = bytes(range(256)) * 2
        self.unix_known = True
        self.connections: list[Connection] = []
        self.hellos: list[dict[str, Any]] = []
        self.conflicts = 0
        self.misreads = 0
        self.silent = False
        # Says STATUS every 20 ms, so that tests need not wait for it.
        self.asks = False
        self.flight_dies = False
        # Its status, as the body of STATUS; None: it tells none. Numbers of the clips that were cut short.
        self.status: dict[str, Any] | None = None
        self.cut: set[int] = set()
        self.hang_up: Callable[[], None] = lambda: None
        self.packets = 0
        self.ms = 1000

    def record(self, number: int, data: bytes, **changes: Any) -> str:
        """A whole clip waits; its id."""
        self.clips[number] = data
        said = {
            "ep": EPOCH,
            "n": number,
            "codec": "ima-adpcm",
            "rate": 16000,
            "boot": BOOT,
            "ms": 500,
            "t": 1_700_000_000_000 if self.unix_known else None,
            "re": None,
        }
        self.said[number] = {**said, **changes}
        return messages.clip_id(DEVICE, self.said[number]["ep"], number)

    def hurry(self) -> None:
        """Something new is to be said: not only with the next repeat."""
        for connection in self.connections:
            connection.repeat_ms = 0

    def cut_off(self) -> None:
        """Power: what a connection knew is gone."""
        self.connections.clear()


class Connection:
    """One central's connection. `out` is where its notifications go."""

    def __init__(self, pin: Pin, mtu: int, out: Callable[[bytes], None]) -> None:
        self.pin = pin
        self.out = out
        self.mtu = mtu
        self.channel: Channel | None = None
        self._joiner = Joiner()
        self._cutter = Cutter(mtu)
        self._reply = b""
        self._sender: Sender | None = None
        self._parked: set[int] = set()
        self.repeat_ms = 0
        self._ask_ms = 0
        self._greeted = False
        pin.connections.append(self)

    def write(self, packet: bytes) -> None:
        """A packet of the companion's."""
        if self.channel is None:
            self._greet(packet)
            return
        refused = self.channel.refused
        message = self.channel.feed(packet)
        if message is not None:
            self._take(*message)
        elif self.channel.refused > refused and not self._greeted:
            self._answer()

    def pump(self, most: int = 4) -> bool:
        """Send what there is, at most so many packets; whether anything went out."""
        if self.channel is None or not self._greeted:
            return False
        now_ms = time.monotonic_ns() // 1_000_000
        self._plan(now_ms, self.channel)
        for count in range(most):
            packet = self.channel.next_packet(self._fill)
            if packet is None:
                return count > 0
            self.pin.packets += 1
            self.out(bytes(packet))
            self.channel.sent()
        return True

    def _greet(self, packet: bytes) -> None:
        message = self._joiner.feed(packet)
        if message is None:
            return
        random_bytes = self.pin.random.randbytes
        responder = Responder(
            host, self.pin.key.secret, prologue(gatt.INFO), Ephemeral(host, random_bytes)
        )
        if not responder.take(message):
            return
        reply = responder.reply()
        ciphers = responder.split()
        assert reply is not None and ciphers is not None
        self._reply, self._cutter = reply, Cutter(self.mtu)
        self._answer()
        self.channel = Channel(Session(*ciphers), self.mtu)

    def _answer(self) -> None:
        self._cutter.load(self._reply, len(self._reply))
        while (piece := self._cutter.packet()) is not None:
            self.out(bytes(piece))
            self._cutter.advance()

    def _plan(self, now_ms: int, channel: Channel) -> None:
        pin = self.pin
        if pin.asks and now_ms >= self._ask_ms:
            self._ask_ms = now_ms + 20
            channel.post(messages.STATUS, pin.word)
        if now_ms >= self.repeat_ms:
            self.repeat_ms = now_ms + clips.RETRY_MS
            if pin.unanswered_seen and pin.notice_epoch:
                channel.post(
                    messages.SEEN, {"ep": pin.notice_epoch, "s": pin.unanswered_seen[:16], "a": False}
                )
            for body in pin.cancels.values():
                channel.post(messages.CANCEL, body)
            if pin.status is not None:
                channel.post(messages.STATUS, pin.status)
        if self._sender is None:
            waiting = [n for n in sorted(pin.clips) if n not in self._parked]
            if not waiting:
                return
            self._sender = Sender(waiting[0], live=waiting[0] in pin.growing)
        number = self._sender.number
        due = self._sender.due(now_ms, None if number in pin.growing else len(pin.clips[number]))
        if due == OFFER and channel.post(messages.CLIP, pin.said[number]):
            self._sender.offered(now_ms)
        elif due == FINISH and channel.post(messages.END, self.end(number)):
            self._sender.finished(now_ms)

    def end(self, number: int) -> dict[str, Any]:
        data = self.pin.clips[number]
        sha = hashlib.sha256(data).hexdigest()
        return {"n": number, "bytes": len(data), "ms": len(data) // 8, "sha": sha, "cut": number in self.pin.cut}

    def _fill(self, view: memoryview) -> int:
        sender = self._sender
        if sender is None or not sender.may_stream:
            return 0
        room = len(view) - messages.AUDIO_HEADER_BYTES
        data = self.pin.clips[sender.number][sender.position : sender.position + room]
        if not data:
            return 0
        if self.pin.misreads:
            # A flash block that reads wrong once.
            self.pin.misreads -= 1
            data = bytes(byte ^ 0xFF for byte in data)
        messages.put_audio_header(view, sender.number, sender.position)
        view[messages.AUDIO_HEADER_BYTES : messages.AUDIO_HEADER_BYTES + len(data)] = data
        sender.sent(len(data))
        return messages.AUDIO_HEADER_BYTES + len(data)

    def _take(self, kind: int, body: Any) -> None:
        pin, channel = self.pin, self.channel
        assert channel is not None
        if kind == messages.HELLO_HOST:
            self._hello(body, channel)
        elif kind == messages.ACCEPTED:
            if pin.clips.pop(body["n"], None) is not None:
                assert body["n"] not in pin.accepted, "one clip became two dispatches"
                pin.accepted[body["n"]] = body["d"]
            if self._sender is not None and self._sender.number == body["n"]:
                self._sender = None
        elif kind in (messages.ACK, messages.RESUME):
            self._offset(kind, body, channel)
        elif kind == messages.NOTICE:
            if body["s"] not in pin.notices or pin.notices[body["s"]]["ep"] != body["ep"]:
                pin.notices[body["s"]] = body
                pin.notices_felt.append(body["s"])
                high = pin.notice_high if pin.notice_epoch == body["ep"] else 0
                pin.notice_epoch, pin.notice_high = body["ep"], max(high, body["s"])
            if not pin.silent:
                channel.post(messages.STORED, {"ep": body["ep"], "s": body["s"]})
        elif kind == messages.SEEN and body["a"]:
            pin.unanswered_seen = [s for s in pin.unanswered_seen if s not in body["s"]]
        elif kind == messages.SEEN:
            pin.seen_by_host.update(body["s"])
            channel.post(messages.SEEN, {**body, "a": True})
        elif kind == messages.RETRACT:
            pin.retracted.append(body["s"])
            if not pin.silent:
                channel.post(messages.SEEN, {"ep": body["ep"], "s": [body["s"]], "a": True})
        elif kind == messages.JOBS:
            pin.jobs.append(body["n"])
        elif kind == messages.CANCELLED:
            pin.cancels.pop(body["id"], None)
        elif kind == messages.SETTINGS:
            pin.settings, pin.settings_id = body["v"], body["id"]
            channel.post(messages.SETTINGS_OK, {"id": body["id"], "err": None})
        elif kind == messages.READ:
            if pin.flight_dies:
                pin.hang_up()
                return
            piece = pin.flight[body["off"] : body["off"] + 160]
            answer = {"w": body["w"], "off": body["off"], "n": len(pin.flight), "b": piece.hex()}
            channel.post(messages.DATA, answer)

    def _hello(self, body: dict[str, Any], channel: Channel) -> None:
        pin = self.pin
        self._greeted = True
        pin.hellos.append(body)
        known = pin.notice_epoch == body["ep"]
        hello = {
            "v": gatt.PROTOCOL_VERSION,
            "dev": DEVICE,
            "ep": EPOCH,
            "hw": max(pin.clips, default=0),
            "q": len(pin.clips),
            "ne": pin.notice_epoch,
            "nh": pin.notice_high if known or pin.notice_epoch else 0,
            "boot": BOOT,
            "ms": pin.ms,
            "bat": 3900,
            "set": pin.settings_id,
        }
        channel.post(messages.HELLO_PIN, hello)
        channel.post(messages.STATUS, pin.word)

    def _offset(self, kind: int, body: dict[str, Any], channel: Channel) -> None:
        self.pin.acked[body["n"]] = body["off"]
        sender = self._sender
        if sender is None or sender.number != body["n"]:
            return
        if kind == messages.ACK:
            sender.ack(body["off"])
            return
        prefix = self.pin.clips[sender.number][: body["off"]]
        if len(prefix) == body["off"] and binascii.crc32(prefix) == body["crc"]:
            sender.resume(body["off"])
        else:
            self.pin.conflicts += 1
            channel.post(messages.CONFLICT, {"n": body["n"], "off": body["off"]})
