"""A fuzzer's bytes as choices: the same bytes, the same choices, on both Pythons."""


class Draw:
    """Takes from the front; when nothing is left every choice is the first one."""

    def __init__(self, data):
        self._data = bytes(data)
        self._at = 0

    @property
    def left(self):
        """Bytes that were not taken yet."""
        return len(self._data) - self._at

    def byte(self):
        """0 to 255."""
        piece = self.piece(1)
        return piece[0] if piece else 0

    def number(self, size_bytes):
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.piece(size_bytes), "little")

    def pick(self, choices):
        """One of `choices`, at most 256."""
        return choices[self.byte() % len(choices)]

    def piece(self, length):
        """The next `length` bytes, or what is left."""
        taken = self._data[self._at : self._at + length]
        self._at += len(taken)
        return taken

    def block(self):
        """Bytes behind a length of two bytes."""
        return self.piece(self.number(2))

    def rest(self):
        """All that is left."""
        return self.piece(self.left)
