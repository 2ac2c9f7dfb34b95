"""Whose turn it is at a door with two places: who came first, and of those that failed who waited.

An address proves nobody and costs nothing. Who takes a new one comes behind all that came before, and who keeps its own
has one try, and then waits. So a crowd that changes addresses is passed by whoever keeps one, and a crowd that does not
has had its tries soon. Who proved the key once is before all others, and never waits.
"""

from lapel.compat import const

# Addresses that are known; who was not here for longest is forgotten. At the pace of services/link.py: some 6 s.
KEPT_MAX = const(32)
# After a first try that proved nothing, so much more after each, and at most. Short: the owner's own radio may fail.
FIRST_MS = const(2000)
LONGEST_MS = const(6000)
# Who was not here for so long has lost its turn, and has a new one: none is kept for later.
AWAY_MS = const(10_000)


class Strangers:
    """Addresses are bytes, times milliseconds that never wrap."""

    def __init__(self) -> None:
        # [address, how often it failed, its turn, when it was here], who was here last at the end.
        self._known = []
        self._proved: bytes = None

    def turn_ms(self, address: bytes, now_ms: int) -> int:
        """It is here, and this is its turn: when it came first, or until when it waits. Less goes before more."""
        return -1 if address == self._proved else self._seen(address, now_ms)[2]

    def failed(self, address: bytes, now_ms: int) -> None:
        """It was heard, and proved nothing in its time."""
        if address == self._proved:
            return
        one = self._seen(address, now_ms)
        one[1] += 1
        one[2] = now_ms + min(one[1] * FIRST_MS, LONGEST_MS)

    def proved(self, address: bytes) -> None:
        """It knows the key."""
        self._known = [one for one in self._known if one[0] != address]
        self._proved = address

    def _seen(self, address: bytes, now_ms: int) -> list:
        found = [one for one in self._known if one[0] == address] or [[address, 0, now_ms, now_ms]]
        rest = [one for one in self._known if one[0] != address]
        self._known = rest[-(KEPT_MAX - 1) :] + found
        one = found[0]
        if now_ms - one[3] >= AWAY_MS:
            one[2] = max(one[2], now_ms)
        one[3] = now_ms
        return one
