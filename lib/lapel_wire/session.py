"""What guards the records of one connection.

A session is opened by the companion with one message, answered with one, and from then on seals
and opens records with a counter of its own in each direction. `ClearSession` has the shape of
the private session (message lengths, counters, refusals) without its secrecy: it is the one
place that the Noise session replaces.

A session has: `head_bytes` and `tail_bytes` around a body, `start()`, `answer(message)`,
`finish(message)`, `seal(buffer, length)`, `open(record)`, `established`, and the counters
`bad` and `gaps`.
"""

import binascii
import hashlib
import struct

from lapel_wire.gatt import PROTOCOL_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

HANDSHAKE_BYTES = 48
CLEARTEXT_WARNING = (
    "The link between pin and companion is NOT private yet: what is said travels in the clear "
    "over Bluetooth and anyone near could read it or speak in its place."
)

_MAGIC = b"lapel in clear 1"
_WINDOW = 0x10000


class ClearSession:
    """Cleartext stand-in. `random(n) -> bytes` is injected so that runs can be repeated."""

    head_bytes = 2
    tail_bytes = 4

    def __init__(self, initiator: bool, info: bytes, random: "Callable[[int], bytes]") -> None:
        self._initiator = initiator
        self._prologue = b"lapel" + bytes((PROTOCOL_VERSION,)) + bytes(info)
        self._random = random
        self._first = b""
        self._keys = (0, 0)
        self._send_counter = 0
        self._receive_counter = 0
        self.established = False
        self.bad = 0
        self.gaps = 0

    def start(self) -> bytes:
        """The companion's opening message (48 B)."""
        self._first = self._message(b"")
        return self._first

    def answer(self, message: "bytes | bytearray | memoryview") -> "bytes | None":
        """The pin's answer (48 B) to an opening message, or None when it is not one."""
        if not self._genuine(message, b""):
            return None
        self._first = bytes(message)
        reply = self._message(self._first)
        self._establish(reply)
        return reply

    def finish(self, message: "bytes | bytearray | memoryview") -> bool:
        """Whether the pin's answer fits what was sent; the session is open then."""
        if not self._first or not self._genuine(message, self._first):
            return False
        self._establish(bytes(message))
        return True

    def seal(self, buffer: "bytearray", length: int) -> int:
        """Seals the body that stands at `buffer[2 : 2 + length]` in place; the record's length."""
        end = self.head_bytes + length
        struct.pack_into("<H", buffer, 0, self._send_counter & 0xFFFF)
        body = memoryview(buffer)[self.head_bytes : end]
        struct.pack_into("<I", buffer, end, self._tag(self._keys[0], self._send_counter, body))
        self._send_counter += 1
        return end + self.tail_bytes

    def open(self, record: "bytes | bytearray | memoryview") -> "memoryview | None":
        """The body of a record as a memoryview, or None when it must not be taken.

        Only a greater counter with a right tag is taken; a step of more than one counts in `gaps`.
        """
        end = len(record) - self.tail_bytes
        if not self.established or end <= self.head_bytes:
            self.bad += 1
            return None
        view = memoryview(record)
        body = view[self.head_bytes : end]
        low: int = struct.unpack_from("<H", record, 0)[0]
        counter = self._receive_counter - self._receive_counter % _WINDOW + low
        if counter < self._receive_counter:
            counter += _WINDOW
        if struct.unpack_from("<I", record, end)[0] != self._tag(self._keys[1], counter, body):
            self.bad += 1
            return None
        self.gaps += counter - self._receive_counter
        self._receive_counter = counter + 1
        return body

    def _message(self, before: bytes) -> bytes:
        head = _MAGIC + self._random(16)
        return head + self._digest(before, head)

    def _genuine(self, message: "bytes | bytearray | memoryview", before: bytes) -> bool:
        message = bytes(message)
        if len(message) != HANDSHAKE_BYTES or message[:16] != _MAGIC:
            self.bad += 1
            return False
        if message[32:] != self._digest(before, message[:32]):
            self.bad += 1
            return False
        return True

    def _digest(self, before: bytes, head: bytes) -> bytes:
        return hashlib.sha256(self._prologue + before + head).digest()[:16]

    def _establish(self, reply: bytes) -> None:
        root = binascii.crc32(reply, binascii.crc32(self._first))
        keys = (root ^ 0x55555555, root ^ 0x2AAAAAAA)
        self._keys = keys if self._initiator else (keys[1], keys[0])
        self.established = True

    @staticmethod
    def _tag(key: int, counter: int, body: "memoryview") -> int:
        return binascii.crc32(body, binascii.crc32(struct.pack("<Q", counter), key)) & 0xFFFFFFFF
