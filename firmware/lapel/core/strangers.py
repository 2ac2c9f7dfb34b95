"""Addresses that proved nothing wait before they are heard again, so that two of them cannot hold every place.

An address proves nobody and can be changed at will: this only keeps those in check that do not. The waits are short,
because the owner's own radio may fail a few times too; who proved the key once never waits.
"""

import random

from lapel.compat import const

# To send the opening message. While strangers press, most that were never here get less, and all of it when
# they come again: else a crowd could keep the owner out; or a computer that is slow.
PATIENCE_MS = const(3000)
PRESSED_MS = const(1250)
_CALM_MS = const(30_000)
_FULL_MS = const(500)
KEPT_MAX = const(16)
FIRST_MS = const(2000)
LONGEST_MS = const(6000)


class Strangers:
    """Addresses are bytes, times milliseconds that never wrap."""

    def __init__(self) -> None:
        # [address, how often it failed, until when it waits], who failed last at the end.
        self._failed = []
        self._proved: bytes = None
        self._failed_ms: int = None
        self._full_until_ms = 0

    def seeks_owner(self, now_ms: int) -> bool:
        """Whether to be found with every place taken: for who proved the key before. Not all the time, as all others
        are sent away then, and the owner may have another address by now."""
        return self._proved is not None and now_ms >= self._full_until_ms

    def full(self, now_ms: int) -> None:
        """Somebody came, and every place was taken."""
        self._full_until_ms = now_ms + _FULL_MS

    def is_owner(self, address: bytes) -> bool:
        """Whether this address was the last that proved the key."""
        return address == self._proved

    def patience_ms(self, address: bytes, now_ms: int) -> int:
        """How long a guest that comes now may take for its opening message."""
        if self._failed_ms is None or now_ms - self._failed_ms >= _CALM_MS or address == self._proved:
            return PATIENCE_MS
        is_known = any(one[0] == address for one in self._failed)
        return PRESSED_MS if random.getrandbits(2) and not is_known else PATIENCE_MS

    def must_wait(self, address: bytes, now_ms: int) -> bool:
        """Whether it is to be sent away unheard."""
        for one in self._failed:
            if one[0] == address:
                return now_ms < one[2]
        return False

    def failed(self, address: bytes, now_ms: int, patience_ms: int = PATIENCE_MS) -> None:
        """It was heard, and proved nothing in the time that it was given. Who had not all of it waits for nothing."""
        self._failed_ms = now_ms
        if address == self._proved:
            return
        times = self._forget(address) + (patience_ms == PATIENCE_MS)
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
