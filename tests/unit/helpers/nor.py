"""A NOR flash for tests: 4 kB blocks, programs only clear bits, erases are counted, power can be cut.

It is the extended block device that VfsLfs2 wants (readblocks and writeblocks with an offset, ioctl).
It never allocates once it is dead: finalisers of open files reach it during a collection.
"""

BLOCK = 4096
_EIO = -5


class PowerCut(BaseException):
    """Raised out of the operation that the cut hits. No Exception: no handler of the product takes it."""


class Nor:
    """count blocks of 4 kB. Operations (programs and erases) are numbered from 0 in .ops."""

    def __init__(self, count=64, image=None):
        self.count = count
        self.data = bytearray(b"\xff" * (count * BLOCK)) if image is None else image
        self._view = memoryview(self.data)
        self.erases = [0] * count
        self.erased = 0
        self.programs = 0
        self.programmed_bytes = 0
        self.reads = 0
        self.ops = 0
        self.violations = 0
        # Operation number at which the power goes, and how that last operation is torn.
        self.cut_at = -1
        self.tear = None
        self.dead = False
        # Called as log(kind, block, offset, data) before each operation, when set.
        self.log = None
        # {block: how}: "raise" (OSError EIO), an int that is returned, or "stuck" (programs change nothing).
        self.bad = {}
        # Called as fault(kind, block) before each "read", "program" and "erase", when set: what the operation
        # is to answer instead of being done (0: it is done), or it raises.
        self.fault = None
        # {position in the flash: (bits that always read 1, bits that always read 0)}.
        self.stuck = {}

    def readblocks(self, block, buf, off=0):
        if self.dead:
            return _EIO
        self.reads += 1
        failed = self.fault and self.fault("read", block)
        if failed:
            return failed
        start = block * BLOCK + off
        buf[:] = self._view[start : start + len(buf)]
        for position, (ones, zeros) in self.stuck.items():
            if start <= position < start + len(buf):
                buf[position - start] = (buf[position - start] | ones) & ~zeros
        return 0

    def writeblocks(self, block, buf, off=0):
        if self.dead:
            return _EIO
        failed = self.fault and self.fault("program", block)
        if failed:
            return failed
        how = self.bad.get(block)
        if how is not None and how != "stuck":
            return self._fail(how)
        if self.log:
            self.log("program", block, off, bytes(buf))
        self.programs += 1
        self.programmed_bytes += len(buf)
        start = block * BLOCK + off
        if self._cut():
            if self.tear:
                self.tear(self._view[start : start + len(buf)], buf)
            raise PowerCut
        if how == "stuck":
            return 0
        self.program(start, buf)
        return 0

    def program(self, start, buf):
        size = len(buf)
        old = int.from_bytes(self._view[start : start + size], "little")
        new = int.from_bytes(buf, "little")
        if old & new != new:
            self.violations += 1
        self._view[start : start + size] = (old & new).to_bytes(size, "little")

    def erase(self, block):
        self._view[block * BLOCK : (block + 1) * BLOCK] = _ERASED

    def ioctl(self, op, arg):
        if op == 4:
            return self.count
        if op == 5:
            return BLOCK
        if op == 6:
            return self._erase(arg)
        return 0

    def _erase(self, block):
        if self.dead:
            return _EIO
        failed = self.fault and self.fault("erase", block)
        if failed:
            return failed
        how = self.bad.get(block)
        if how is not None and how != "stuck":
            return self._fail(how)
        if self.log:
            self.log("erase", block, 0, None)
        self.erased += 1
        self.erases[block] += 1
        if self._cut():
            if self.tear:
                self.tear(self._view[block * BLOCK : (block + 1) * BLOCK], None)
            raise PowerCut
        if how != "stuck":
            self.erase(block)
        return 0

    def _cut(self):
        self.ops += 1
        if self.ops - 1 != self.cut_at:
            return False
        self.dead = True
        return True

    def _fail(self, how):
        if how == "raise":
            raise OSError(5)
        return how


_ERASED = b"\xff" * BLOCK
