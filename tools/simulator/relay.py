"""What a relay between pin and companion may do to packets, besides passing them on: lose, double, swap.

The radio below sends again what gets lost on the air; whoever carries packets further may not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

FAULTS = ("lose", "double", "swap")
WAYS = ("up", "down")


class Relay:
    """`carry` is for the radio; `set` is for the script, where the radio `is_ours`. Shares are 0 to 1; up is from
    the pin."""

    def __init__(self, seed: int, is_ours: bool, tell: Callable[..., object]) -> None:
        self.is_ours = is_ours
        self._random = random.Random(seed)
        self._tell = tell
        self._shares: dict[tuple[str, str], float] = {}
        self._held: dict[str, bytes] = {}

    def set(self, fault: str, share: float, ways: Sequence[str] = WAYS) -> None:
        """From now on this share of the packets is lost, doubled, or comes behind the next one."""
        self._shares |= {(fault, way): share for way in ways}
        self._tell("sim", "relay", fault=fault, percent=share * 100, way=" and ".join(ways))

    def good(self) -> None:
        """Pass on everything again."""
        self._shares.clear()
        self._tell("sim", "relay", fault="good")

    def carry(self, way: str, packet: bytes) -> list[bytes]:
        """The packets that go on in its place, in their order."""
        if self._falls("lose", way):
            return []
        if way not in self._held and self._falls("swap", way):
            self._held[way] = packet
            return []
        passed = [packet, packet] if self._falls("double", way) else [packet]
        if way in self._held:
            # It may have been said in an earlier session.
            passed.append(self._held.pop(way))
        return passed

    def _falls(self, fault: str, way: str) -> bool:
        share = self._shares.get((fault, way), 0.0)
        return share > 0 and self._random.random() < share
