"""Several notices within two seconds become one pattern; and which notice the person felt last.

Pure: times are milliseconds that never wrap. What was stored and seen is the store's business.
"""

from lapel.core import pattern

WINDOW_MS = 2000
_FELT_MAX = 8


class Coalescer:
    """The first notice is felt at once; those of the next two seconds are gathered, and the most urgent of
    them is felt at the end of that time if it says something else than the first. While nothing may be felt
    (`held`) all are gathered, until the first tick() after it."""

    def __init__(self) -> None:
        self._until_ms: int = None
        self._felt_kind: str = None
        # Of what was gathered: how many, and the most urgent, the newest of its kind.
        self._gathered = 0
        self._kind: str = None
        self._identity = None

    @property
    def deadline(self):
        """When tick() is due, None for never."""
        return self._until_ms

    def arrived(self, t_ms: int, kind: str, identity, held: bool = False):
        """A notice came. The pattern to show now as (name, count, identity), or None for nothing yet."""
        shown = None if held else self.tick(t_ms)
        if held and self._until_ms is None:
            self._open(t_ms, None)
        if self._until_ms is not None:
            self._gathered += 1
            if self._kind is None or pattern.rank(kind) <= pattern.rank(self._kind):
                self._kind, self._identity = kind, identity
            return shown
        self._open(t_ms, kind)
        # What was only to be counted is felt with this one.
        return (kind, 1 if shown is None else shown[1] + 1, identity)

    def tick(self, t_ms: int):
        """As arrived(), for the passing of time."""
        if self._until_ms is None or t_ms < self._until_ms:
            return None
        self._until_ms = None
        if not self._gathered:
            return None
        # The first of them was felt already, unless nothing could be.
        count = self._gathered + (self._felt_kind is not None)
        if self._kind == self._felt_kind:
            return (pattern.COUNT, count, None)
        shown = (self._kind, count, self._identity)
        # What is felt now is the first of the next two seconds.
        self._open(t_ms, self._kind)
        return shown

    def _open(self, t_ms: int, kind) -> None:
        self._until_ms = t_ms + WINDOW_MS
        self._felt_kind = kind
        self._gathered, self._kind, self._identity = 0, None, None


class Felt:
    """Which notices were felt, and when: a reply is to the newest that was felt before its press."""

    def __init__(self) -> None:
        self._felt = []

    def add(self, t_ms: int, identity) -> None:
        """The pattern of this notice has been played to its end."""
        self._felt.append((t_ms, identity))
        del self._felt[:-_FELT_MAX]

    def before(self, press_ms: int):
        """Identity of the notice that a reply pressed at `press_ms` means, or None."""
        for t_ms, identity in reversed(self._felt):
            if t_ms <= press_ms:
                return identity
        return None

    def forget(self, identity) -> None:
        """The notice was withdrawn."""
        self._felt = [entry for entry in self._felt if entry[1] != identity]
