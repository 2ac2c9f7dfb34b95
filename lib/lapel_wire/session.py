"""What guards the records of one connection, with the two ciphers that a handshake gave.

A record is the low 16 bits of its counter, the body encrypted, and a tag of 16 bytes. The counter has 64 bits and is
the nonce; both sides count from 0, so what was lost leaves a gap that the next record proves.
"""

import struct

from lapel_wire.gatt import PROTOCOL_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Cipher(Protocol):
        """One direction's cipher, as noise.suite describes it."""

        def seal(self, nonce: int, ad: bytes, buffer: "bytearray | memoryview", start: int, length: int) -> None:
            """Encrypts in place, and puts the tag behind."""

        def open(self, nonce: int, ad: bytes, buffer: "bytearray | memoryview", start: int, length: int) -> bool:
            """Decrypts in place when the tag is right."""

        def wipe(self) -> None:
            """Forgets the key."""


# Far from what is safe for the cipher, and a counter that the pin can hold without allocating.
RECORDS_MAX = 1 << 30

_LOW = 0xFFFF
_WINDOW = 0x10000


class Spent(Exception):
    """As many records as one session may have were sent: a new handshake is due."""


def prologue(info: "bytes | bytearray | memoryview") -> bytes:
    """What both sides of a handshake must agree on before it; `info` is what the pin's characteristic reads."""
    return b"lapel" + bytes((PROTOCOL_VERSION,)) + bytes(info)


class Session:
    """`send` and `receive` belong to it from now on. At most `records_max` records go each way."""

    head_bytes = 2
    tail_bytes = 16

    def __init__(self, send: "Cipher", receive: "Cipher", records_max: int = RECORDS_MAX) -> None:
        self._send = send
        self._receive = receive
        self._records_max = records_max
        # The number of the next record, and the lowest that may come.
        self._next = 0
        self._lowest = 0
        # Records that were not taken; those of them whose number had its turn already.
        self.bad = 0
        self.replayed = 0
        # Records that never came, as a good one behind them proved.
        self.gaps = 0

    def seal(self, buffer: "bytearray", length: int) -> int:
        """Seals the body that stands at `buffer[2 : 2 + length]` in place; the record's length. Raises Spent."""
        if self._next >= self._records_max:
            raise Spent
        struct.pack_into("<H", buffer, 0, self._next & _LOW)
        self._send.seal(self._next, b"", buffer, self.head_bytes, length)
        self._next += 1
        return self.head_bytes + length + self.tail_bytes

    def open(self, record: "bytearray | memoryview") -> "memoryview | None":
        """The body of a record as a memoryview (decrypted where it stood), or None when it must not be taken.

        Only a greater counter with a right tag is taken; what is not changes nothing but a count.
        """
        length = len(record) - self.head_bytes - self.tail_bytes
        if length <= 0:
            self.bad += 1
            return None
        low: int = record[0] | record[1] << 8
        ahead = (low - self._lowest) & _LOW
        counter = self._lowest + ahead
        if counter >= self._records_max or not self._receive.open(counter, b"", record, self.head_bytes, length):
            self.bad += 1
            # More than half a round ahead is behind: a record that comes a second time, or late.
            self.replayed += ahead >= _WINDOW // 2
            return None
        self.gaps += ahead
        self._lowest = counter + 1
        return memoryview(record)[self.head_bytes : self.head_bytes + length]

    def wipe(self) -> None:
        """Forgets the keys: the session is over."""
        self._send.wipe()
        self._receive.wipe()
