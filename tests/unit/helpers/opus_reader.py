"""A range decoder (RFC 6716, section 4.1), written in plain long numbers and for the tests alone."""


class Reader:
    """Reads one frame. `value` is how far the coded number lies above the range's lower end."""

    def __init__(self, frame):
        self.range = 1 << 31
        # 31 bits to begin with, and zeros behind all bytes.
        self._bits = int.from_bytes(bytes(frame) + bytes(8), "big")
        self._count = 8 * len(frame) + 64
        self._read = 31
        self.value = self._bits >> self._count - 31
        self._tail = int.from_bytes(bytes(frame), "big")

    def place(self, total):
        """Which of `total` it is."""
        # What the division of the range leaves over belongs to the first.
        return max(0, total - 1 - (self.range - 1 - self.value) // (self.range // total))

    def take(self, first, end, total):
        """It was of first .. end - 1."""
        part = self.range // total
        if first:
            self.value -= self.range - part * (total - first)
            self.range = part * (end - first)
        else:
            self.range -= part * (total - end)
        while self.range <= 1 << 23:
            self.range <<= 8
            self.value = self.value << 8 | self._next()
        assert 0 <= self.value < self.range

    def bit(self, rarity):
        total = 1 << rarity
        value = 1 if self.place(total) == total - 1 else 0
        self.take(total - 1 if value else 0, total if value else total - 1, total)
        return value

    def raw(self, width):
        """The next raw bits, from the end on."""
        value = self._tail & (1 << width) - 1
        self._tail >>= width
        return value

    def laplace(self, model, at):
        """A number whose sizes each have their share, the first ones less by a factor."""
        share, decay = model[at] << 7, model[at + 1] << 6
        place = self.place(1 << 15)
        low, size = 0, 0
        sign = 1
        if place >= share:
            low, size = share, 1
            share = (32736 - share) * (16384 - decay) >> 15
            while share and place >= low + 2 * share + 2:
                low += 2 * share + 2
                share = 2 * share * decay >> 15
                size += 1
            if not share:
                size += place - low >> 1
                low += place - low >> 1 << 1
            share += 1
            if place < low + share:
                sign = -1
            else:
                low += share
        self.take(low, min(low + share, 1 << 15), 1 << 15)
        return sign * size

    def _next(self):
        value = self._bits >> max(0, self._count - self._read - 8) & 0xFF
        self._read += 8
        return value
