"""Buffers between guard bytes: machine code has no borders, so what it writes outside must be seen."""

_GUARD_BYTES = 64


class Guarded:
    """`view` has `content`, and stands `offset` bytes behind an address that the interpreter chose."""

    def __init__(self, content, offset=0):
        self._from = _GUARD_BYTES + offset
        self._to = self._from + len(content)
        self._all = bytearray(((at * 37 + 165) & 0xFF for at in range(self._to + _GUARD_BYTES)))
        self._all[self._from : self._to] = content
        self._before = bytes(self._all)
        self.view = memoryview(self._all)[self._from : self._to]

    def is_whole(self):
        """Nothing around the view was changed."""
        before, now = self._before, bytes(self._all)
        return now[: self._from] == before[: self._from] and now[self._to :] == before[self._to :]
