"""Chance that can be repeated: the same draws for the same seed, on both Pythons."""


class Draws:
    """`draws(n)` gives n bytes, as os.urandom."""

    def __init__(self, seed=1):
        self._state = (seed * 2654435761 + 974711) & 0xFFFFFFFF
        for _ in range(4):
            self._next()

    def _next(self):
        # Multiplier and increment: Knuth, "The Art of Computer Programming" 2, 3.3.4, line 25 of table 1.
        self._state = (self._state * 1664525 + 1013904223) & 0xFFFFFFFF
        return self._state >> 16

    def __call__(self, count):
        return bytes([self._next() & 0xFF for _ in range(count)])

    def below(self, limit):
        """A whole number from 0 to limit - 1; limit is at most 2^30."""
        return ((self._next() << 16 | self._next()) & 0x3FFFFFFF) % limit

    def between(self, low, high):
        """A whole number from low to high, both among them."""
        return low + self.below(high - low + 1)

    def chance(self, per_mille):
        """Whether something happens that does so often."""
        return self.below(1000) < per_mille

    def pick(self, things):
        """One of a sequence."""
        return things[self.below(len(things))]
