"""Records cut into packets and joined again.

A packet is one header byte (first, last, 6-bit running number) and what fits behind it. A lost
packet costs its record, never the framing.
"""

from lapel_wire.gatt import ATT_HEADER_BYTES, MTU_MIN

FIRST = 0x80
LAST = 0x40
NUMBER_MASK = 0x3F
HEADER_BYTES = 1
RECORD_MAX_BYTES = 512


def payload_bytes(mtu: int) -> int:
    """Bytes of a record that one packet carries at this ATT MTU."""
    return max(mtu, MTU_MIN) - ATT_HEADER_BYTES - HEADER_BYTES


class Cutter:
    """Hands out the packets of one record at a time.

    `packet()` shows the same packet until `advance()`, so that a radio that is full loses nothing.
    """

    def __init__(self, mtu: int = MTU_MIN) -> None:
        self._packet = bytearray(HEADER_BYTES + RECORD_MAX_BYTES)
        self._view = memoryview(self._packet)
        self._record: "bytes | bytearray | memoryview" = b""
        self._length = 0
        self._position = 0
        self._filled = 0
        self._number = 0
        self._payload = payload_bytes(mtu)

    def set_mtu(self, mtu: int) -> None:
        """Takes effect with the next packet."""
        self._payload = min(payload_bytes(mtu), RECORD_MAX_BYTES)

    @property
    def busy(self) -> bool:
        """Whether packets of the loaded record are still to be sent."""
        return self._length > 0

    def load(self, record: "bytes | bytearray | memoryview", length: int) -> None:
        """Takes `record[:length]`; the buffer must stay unchanged until `busy` is false."""
        if not 0 < length <= RECORD_MAX_BYTES:
            raise ValueError("a record is 1 to %d bytes, not %d" % (RECORD_MAX_BYTES, length))
        self._record = record
        self._length = length
        self._position = 0
        self._filled = 0

    def packet(self) -> "memoryview | None":
        """The packet to send now as a memoryview, or None."""
        if not self._length:
            return None
        if not self._filled:
            n = min(self._payload, self._length - self._position)
            header = self._number
            if self._position == 0:
                header |= FIRST
            if self._position + n == self._length:
                header |= LAST
            self._packet[0] = header
            self._view[HEADER_BYTES : HEADER_BYTES + n] = self._record[self._position : self._position + n]
            self._filled = n
        return self._view[: HEADER_BYTES + self._filled]

    def advance(self) -> None:
        """The packet was taken by the radio."""
        self._position += self._filled
        self._filled = 0
        self._number = (self._number + 1) & NUMBER_MASK
        if self._position >= self._length:
            self._length = 0


class Joiner:
    """Collects packets into records; what is lost or foreign is counted and left out."""

    def __init__(self) -> None:
        self._buffer = bytearray(RECORD_MAX_BYTES)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._open = False
        self._next = -1
        self.lost_packets = 0
        self.broken_records = 0

    def feed(self, packet: "bytes | bytearray | memoryview") -> "memoryview | None":
        """Takes one packet; a memoryview of the whole record with its last one, else None.

        The view is valid until the next call.
        """
        if len(packet) <= HEADER_BYTES:
            self._drop()
            return None
        header = packet[0]
        number = header & NUMBER_MASK
        if self._next >= 0 and number != self._next:
            self.lost_packets += (number - self._next) & NUMBER_MASK
            self._drop()
        self._next = (number + 1) & NUMBER_MASK
        if header & FIRST:
            self._drop()
            self._open = True
        elif not self._open:
            return None
        end = self._filled + len(packet) - HEADER_BYTES
        if end > RECORD_MAX_BYTES:
            self._drop()
            return None
        self._view[self._filled : end] = memoryview(packet)[HEADER_BYTES:]
        self._filled = end
        if not header & LAST:
            return None
        self._open = False
        self._filled = 0
        return self._view[:end]

    def _drop(self) -> None:
        if self._open:
            self.broken_records += 1
        self._open = False
        self._filled = 0
