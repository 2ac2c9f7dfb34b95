"""The NOR flash of a virtual pin: it takes its time, and its faults."""

from nor import BLOCK, Nor, PowerCut

_ERASE_US = 45_000
_LONG_ERASE_US = 200_000
_LONG_EVERY = 50
_PROGRAM_US_PER_128 = 400
_READ_US = 30
_EIO = -5


class TimedNor(Nor):
    """The NOR flash, which holds the interpreter for as long as the chip would.

    `before(op, kind, block, offset, data)` hears of each operation; it may set `tear`, and returns whether the
    power goes in it.
    """

    def __init__(self, world, image):
        super().__init__(len(image) // BLOCK, image)
        self._world = world
        self.before = None
        # The run has ended; a collection may still close files.
        self.is_over = False
        self._is_cut = False

    def readblocks(self, block, buf, off=0):
        if self.dead:
            return self._gone()
        self._world.now_us += _READ_US
        try:
            return super().readblocks(block, buf, off)
        except MemoryError:
            # A collection closes a file: nothing can be made then, and what it would write is not wanted.
            return _EIO

    def writeblocks(self, block, buf, off=0):
        if self.dead:
            return self._gone()
        self._world.now_us += _PROGRAM_US_PER_128 * (len(buf) + 127 >> 7)
        try:
            self._begin("program", block, off, buf)
            return super().writeblocks(block, buf, off)
        except MemoryError:
            return _EIO

    def _erase(self, block):
        if self.dead:
            return self._gone()
        self._world.now_us += _LONG_ERASE_US if self.erased % _LONG_EVERY == _LONG_EVERY - 1 else _ERASE_US
        try:
            self._begin("erase", block, 0, None)
            return super()._erase(block)
        except MemoryError:
            return _EIO

    def _gone(self):
        # What the product does on its way out, in a `finally`, must not take the place of the cut.
        if self.is_over:
            return _EIO
        raise PowerCut

    def _begin(self, kind, block, off, data):
        op = self.ops
        self.ops = op + 1
        self._is_cut = self.before is not None and self.before(op, kind, block, off, data)

    def _cut(self):
        # Asked by Nor in each operation that is not refused.
        self.dead = self._is_cut
        return self.dead
