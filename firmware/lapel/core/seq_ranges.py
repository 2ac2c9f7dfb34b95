"""A set of sequence numbers as few ranges: what was already taken, in bounded memory.

Numbers come nearly in order, so the set is nearly one range. Only when more than `limit` ranges
are apart is the oldest gap given up: its numbers then count as taken.
"""


class SeqRanges:
    """Ranges are [first, last], both included, in order, with a gap between any two."""

    def __init__(self, ranges=(), limit: int = 24) -> None:
        self._limit = limit
        self._ranges = []
        # Gaps given up by the limit since this object was made.
        self.merged = 0
        for first, last in ranges:
            self._insert(first, last)

    def __contains__(self, seq: int) -> bool:
        for first, last in self._ranges:
            if first <= seq <= last:
                return True
        return False

    def add(self, seq: int) -> None:
        """Takes the number in; a second time changes nothing."""
        if seq not in self:
            self._insert(seq, seq)

    def highest(self) -> int:
        """The greatest number, 0 when there is none."""
        return self._ranges[-1][1] if self._ranges else 0

    def ranges(self):
        """The ranges, lowest first, as pairs."""
        return [(first, last) for first, last in self._ranges]

    def _insert(self, first: int, last: int) -> None:
        kept, at = [], 0
        for low, high in self._ranges:
            if high + 1 < first:
                kept.append([low, high])
                at = len(kept)
            elif last + 1 < low:
                kept.append([low, high])
            else:
                first, last = min(first, low), max(last, high)
        kept.insert(at, [first, last])
        while len(kept) > self._limit:
            kept[0] = [kept[0][0], kept[1][1]]
            del kept[1]
            self.merged += 1
        self._ranges = kept
