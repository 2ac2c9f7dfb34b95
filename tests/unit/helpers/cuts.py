"""Power cuts, by the prefix images of one recorded run.

A run over the NOR flash is recorded as its list of operations. The image after the first k of
them, with operation k torn, is exactly what a cut at k leaves behind. `Replay` gives them one
after the other, so that each costs one mount and not one run.
"""

from nor import BLOCK

UNTORN = "untorn"
PREFIX = "prefix"
BITS = "bits"


class Recorder:
    """Keeps the operations of a nor.Nor from now on, and the image they start from."""

    def __init__(self, nor):
        self.start = bytearray(nor.data)
        self.operations = []
        nor.log = self._log
        self._nor = nor

    def _log(self, kind, block, offset, data):
        self.operations.append((kind, block, offset, data))

    def stop(self):
        """Records no more."""
        self._nor.log = None


class Replay:
    """Images of a recorded run. `random` is a flash.Random."""

    def __init__(self, recorder, random):
        self._operations = recorder.operations
        self._random = random
        self._whole = bytearray(recorder.start)
        self._done = 0
        # The image of the last cut; each cut overwrites it.
        self.image = bytearray(recorder.start)

    def cut(self, at, how):
        """The image after `at` operations, and operation `at` torn in the way `how`. `at` only grows."""
        while self._done < at:
            apply(self._whole, self._operations[self._done])
            self._done += 1
        self.image[:] = self._whole
        if at < len(self._operations) and how != UNTORN:
            self._tear(self._operations[at], how)
        return self.image

    def _tear(self, operation, how):
        kind, block, offset, data = operation
        start = block * BLOCK + offset
        if kind == "erase":
            # Some bits are erased already, the others still hold what they held.
            for part in range(start, start + BLOCK, 256):
                old = int.from_bytes(self.image[part : part + 256], "little")
                erased = int.from_bytes(self._random(16) * 16, "little")
                self.image[part : part + 256] = (old | erased).to_bytes(256, "little")
            return
        size = len(data)
        old = int.from_bytes(self.image[start : start + size], "little")
        new = int.from_bytes(data, "little")
        if how == PREFIX:
            mask = (1 << 8 * self._random.below(size)) - 1
        else:
            mask = int.from_bytes((self._random(16) * (size // 16 + 1))[:size], "little")
        # Bits under the mask are programmed already.
        left = old & (new | ~mask & (1 << 8 * size) - 1)
        self.image[start : start + size] = left.to_bytes(size, "little")


def apply(image, operation):
    """One whole operation on an image."""
    kind, block, offset, data = operation
    start = block * BLOCK + offset
    if kind == "erase":
        image[start : start + BLOCK] = b"\xff" * BLOCK
        return
    size = len(data)
    old = int.from_bytes(image[start : start + size], "little")
    image[start : start + size] = (old & int.from_bytes(data, "little")).to_bytes(size, "little")
