"""Who of those that advertise is tried next: each in its turn, so that no crowd of others keeps us from the pin."""

from __future__ import annotations

from dataclasses import dataclass

KEPT_MAX = 64
# Who was not heard for so long has gone, or has another address by now.
FORGET_S = 30.0
# After a try that proved nothing: short, for it may have been our pin on a bad radio, or one that has no place for us
# because of others at its door. What is fair is seen to by the row.
PAUSE_S = (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
# Who failed comes behind who was first heard so much later, twice at most: new addresses cost nothing.
BEHIND_S = 2.0
BEHIND_MAX = 2


@dataclass
class _One:
    # Since when it waits for its turn; how often it failed, and until when it is left alone.
    since_s: float
    heard_s: float
    failures: int = 0
    until_s: float = 0.0


class Candidates:
    """Addresses, bounded. An address proves nothing and may change at will."""

    def __init__(self) -> None:
        self._known: dict[str, _One] = {}
        self.proved: str | None = None

    def heard(self, address: str, now_s: float) -> bool:
        """It advertises; whether it may be tried now. In a crowd that is too large, who came first stays."""
        if address not in self._known:
            self._known = {key: one for key, one in self._known.items() if now_s - one.heard_s <= FORGET_S}
            if len(self._known) >= KEPT_MAX:
                return False
            self._known[address] = _One(now_s, now_s)
        one = self._known[address]
        one.heard_s = now_s
        return now_s >= one.until_s

    def first(self, addresses: list[str]) -> str:
        """Whose turn it is of those that were heard: who proved the key last, else who waits longest."""
        if self.proved in addresses:
            return self.proved
        return min(addresses, key=self._turn)

    def _turn(self, address: str) -> float:
        one = self._known.get(address)
        if one is None:
            # It was forgotten meanwhile: this computer had stood still.
            return float("inf")
        return one.since_s + BEHIND_S * min(one.failures, BEHIND_MAX)

    def failed(self, address: str, now_s: float) -> None:
        """It proved nothing, and goes to the end of the row."""
        one = self._known.setdefault(address, _One(now_s, now_s))
        one.until_s = now_s + PAUSE_S[min(one.failures, len(PAUSE_S) - 1)]
        one.since_s = now_s
        one.failures += 1
        if self.proved == address:
            self.proved = None

    def succeeded(self, address: str) -> None:
        """It is our pin."""
        self._known.pop(address, None)
        self.proved = address
