"""The simulated pin's flash on USB: a block device on an image file, with the rules of NOR.

On the chip this is C, which Ctrl-C does not interrupt half way. Here it comes while the process waits
(tools/simulator/interrupting.py); so nothing waits here, nor branches or loops: tables take the place of conditions.

The `state` file is shared with the host half; six u32: the operation at which power goes, whether that one is torn,
operations so far, operations that broke a rule, erases, whether Ctrl-C waits (on_bus.py). `log` gets each operation:
block, offset, length (u16, u16, u16), then the bytes programmed; an erase has length 0xFFFF and none.
"""

import array
import struct

BLOCK_BYTES = 4096
STATE_WORDS = 5
_ERASED = b"\xff" * BLOCK_BYTES
_ERASE_MARK = 0xFFFF
_CUT_AT = 0
_TORN = 1
_OPS = 2
_BROKEN = 3
_ERASES = 4


class NorFile:
    """A block device with offsets (vfs.AbstractBlockDev, extended interface)."""

    def __init__(self, image, state, log, blocks, die):
        self._image = open(image, "r+b")
        self._state = open(state, "r+b")
        self._log = open(log, "ab") if log else _Nowhere()
        self._words = array.array("I", [0] * STATE_WORDS)
        self._die = die
        self.block_bytes = BLOCK_BYTES
        # by the number of the request: init, deinit, sync, then the two sizes, then erase
        self._answers = (_nothing,) * 4 + (lambda _: blocks, lambda _: BLOCK_BYTES, self._erase)

    def readblocks(self, block, buf, offset=0):
        self._image.seek(block * BLOCK_BYTES + offset)
        self._image.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        n = len(buf)
        self._image.seek(block * BLOCK_BYTES + offset)
        before = int.from_bytes(self._image.read(n), "little")
        wanted = int.from_bytes(buf, "little")
        self._read_state()
        self._words[_BROKEN] += (wanted & before) != wanted
        self._log.write(struct.pack("<HHH", block, offset, n))
        self._log.write(buf)
        self._image.seek(block * BLOCK_BYTES + offset)
        self._image.write((wanted & before).to_bytes(n, "little")[: self._effective(n)])
        self._done()

    def ioctl(self, op, arg):
        return self._answers[op](arg)

    def _erase(self, block):
        self._read_state()
        self._words[_ERASES] += 1
        self._log.write(struct.pack("<HHH", block, 0, _ERASE_MARK))
        self._image.seek(block * BLOCK_BYTES)
        self._image.write(_ERASED[: self._effective(BLOCK_BYTES)])
        self._done()
        return 0

    def take_interrupt(self):
        """Whether Ctrl-C came; it is taken with that."""
        self._state.seek(20)
        if not int.from_bytes(self._state.read(4), "little"):
            return False
        self._state.seek(20)
        self._state.write(bytes(4))
        return True

    def _read_state(self):
        self._state.seek(0)
        self._state.readinto(self._words)
        self._words[_OPS] += 1

    def _effective(self, n):
        # half of a torn operation
        return n >> ((self._words[_OPS] == self._words[_CUT_AT]) & (self._words[_TORN] == 1))

    def _done(self):
        self._state.seek(8)
        self._state.write(self._words[_OPS:])
        (_nothing, self._cut)[self._words[_OPS] == self._words[_CUT_AT]](0)

    def _cut(self, _):
        # nothing more reaches the image, whatever happens until the host half ends this process
        self._image.close()
        self._die()


class _Nowhere:
    def write(self, data):
        pass


def _nothing(_):
    return 0
