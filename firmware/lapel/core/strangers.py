"""Addresses that proved nothing wait before they are heard again, so that two of them cannot hold every place.

An address proves nobody and can be changed at will: this only keeps those in check that do not. The waits are short,
because the owner's own radio may fail a few times too; who proved the key once never waits.
"""

from lapel.compat import const

KEPT_MAX = const(16)
FIRST_MS = const(2000)
LONGEST_MS = const(6000)


class Strangers:
    """Addresses are bytes, times milliseconds that never wrap."""

    def __init__(self) -> None:
        # [address, how often it failed, until when it waits], who failed last at the end.
        self._failed = []
        self._proved: bytes = None

    def must_wait(self, address: bytes, now_ms: int) -> bool:
        """Whether it is to be sent away unheard."""
        for one in self._failed:
            if one[0] == address:
                return now_ms < one[2]
        return False

    def failed(self, address: bytes, now_ms: int) -> None:
        """It was heard, and proved nothing."""
        if address == self._proved:
            return
        times = self._forget(address) + 1
        if len(self._failed) >= KEPT_MAX:
            self._failed.pop(0)
        self._failed.append([address, times, now_ms + min(times * FIRST_MS, LONGEST_MS)])

    def proved(self, address: bytes) -> None:
        """It knows the key."""
        self._forget(address)
        self._proved = address

    def _forget(self, address: bytes) -> int:
        # how often it had failed
        for i, one in enumerate(self._failed):
            if one[0] == address:
                return self._failed.pop(i)[1]
        return 0
