"""One authenticated link: messages in and out, control before audio.

Sync and pure: the caller moves packets between `next_packet`/`feed` and its transport.
"""

from lapel_wire import messages
from lapel_wire.gatt import MTU_MIN
from lapel_wire.packets import RECORD_MAX_BYTES, Cutter, Joiner, payload_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lapel_wire.session import Session

CONTROL_QUEUE_MAX = 16
# Below an MTU of 100 an audio record takes several packets; short ones lose less with a packet. With what the session
# puts around it, this fills eight packets at an MTU of 23.
SMALL_AUDIO_BODY_BYTES = 134
# So many records that fail their check, and none between that is good, are no accident; a new session may help.
REFUSED_IN_A_ROW_MAX = 64


class Channel:
    """`session` is established: both sides have their ciphers."""

    def __init__(self, session: "Session", mtu: int = MTU_MIN) -> None:
        self.session = session
        self._cutter = Cutter(mtu)
        self._joiner = Joiner()
        self._mtu = mtu
        self._control: "list[bytes]" = []
        self._buffer = bytearray(RECORD_MAX_BYTES)
        self._body = memoryview(self._buffer)[session.head_bytes :]
        self._audio_room = 0
        self.dropped = 0
        self.bad_messages = 0
        # Records and messages that were not taken since one that was.
        self.refused_in_a_row = 0
        self.last_error = ""
        self.set_mtu(mtu)

    def set_mtu(self, mtu: int) -> None:
        """The ATT MTU that the transport has now."""
        if mtu == self._mtu and self._audio_room:
            return
        self._mtu = mtu
        self._cutter.set_mtu(mtu)
        around = self.session.head_bytes + self.session.tail_bytes
        one_packet = min(payload_bytes(mtu), RECORD_MAX_BYTES) - around
        self._audio_room = one_packet if mtu >= 100 else SMALL_AUDIO_BODY_BYTES

    @property
    def audio_room(self) -> int:
        """Bytes of an audio message, its header included."""
        return self._audio_room

    @property
    def idle(self) -> bool:
        """Nothing of ours waits to be sent."""
        return not self._control and not self._cutter.busy

    @property
    def refused(self) -> int:
        """Records and messages that were not taken."""
        return self.session.bad + self.bad_messages

    def post(self, kind: int, body: "dict[str, Any]") -> bool:
        """Queues a control message; False, and counted, when 16 wait already."""
        message = messages.encode(kind, body)
        if len(self._control) >= CONTROL_QUEUE_MAX:
            self.dropped += 1
            return False
        self._control.append(message)
        return True

    def next_packet(self, audio: "Callable[[memoryview], int] | None" = None) -> "memoryview | None":
        """The packet to send now, or None; the same one until `sent()`. Raises session.Spent.

        `audio(view) -> n` may fill `view` (audio_room bytes) with one audio message.
        """
        if not self._cutter.busy:
            if self._control:
                message = self._control.pop(0)
                n = len(message)
                self._body[:n] = message
            else:
                n = audio(self._body[: self._audio_room]) if audio else 0
            if n:
                self._cutter.load(self._buffer, self.session.seal(self._buffer, n))
        return self._cutter.packet()

    def sent(self) -> None:
        """The transport took the packet."""
        self._cutter.advance()

    def feed(self, packet: "bytes | bytearray | memoryview") -> "tuple[int, Any] | None":
        """Takes a packet; (kind, body) when it completes a message, else None.

        Audio data is a view that is valid until the next call. What must not be taken is
        counted in `refused`, with the reason of the last one in `last_error`.
        """
        record = self._joiner.feed(packet)
        return None if record is None else self.take(record)

    def take(self, record: "bytearray | memoryview") -> "tuple[int, Any] | None":
        """As `feed`, of a whole record; it is decrypted where it stands."""
        self.refused_in_a_row += 1
        body = self.session.open(record)
        if body is None:
            self.last_error = "a record failed its check"
            return None
        try:
            message = messages.decode(body)
        except messages.BadMessage as e:
            self.bad_messages += 1
            self.last_error = str(e)
            return None
        self.refused_in_a_row = 0
        return message
