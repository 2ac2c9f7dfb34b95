"""Which clip goes to the companion, from where its bytes come, and when it may be forgotten.

One clip at a time, oldest first. What is still in RAM comes from the ring; what is older comes
from flash through a second handle, as far as it was synced.
"""

import binascii

from lapel.services.clip_reader import ClipReader
from lapel.services.store_files import StoreError
from lapel_wire import messages
from lapel_wire.clips import FINISH, OFFER, Sender

# A clip whose END goes unanswered so often lets the next one pass until the next session.
_ENDS_MAX = 5
_CRC_PIECE_BYTES = 512


class ClipFeed:
    """`live` is the recorder's view of the clip being recorded: `.number` (None: none) and
    `.ring`. `on_accepted(epoch, number, dispatch)` hears of every clip that arrived."""

    def __init__(self, store, live, trace, on_accepted) -> None:
        self._store = store
        self._live = live
        self._trace = trace
        self._on_accepted = on_accepted
        self._sender: Sender = None
        self._reader: ClipReader = None
        self._ends = 0
        self._parked = []
        self._piece = bytearray(_CRC_PIECE_BYTES)
        self.conflicts = 0

    @property
    def busy(self) -> bool:
        """A clip is on its way, or being recorded."""
        return self._sender is not None or self._live.number is not None

    def restart(self) -> None:
        """A new session: nothing is known of what the companion holds."""
        self._drop_sender()
        self._parked.clear()

    def plan(self, now_ms: int, channel) -> None:
        """Queues the message that is due, if one is."""
        try:
            self._plan(now_ms, channel)
        except StoreError as e:
            # A clip that cannot be read must not hold up those behind it.
            self._trace("store_error", error=str(e))
            self._park()

    def _plan(self, now_ms: int, channel) -> None:
        if self._sender is None and not self._choose():
            return
        sender, reader = self._sender, self._reader
        live = self._live.number == sender.number
        if not live and not reader.complete:
            if sender.number not in self._store.waiting():
                self._drop_sender()
                return
            reader.refresh()
        total = None if live else reader.size
        due = sender.due(now_ms, total)
        if due == OFFER:
            if channel.post(messages.CLIP, reader.meta):
                sender.offered(now_ms)
        elif due == FINISH:
            if self._ends >= _ENDS_MAX:
                self._park()
            elif channel.post(messages.END, self._end()):
                self._ends += 1
                sender.finished(now_ms)

    def fill(self, view) -> int:
        """One audio message into `view`; its length, 0 when there is nothing to send now."""
        sender = self._sender
        if sender is None or not sender.may_stream:
            return 0
        room = len(view) - messages.AUDIO_HEADER_BYTES
        if self._live.number == sender.number and self._live.ring.end - sender.position < room:
            # Half-empty packets would waste a slow radio; what is left goes out when the clip has ended.
            return 0
        try:
            n = self._read(sender.position, view[messages.AUDIO_HEADER_BYTES :])
        except StoreError as e:
            self._trace("store_error", error=str(e))
            self._park()
            return 0
        if n <= 0:
            return 0
        messages.put_audio_header(view, sender.number, sender.position)
        sender.sent(n)
        return messages.AUDIO_HEADER_BYTES + n

    def take(self, kind: int, body, channel) -> bool:
        """Whether the message was about clips; it is dealt with then."""
        if kind == messages.ACCEPTED:
            self._accepted(body["n"], body["d"])
            return True
        if kind != messages.RESUME and kind != messages.ACK:
            return False
        sender = self._sender
        if sender is None or sender.number != body["n"]:
            return True
        if kind == messages.ACK:
            sender.ack(body["off"])
        elif self._prefix_crc(body["off"]) == body["crc"]:
            sender.resume(body["off"])
        else:
            # Another clip under our id, or more of it than a power cut left us.
            self.conflicts += 1
            channel.post(messages.CONFLICT, {"n": body["n"], "off": body["off"]})
        return True

    def close(self) -> None:
        """Closes the handle that is open."""
        self._drop_sender()

    def _choose(self) -> bool:
        for number in self._store.waiting():
            if number not in self._parked:
                break
        else:
            number = self._live.number
        if number is None:
            return False
        self._reader = self._store.open(number)
        self._sender = Sender(number, self._live.number == number)
        self._ends = 0
        return True

    def _park(self) -> None:
        if self._sender is not None:
            self._parked.append(self._sender.number)
        self._drop_sender()

    def _drop_sender(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None
        self._sender = None

    def _accepted(self, number: int, dispatch: str) -> None:
        if number == self._live.number or number not in self._store.waiting():
            return
        if self._sender is None or self._sender.number != number:
            return
        epoch, clip = self._reader.meta["ep"], self._store.clip_id(number)
        self._drop_sender()
        try:
            self._store.remove(number)
        except StoreError as e:
            # It is offered again, and accepted again: the companion takes it once.
            self._trace("store_error", error=str(e))
            return
        self._trace("accepted", clip=clip, dispatch=dispatch)
        self._on_accepted(epoch, number, dispatch)

    def _end(self) -> dict:
        reader = self._reader
        return {
            "n": self._sender.number,
            "bytes": reader.size,
            "ms": reader.ms,
            "sha": reader.sha,
            "cut": reader.cut,
        }

    def _read(self, offset: int, view) -> int:
        """Bytes of the chosen clip from `offset`; 0 when there are none yet."""
        live = self._live
        if live.number == self._sender.number and offset >= live.ring.start:
            return live.ring.read_into(offset, view)
        return self._reader.read_at(offset, view)

    def _prefix_crc(self, offset: int) -> int:
        """CRC32 of the first `offset` bytes, or -1 when we do not have so many."""
        crc, at = 0, 0
        view = memoryview(self._piece)
        try:
            while at < offset:
                n = self._read(at, view[: min(_CRC_PIECE_BYTES, offset - at)])
                if n <= 0:
                    return -1
                crc = binascii.crc32(view[:n], crc)
                at += n
        except StoreError as e:
            self._trace("store_error", error=str(e))
            return -1
        return crc & 0xFFFFFFFF
