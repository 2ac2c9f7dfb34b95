"""What came over the radio and was not read yet."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from lapel_wire.clips import WINDOW_BYTES

# A window, the same once more when the pin went back to its beginning, and what is around the audio.
MAX_BYTES = 4 * WINDOW_BYTES
# A short packet takes its place in memory, too.
_PACKET_MIN_BYTES = 20


class Inbox:
    """Packets in the order in which they came; bounded, what finds it full is `dropped`. One reader."""

    def __init__(self) -> None:
        self.dropped = 0
        self._packets: deque[tuple[bytes, int]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._packets)

    def put(self, packet: bytes) -> None:
        """A packet came."""
        size = _size(packet)
        if self._bytes + size > MAX_BYTES:
            self.dropped += 1
            return
        self._bytes += size
        self._packets.append((packet, time.monotonic_ns() // 1_000_000))
        self._some.set()

    async def get(self) -> tuple[bytes, int]:
        """The next packet and when it came (monotonic ms)."""
        while not self._packets:
            self._some.clear()
            await self._some.wait()
        packet, came_ms = self._packets.popleft()
        self._bytes -= _size(packet)
        return packet, came_ms


def _size(packet: bytes) -> int:
    return max(len(packet), _PACKET_MIN_BYTES)
