"""Which clip goes to the companion, from where its bytes come, and when it may be forgotten.

One clip at a time, oldest first. What is still in RAM comes from the ring; what is older comes
from flash through a second handle, as far as it was synced.
"""

import binascii

from lapel.compat import const
from lapel.services.clip_reader import ClipReader
from lapel.services.store_files import StoreError
from lapel_wire import messages
from lapel_wire.clips import OFFER, Sender

# A clip that gets no further however often it is said lets the others pass, and comes again later.
_ASKS_MAX = const(5)
_PARK_MS = const(10_000)
_CRC_PIECE_BYTES = const(512)
# Of a long prefix so much is checked at a time: the microphone must be served meanwhile.
_CRC_STEP_BYTES = const(4096)


class ClipFeed:
    """`live` is the recorder: `.number` of the clip being recorded (None: none), its `.ring`, and
    `.is_busy` from the press on. `on_accepted(epoch, number, dispatch)` hears of every clip that arrived."""

    def __init__(self, store, live, trace, on_accepted) -> None:
        self._store = store
        self._live = live
        self._trace = trace
        self._on_accepted = on_accepted
        self._sender: Sender = None
        self._reader: ClipReader = None
        self._parked = []
        self._unpark_ms = 0
        self._now_ms = 0
        # The RESUME {n, off, crc} that waits until our own bytes are checked so far.
        self._wanted: dict = None
        self._crc_at = 0
        self._crc = 0
        self.conflicts = 0

    @property
    def busy(self) -> bool:
        """A clip is on its way, or the button is down for one."""
        return self._sender is not None or self._live.is_busy

    def restart(self) -> None:
        """A new session: nothing is known of what the companion holds."""
        self._drop_sender()
        self._parked.clear()

    def plan(self, now_ms: int, channel) -> None:
        """Queues the message that is due, if one is."""
        self._now_ms = now_ms
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
        if self._wanted is not None:
            self._check_prefix(channel)
        due = sender.due(now_ms, None if live else reader.size)
        if due is None:
            return
        if sender.asks >= _ASKS_MAX:
            self._park()
        elif due == OFFER:
            if channel.post(messages.CLIP, reader.meta):
                sender.offered(now_ms)
        elif channel.post(messages.END, self._end()):
            sender.finished(now_ms)

    def fill(self, view) -> int:
        """One audio message into `view`; its length, 0 when there is nothing to send now."""
        sender = self._sender
        if sender is None or not sender.may_stream or self._wanted is not None:
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
        else:
            self._wanted = body
        return True

    def close(self) -> None:
        """Closes the handle that is open."""
        self._drop_sender()

    def _choose(self) -> bool:
        if self._now_ms >= self._unpark_ms:
            self._parked.clear()
        for number in self._store.waiting():
            if number not in self._parked:
                break
        else:
            number = self._live.number
            if number is None or number in self._parked:
                return False
        # Before it is opened: when that fails, this is the clip to be parked.
        self._sender = Sender(number, self._live.number == number)
        self._wanted, self._crc_at, self._crc = None, 0, 0
        self._reader = self._store.open(number)
        return True

    def _park(self) -> None:
        if self._sender is not None:
            if not self._parked:
                self._unpark_ms = self._now_ms + _PARK_MS
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
        try:
            self._store.remove(number)
        except StoreError as e:
            # It is offered again, and accepted again: the companion takes it once. Those behind it go first.
            self._trace("store_error", error=str(e))
            self._park()
            return
        self._drop_sender()
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

    def _check_prefix(self, channel) -> None:
        """Compares one step further what the companion holds; says so or goes on there once all is checked."""
        offset, wanted = self._wanted["off"], self._wanted["crc"]
        if offset < self._crc_at:
            self._crc_at = self._crc = 0
        # Made for the moment: it is rarely asked.
        view = memoryview(bytearray(_CRC_PIECE_BYTES))
        end = min(offset, self._crc_at + _CRC_STEP_BYTES)
        while self._crc_at < end:
            n = self._read(self._crc_at, view[: min(_CRC_PIECE_BYTES, end - self._crc_at)])
            if n <= 0:
                break
            self._crc = binascii.crc32(view[:n], self._crc)
            self._crc_at += n
        if self._crc_at == end < offset:
            return
        self._wanted = None
        if self._crc_at == offset and self._crc & 0xFFFFFFFF == wanted:
            self._sender.resume(offset)
        else:
            # Another clip under our id, or more of it than a power cut left us.
            self.conflicts += 1
            channel.post(messages.CONFLICT, {"n": self._sender.number, "off": offset})
