"""What a relay between pin and companion may do to packets, besides passing them on: lose, double, swap, hold back, say
again what was said long ago, change a bit, cut short, put something behind.

The radio below sends again what gets lost on the air; whoever carries packets further may not. It knows no key, no
sessions and no clips: what it says again may be of any session before.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence

FAULTS = ("lose", "double", "swap", "delay", "replay", "flip", "shorten", "lengthen")
WAYS = ("up", "down")
# Of each way, the newest.
REMEMBERED_MAX = 4096
# Packets that go before one that is held back, and those that are held at most.
LATE_MAX = 24
_LONGER_MAX_BYTES = 20


class Relay:
    """`carry` is for the radio; `set` is for the script, where the radio `is_ours`. Shares are 0 to 1; up is from
    the pin. `done` counts the faults that fell."""

    def __init__(self, seed: int, is_ours: bool, tell: Callable[..., object]) -> None:
        self.is_ours = is_ours
        self.done: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._tell = tell
        self._shares: dict[tuple[str, str], float] = {}
        self._held: dict[str, bytes] = {}
        self._late: dict[str, list[tuple[int, bytes]]] = {way: [] for way in WAYS}
        self._carried: dict[str, int] = dict.fromkeys(WAYS, 0)
        self._memory: dict[str, deque[bytes]] = {way: deque(maxlen=REMEMBERED_MAX) for way in WAYS}

    def set(self, fault: str, share: float, ways: Sequence[str] = WAYS) -> None:
        """From now on that falls on this share of the packets."""
        self._shares |= {(fault, way): share for way in ways}
        self._tell("sim", "relay", fault=fault, percent=share * 100, way=" and ".join(ways))

    def good(self) -> None:
        """Pass on everything again."""
        self._shares.clear()
        self._tell("sim", "relay", fault="good")

    def carry(self, way: str, packet: bytes) -> list[bytes]:
        """The packets that go on in its place, in their order."""
        self._carried[way] += 1
        self._memory[way].append(packet)
        passed = self._one(way, packet)
        if passed and way in self._held:
            # It may have been said in an earlier session.
            passed.append(self._held.pop(way))
        due = [one for at, one in self._late[way] if at <= self._carried[way]]
        self._late[way] = [(at, one) for at, one in self._late[way] if at > self._carried[way]]
        passed += due
        if self._falls("replay", way):
            passed.append(self._random.choice(self._memory[way]))
        return passed

    def _one(self, way: str, packet: bytes) -> list[bytes]:
        if self._falls("lose", way):
            return []
        if way not in self._held and self._falls("swap", way):
            self._held[way] = packet
            return []
        if len(self._late[way]) < LATE_MAX and self._falls("delay", way):
            self._late[way].append((self._carried[way] + self._random.randint(1, LATE_MAX), packet))
            return []
        packet = self._changed(way, packet)
        return [packet, packet] if self._falls("double", way) else [packet]

    def _changed(self, way: str, packet: bytes) -> bytes:
        if packet and self._falls("flip", way):
            bit = self._random.randrange(8 * len(packet))
            changed = bytearray(packet)
            changed[bit // 8] ^= 1 << bit % 8
            packet = bytes(changed)
        if self._falls("shorten", way):
            packet = packet[: self._random.randrange(len(packet) + 1)]
        if self._falls("lengthen", way):
            packet += self._random.randbytes(self._random.randint(1, _LONGER_MAX_BYTES))
        return packet

    def _falls(self, fault: str, way: str) -> bool:
        share = self._shares.get((fault, way), 0.0)
        falls = share > 0 and self._random.random() < share
        self.done[fault] += falls
        return falls
