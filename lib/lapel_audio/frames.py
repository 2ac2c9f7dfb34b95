"""A clip of Opus as bytes: each packet behind one byte that says its length. Cut anywhere, its whole packets are known.

A packet (RFC 6716) is 20 ms of one frame and 250 bytes at most; what is longer, or empty, is none of ours.
"""

FRAME_MS = 20
PACKET_MAX_BYTES = 250


class Frames:
    """Counts the packets of a clip that comes in pieces, the first from the clip's beginning."""

    def __init__(self) -> None:
        self.count = 0
        # Where the next packet begins, from the beginning of the next piece.
        self._next = 0

    def take(self, piece: "bytes | memoryview") -> None:
        """The next piece."""
        at = self._next
        while at < len(piece):
            at += 1 + piece[at]
            self.count += 1
        self._next = at - len(piece)

    @property
    def whole(self) -> int:
        """Packets that are there to their last byte."""
        return self.count - 1 if self._next > 0 else self.count


def packets(data: "bytes | memoryview", most: int) -> "list[bytes]":
    """The whole packets of a clip, `most` at most. It ends before what is no packet's length."""
    found = []  # type: list[bytes]
    at = 0
    while at < len(data) and len(found) < most:
        end = at + 1 + data[at]
        if end > len(data) or not 1 <= data[at] <= PACKET_MAX_BYTES:
            break
        found.append(bytes(data[at + 1 : end]))
        at = end
    return found
