"""Frames of random content, for both Pythons: every path of the entropy coder without a signal.

`python random_frames.py SEED COUNT` writes for each frame its length (2 bytes), its final range (4 bytes) and itself.
"""

import sys
from array import array

from lapel_audio.opus import allocation, bands, pvq, range_coder, tables

TOC = 0xB8
OFFSET = 1 << 28
# The smallest frames that are not silent, without the TOC.
LEAST = 19


class Dice:
    """Numbers that are the same on every Python."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 + 12345) & 0xFFFFFFFF

    def roll(self, count):
        """0 .. count - 1."""
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 8) % count

    def once_in(self, count):
        return self.roll(count) == 0


class Frames:
    """Makes one random frame after the other."""

    def __init__(self, seed):
        self.dice = Dice(seed)
        self.coder = range_coder.new()
        self.queue = array("i", [0] * allocation.QUEUE_WORDS)
        self.frame = array("i", [0] * allocation.FRAME_WORDS)
        self.work = array("i", [0] * pvq.WORK_WORDS)
        self.counts = pvq.Counts()
        self.energies = array("i", [0] * 17)
        self.widths = array("i", [0] * 17)
        self.spectrum = array("i", [0] * 320)
        self.out = bytearray(1 + 400)

    def used(self):
        """Whole bits."""
        return range_coder.tell(0, 0, self.coder) + 7 >> 3

    def bit(self, value, rarity):
        range_coder.bit(self.coder, self.out, self.queue, value, rarity)

    def fill(self):
        """A spectrum of some temper: dense, sparse, steep, tiny, nothing at all in places."""
        dice = self.dice
        size = 1 << dice.roll(22)
        steep = dice.roll(3)
        sparse = (1, 1, 3, 20)[dice.roll(4)]
        for i in range(320):
            x = dice.roll(2 * size + 1) - size
            if steep == 1:
                x = x * (320 - i) // 320
            elif steep == 2:
                x >>= i >> 4
            if dice.roll(sparse):
                x = 0
            self.spectrum[i] = OFFSET + x
        if dice.once_in(4):
            begin = 8 * dice.roll(40)
            for i in range(begin, min(320, begin + 8 * dice.roll(12))):
                self.spectrum[i] = OFFSET

    def coarse(self, size, intra, wild):
        """Energies of all bands. False where too few bits are left for what comes next."""
        dice, coder, out, queue, energies = self.dice, self.coder, self.out, self.queue, self.energies
        for band in range(17):
            energies[band] = 128 + dice.roll(2 * wild + 1) - wild
        range_coder.laplace(0, 0, queue, 1, 17, energies, tables.LAPLACE, 34 * intra)
        return range_coder.run(0, 0, coder, out, queue, 1, 18, 64 * size - allocation.NEEDS) == 18

    def header(self):
        """Returns whether it is transient, and intra."""
        self.bit(0, 15)
        self.bit(0, 1)
        transient = self.dice.roll(2)
        self.bit(transient, 3)
        intra = self.dice.roll(2)
        self.bit(intra, 3)
        return transient, intra

    def plan(self, size, transient):
        """All between coarse and fine energy."""
        dice, coder, out, queue, frame = self.dice, self.coder, self.out, self.queue, self.frame
        trim = 5 if dice.roll(2) else dice.roll(11)
        allocation.describe(coder, out, queue, frame, transient, dice.roll(4), trim)
        allocation.allocate(coder, out, queue, frame, self.work, size, 16 if dice.roll(3) else dice.roll(17))

    def fine(self):
        for band in range(17):
            width = self.frame[allocation.FINE + band]
            self.widths[band] = width
            self.energies[band] = self.dice.roll(1 << width)
        range_coder.raw(0, 0, self.coder, self.out, self.energies, self.widths, 17)

    def last(self, size):
        """What is left makes energies finer once more."""
        left = 8 * size - self.used()
        count = 0
        for later in (0, 1):
            for band in range(17):
                if self.frame[allocation.FINE + band] < 8 and self.frame[allocation.LATER + band] == later:
                    if left > 0 and count < 17:
                        self.energies[count] = self.dice.roll(2)
                        self.widths[count] = 1
                        count += 1
                        left -= 1
        range_coder.raw(0, 0, self.coder, self.out, self.energies, self.widths, count)

    def make(self, size):
        """One frame of `size` bytes into `out`; returns its length, TOC and all."""
        self.out[0] = TOC
        range_coder.start(0, 0, self.coder, 1, size)
        if size < LEAST or self.dice.once_in(30):
            self.bit(1, 15)
        else:
            transient, intra = self.header()
            if not self.coarse(size, intra, (1, 2, 8, 60)[self.dice.roll(4)]):
                range_coder.start(0, 0, self.coder, 1, size)
                transient, intra = self.header()
                self.coarse(size, intra, 1)
            self.plan(size, transient)
            self.fine()
            self.fill()
            bands.code_bands(
                self.coder, self.out, self.frame, self.work, self.spectrum, OFFSET, self.counts
            )
            if self.frame[allocation.ANTI_COLLAPSE]:
                self.energies[0] = self.dice.roll(2)
                self.widths[0] = 1
                range_coder.raw(0, 0, self.coder, self.out, self.energies, self.widths, 1)
            self.last(size)
        if range_coder.finish(0, 0, self.coder, self.out):
            raise AssertionError("a frame is too short for what is in it")
        return 1 + size

    def any(self):
        """A frame of 19 to 160 bytes, now and then of 2 to 7, which is silent."""
        if self.dice.once_in(12):
            return self.make(2 + self.dice.roll(6))
        return self.make(LEAST + self.dice.roll(142))


def main(seed, count):
    frames = Frames(seed)
    out = sys.stdout.buffer
    for _ in range(count):
        length = frames.any()
        out.write(length.to_bytes(2, "big"))
        out.write(frames.coder[range_coder.RANGE].to_bytes(4, "big"))
        out.write(bytes(frames.out[:length]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
