"""A pin whose key is right and whose mind is gone, at the companion's real link, desk and intake: it says anything that
the wire carries and much that it does not, in any order, on several connections."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lapel_companion.link.peer import EXPECTED, Peer
from lapel_companion.link.reading import NoPin
from lapel_wire import gatt, messages
from lapel_wire.channel import Channel
from lapel_wire.packets import Cutter, Joiner
from lapel_wire.session import Session, prologue
from noise import host
from noise.nnpsk0 import Ephemeral, Responder
from tests.fuzz.host_targets.mad_world import World
from tests.host.companion.companion_pin import BOOT, DEVICE, EPOCH, KEY

STEPS_MAX = 60
LINKS_MAX = 8
MTU = 247
# What a pin says, but for sound.
_SAID = (
    *(messages.HELLO_PIN, messages.CLIP, messages.END, messages.CONFLICT, messages.STORED, messages.SEEN),
    *(messages.CANCEL, messages.SETTINGS_OK, messages.DATA, messages.STATUS),
)
_SOUND = bytes(range(256)) * 6


class MadPin:
    """The far end of a connection, as Peer sees it: its client. `heard` is asked of each message of the companion's."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self.services = SimpleNamespace(
            get_characteristic=lambda uuid: SimpleNamespace(uuid=uuid, max_write_without_response_size=MTU - 3)
        )
        self.channel: Channel | None = None
        self._hello = hello
        self._joiner, self._cutter = Joiner(), Cutter(MTU)
        self._notify: Any = None

    async def read_gatt_char(self, _: Any) -> bytearray:
        return bytearray(gatt.INFO)

    async def start_notify(self, _: Any, callback: Any) -> None:
        self._notify = callback

    async def write_gatt_char(self, _: Any, data: bytes, response: bool) -> None:
        if self.channel is not None:
            message = self.channel.feed(data)
            assert message is not None or not data[0] & 0x40, self.channel.last_error
            if message is not None and message[0] == messages.HELLO_HOST:
                self.say(messages.HELLO_PIN, self._hello)
            return
        opening = self._joiner.feed(data)
        if opening is None:
            return
        responder = Responder(host, KEY.secret, prologue(gatt.INFO), Ephemeral(host, lambda n: bytes([n + 1] * n)))
        assert responder.take(opening)
        reply, ciphers = responder.reply(), responder.split()
        assert reply is not None and ciphers is not None
        self.channel = Channel(Session(*ciphers), MTU)
        self._carry(reply)

    def say(self, kind: int, body: dict[str, Any]) -> None:
        """A message as it should be."""
        with contextlib.suppress(messages.BadMessage):
            self.put(messages.encode(kind, body))

    def sound(self, number: int, offset: int, data: bytes) -> None:
        """A piece of a clip."""
        head = bytearray(messages.AUDIO_HEADER_BYTES)
        messages.put_audio_header(head, number, offset & 0xFFFFFF)
        self.put(bytes(head) + data)

    def put(self, message: bytes) -> None:
        """Anything, in a record that is genuine."""
        if self.channel is None or not message:
            return
        session = self.channel.session
        buffer = bytearray(session.head_bytes + len(message) + session.tail_bytes)
        buffer[session.head_bytes : session.head_bytes + len(message)] = message
        self._carry(bytes(buffer[: session.seal(buffer, len(message))]))

    def noise(self, packet: bytes) -> None:
        """A packet that is none."""
        self._notify(None, bytearray(packet))

    def _carry(self, record: bytes) -> None:
        self._cutter.load(record, len(record))
        while (packet := self._cutter.packet()) is not None:
            self._notify(None, bytearray(packet))
            self._cutter.advance()


def mad_pin(data: bytes) -> str:
    """A pin gone mad."""
    draw = importlib.import_module("draw").Draw(data)
    folder = Path(importlib.import_module("place").empty()) / "state"
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        try:
            return loop.run_until_complete(_life(draw, folder))
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())


async def _life(draw: Any, folder: Path) -> str:
    world = World(folder)
    with world.watching():
        await world.rig.start()
        try:
            for _ in range(LINKS_MAX):
                await _link(draw, world)
                if not draw.left:
                    break
            return world.verdict()
        finally:
            for task in world.reads:
                task.cancel()
            await world.rig.stop()


async def _link(draw: Any, world: World) -> None:
    """One connection, from its handshake to its end."""
    pin = MadPin(_hello(draw, world))
    peer = Peer(pin, world.rig.desk, KEY)  # type: ignore[arg-type]
    talking, steps = asyncio.create_task(peer.run()), 0
    while world.rig.desk.pin is None and not talking.done():
        await asyncio.sleep(0)
    try:
        while draw.left and steps < STEPS_MAX and not talking.done():
            steps += 1
            if not _step(draw, pin, world):
                break
            await world.settle(peer, talking)
            world.check()
    finally:
        peer.disconnected()
        await asyncio.wait((talking,))
    reason = "it was ended"
    try:
        reason = await talking
    except EXPECTED as error:
        reason = str(error)
    await world.rig.desk.left(reason)
    await world.settle(peer, talking)
    for read in world.reads:
        # A sentence, or what the pin said.
        with contextlib.suppress(NoPin):
            await read
    world.reads.clear()


def _hello(draw: Any, world: World) -> dict[str, Any]:
    """Any, our own pin's, or one that claims to know more of us than we do."""
    body: dict[str, Any] = _body(messages.HELLO_PIN, draw)
    how = draw.byte() % 4
    if how == 1:
        return body
    own = {"ne": world.rig.state.epoch} if how == 2 else {"ne": None, "nh": 0}
    return {**body, "dev": DEVICE, **own}


def _body(kind: int, draw: Any) -> dict[str, Any]:
    found: dict[str, Any] = importlib.import_module("pin_targets").body_of(kind, draw)
    return found


def _step(draw: Any, pin: MadPin, world: World) -> bool:
    """One thing that it does; False when it hangs up."""
    what, number = draw.byte() % 16, draw.byte() % 8
    if what < 2:
        pin.say(messages.CLIP, _clip(number))
    elif what == 2:
        wrong = draw.pick((None, "no", "\x1b[2J" * 40, "\x01" * 240))
        pin.say(messages.SETTINGS_OK, {"id": world.rig.desk._settings_id, "err": wrong})
    elif what < 5:
        at = draw.number(2) % 1500
        pin.sound(number, at, _SOUND[at : at + draw.byte() + 1])
    elif what < 7:
        length = draw.pick((0, 1, 200, 600, 1500))
        _end(pin, number, length, length)
    elif what == 7:
        _end(pin, number, draw.number(2), draw.number(4))
    elif what == 8:
        pin.sound(draw.number(2), draw.number(3), draw.block()[:230])
    elif what == 9:
        for one in range(number * 8):
            # Clip after clip without an end.
            pin.say(messages.CLIP, _clip(100 + one))
            pin.sound(100 + one, 0, _SOUND[:200])
            _end(pin, 100 + one, 200, 200)
    elif what == 10:
        pin.say(messages.CONFLICT, {"n": number, "off": draw.number(2)})
    elif what == 11:
        epoch = world.rig.outbox.epoch
        pin.say(messages.STORED, {"ep": epoch, "s": number})
        pin.say(messages.SEEN, {"ep": epoch, "s": [draw.byte() % 8], "a": bool(draw.byte() & 1)})
    elif what == 12:
        world.rig.record(draw.pick(("done", "question", "held")), "how much: 77G")
        world.reads.append(asyncio.create_task(world.rig.desk.read("flight")))
        pin.say(messages.DATA, {"w": "flight", "off": 0, "n": draw.number(2), "b": draw.pick(("", "zz", "00ff", "0"))})
    elif what == 13:
        pin.put(draw.block()[:400])
        pin.noise(draw.block()[:244])
    elif what == 14:
        return bool(draw.byte() % 4)
    else:
        kind = draw.pick(_SAID)
        pin.say(kind, _body(kind, draw))
    return True


def _clip(number: int) -> dict[str, Any]:
    facts = {"codec": "ima-adpcm", "rate": 16000, "boot": BOOT, "ms": 500, "t": None, "re": None}
    return {"ep": EPOCH, "n": number, **facts}


def _end(pin: MadPin, number: int, length: int, said: int) -> None:
    sha = hashlib.sha256(_SOUND[:length]).hexdigest()
    pin.say(messages.END, {"n": number, "bytes": said & 0xFFFFFFFF, "ms": length // 8, "sha": sha, "cut": False})


def seeds() -> dict[str, dict[str, bytes]]:
    """What a pin gone mad does, step by step, behind a hello of zeros."""
    hello, anew, gone = bytes(14), b"\3" * 11 + b"\2", b"\16\0\0"
    offer, sound, end, conflict = b"\0\1", b"\3\1\0\0\307", b"\5\1\2", b"\12\1\0\0"
    lies, reads, told = b"\7\1\0\0\0\0\0\0", b"\14\0\0\377\0", b"\13\1\1\0"
    noise = b"\15\0" + _block(b"\x24\2\0\0\0\0\0{}") + _block(bytes(30)) + b"\10\0\1\0\377\377\377" + _block(bytes(9))
    status = b"\17\0\11\1\0\0\1\0"
    return {
        "mad_pin": {
            "a clip": hello + offer + sound + end + end + offer,
            "contradictions": hello + (offer + sound + conflict) * 9,
            "lies of its length": hello + (offer + sound + lies) * 8,
            "clips without an end": hello + b"\11\7",
            "back and forth": hello + offer + sound + b"\3\1\150\1\50" + b"\3\1\0\0\0" + sound + end,
            "a piece that another took": hello + offer + sound + gone + hello + offer + b"\3\1\144\0\377" + end,
            "answers that are none": hello + b"".join(reads + bytes((one,)) + gone + hello for one in range(4)),
            "notices": hello + told + reads + b"\0" + told + gone + hello + told + told,
            "other histories": (anew + gone) * 8,
            "itself": hello + b"".join(status + bytes((one,)) for one in range(4)) + b"\2\0\3",
            "noise": hello + noise,
        }
    }


def _block(data: bytes) -> bytes:
    return struct.pack("<H", len(data)) + data
