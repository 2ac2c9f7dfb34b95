"""Clips on their way in, as tools/lapel_companion/intake.py takes them."""

import binascii
import hashlib

import companion_disk as disks
from sound import ADPCM, OPUS

from lapel_wire import messages
from lapel_wire.clips import PROGRESS_BYTES, WINDOW_BYTES
from lapel_wire.packets import RECORD_MAX_BYTES
from lapel_wire.receiver import Receiver

BATCH_BYTES = 4096
BATCH_MS = 100
ACK_EVERY_MS = 2000
PENDING_MAX_BYTES = 2 * WINDOW_BYTES + RECORD_MAX_BYTES
MAX_CLIP_BYTES = 520_000
MAX_PARTIALS = 64
CONFLICTS_A_RUN = 3
NUMBERS_MAX = 256
CODECS = (ADPCM, OPUS)


class Incoming:
    """A clip on its way in: what is held, of which what is not pending is durable."""

    def __init__(self, meta, held, crc):
        self.meta = meta
        self.receiver = Receiver(held)
        self.crc = crc
        self.pending = bytearray()
        self.end = None
        self.conflicts = 0
        # What the pin was told last that is held, and when it is told without much of news.
        self.told = 0
        self.tell_ms = 0

    @property
    def complete(self):
        return self.end is not None and self.receiver.held >= self.end["bytes"]


class Intake:
    """`mind` companion_mind.Mind."""

    def __init__(self, mind):
        self._mind = mind
        self._incoming = {}
        # [(number, clip id)] as the pin offered them, the last one last: it sends one clip at a time.
        self._numbers = []
        # When what came in is written, None for nothing to write.
        self.due_ms = None
        # Clips that the pin said are not what we hold; what could not be taken.
        self.conflicts = 0
        self.refused = 0
        for clip_id in mind.disk.parts:
            if clip_id not in mind.disk.dispatches:
                data = mind.disk.part(clip_id)
                crc = binascii.crc32(data) & 0xFFFFFFFF
                self._incoming[clip_id] = Incoming(mind.disk.parts[clip_id][0], len(data), crc)

    @property
    def is_busy(self):
        """Something came in that is not durable yet."""
        return self.due_ms is not None

    @property
    def held_bytes(self):
        """Bytes in RAM."""
        return sum([len(incoming.pending) for incoming in self._incoming.values()])

    def left(self):
        """The pin is gone. What it sent is kept."""
        self._numbers.clear()

    def clips_known(self):
        """(clip epoch, highest number) for HELLO_HOST."""
        newest = self._mind.disk.newest_clip
        if newest is None:
            return None, 0
        epoch = newest.split("-")[1]
        names = list(self._mind.disk.dispatches) + list(self._incoming)
        return epoch, max([int(name.split("-")[2]) for name in names if name.split("-")[1] == epoch])

    def offer(self, device, body):
        """CLIP: answer with what is held of it."""
        number = body["n"]
        clip_id = messages.clip_id(device, body["ep"], number)
        self._numbers = [entry for entry in self._numbers if entry[0] != number][1 - NUMBERS_MAX :]
        self._numbers.append((number, clip_id))
        known = self._mind.disk.dispatches.get(clip_id)
        if known is not None:
            if known[1:3] == (body["boot"], body["ms"]):
                self._accepted(number, known[0])
            else:
                # Another press under a known id: unanswered, the pin keeps it.
                self.refused += 1
            return
        incoming = self._incoming.get(clip_id)
        if incoming is None:
            if body["codec"] not in CODECS or body["rate"] != 16000 or len(self._incoming) >= MAX_PARTIALS:
                self.refused += 1
                return
            incoming = self._incoming[clip_id] = Incoming(dict(body), 0, 0)
        if incoming.receiver.held:
            self._resume(incoming)
        else:
            incoming.told = 0
            self._say(messages.ACK, {"n": number, "off": 0})

    def audio(self, low, offset, data, came_ms, now_ms):
        """Audio of the clip whose number ends in `low`."""
        clip_id = incoming = None
        for number, name in self._numbers:
            if number & 0xFFFF == low:
                clip_id, incoming = name, self._incoming.get(name)
        if incoming is None or len(incoming.pending) + len(data) > PENDING_MAX_BYTES:
            return
        if offset + len(data) > MAX_CLIP_BYTES:
            self.refused += 1
            return
        fresh = incoming.receiver.take(offset, data)
        if fresh is None:
            if incoming.receiver.ask(offset, came_ms, now_ms):
                self._resume(incoming)
            else:
                self._progress(clip_id, incoming, now_ms)
            return
        incoming.crc = binascii.crc32(fresh, incoming.crc) & 0xFFFFFFFF
        incoming.pending.extend(fresh)
        if len(incoming.pending) >= BATCH_BYTES or incoming.complete:
            self.due_ms = now_ms
        elif self.due_ms is None:
            self.due_ms = now_ms + BATCH_MS

    def ended(self, body, came_ms, now_ms):
        """END: accept the clip, or ask for what is missing of it."""
        clip_id = self._named(body["n"])
        incoming = self._incoming.get(clip_id)
        if incoming is None:
            known = self._mind.disk.dispatches.get(clip_id)
            if known is not None:
                if known[3] == body["sha"]:
                    self._accepted(body["n"], known[0])
                else:
                    self.refused += 1
            return
        incoming.end = body
        if incoming.complete:
            self.due_ms = now_ms
        elif incoming.receiver.ask(body["bytes"], came_ms, now_ms):
            self._resume(incoming)

    def conflict(self, body, now_ms):
        """CONFLICT: the pin's bytes are others than ours; it is right."""
        incoming = self._incoming.get(self._named(body["n"]))
        if incoming is not None:
            incoming.end = {"n": body["n"], "bytes": 0, "ms": 0, "sha": "", "cut": True}
            self.due_ms = now_ms

    def _named(self, wanted):
        for number, clip_id in self._numbers:
            if number == wanted:
                return clip_id
        return None

    def poll(self, now_ms):
        """Hands to the lane what is to be written."""
        if self.due_ms is not None and now_ms >= self.due_ms:
            self.due_ms = None
            for clip_id, incoming in self._incoming.items():
                if incoming.pending or incoming.complete:
                    self._mind.later(now_ms, "part", clip_id)

    # -- what the lane does

    def do_part(self, now_ms, clip_id):
        """What is pending becomes durable, and is told sparingly; a whole clip is settled."""
        incoming, disk = self._incoming.get(clip_id), self._mind.disk
        if incoming is None:
            return None
        if clip_id not in disk.parts:
            disk.parts[clip_id] = (incoming.meta, [], 0)
        if incoming.pending:
            disk.append(clip_id, incoming.pending)
            incoming.pending = bytearray()
        if incoming.complete:
            return lambda: self._mind.later(now_ms, "settle", clip_id)
        return lambda: self._progress(clip_id, incoming, now_ms)

    def _progress(self, clip_id, incoming, now_ms):
        disk = self._mind.disk
        held = disk.part_bytes(clip_id) if clip_id in disk.parts else 0
        if held - incoming.told >= PROGRESS_BYTES or now_ms >= incoming.tell_ms:
            incoming.tell_ms = now_ms + ACK_EVERY_MS
            incoming.told = held
            self._say(messages.ACK, {"n": incoming.meta["n"], "off": held})

    def do_settle(self, now_ms, clip_id):
        """A whole clip becomes a dispatch, or is set aside when its digest is another."""
        incoming, disk = self._incoming.get(clip_id), self._mind.disk
        if incoming is None or not incoming.complete or incoming.pending:
            return None
        data, end = disk.part(clip_id), incoming.end
        digest = binascii.hexlify(hashlib.sha256(data).digest()).decode()
        if incoming.receiver.held != end["bytes"] or digest != end["sha"]:
            return self._set_aside(clip_id, incoming)
        number = len(disk.dispatches) + 1
        meta = incoming.meta
        heard = self._mind.witness.ears.digest(data, meta["codec"])
        disk.dispatches[clip_id] = (
            number, meta["boot"], meta["ms"], end["sha"], end["cut"], disks.ACCEPTED, heard, len(data),
        )  # fmt: skip
        disk.newest_clip = clip_id
        del disk.parts[clip_id]
        self._mind.witness.accepted(heard, data, end["cut"], meta["codec"])

        def say():
            self._accepted(meta["n"], number)
            del self._incoming[clip_id]
            self._mind.work.begin(clip_id, now_ms)

        return say

    def _set_aside(self, clip_id, incoming):
        incoming.receiver = Receiver(0)
        incoming.crc = 0
        incoming.end = None
        incoming.conflicts += 1
        self.conflicts += 1
        self._mind.disk.parts[clip_id] = (incoming.meta, [], 0)
        if incoming.conflicts <= CONFLICTS_A_RUN:
            return lambda: self._resume(incoming)
        return None

    def _resume(self, incoming):
        if len(incoming.pending) > WINDOW_BYTES:
            return
        incoming.told = incoming.receiver.held
        body = {"n": incoming.meta["n"], "off": incoming.receiver.held, "crc": incoming.crc}
        self._say(messages.RESUME, body)

    def _accepted(self, number, dispatch):
        self._say(messages.ACCEPTED, {"n": number, "d": "d%d" % dispatch})

    def _say(self, kind, body):
        if self._mind.pin is not None:
            self._mind.wishes.put(kind, body, (kind, body["n"]))
