"""Which notices of which companion epoch were taken and are done with, and which `seen` has to be told yet.

Two epochs are remembered: the companion's own, and the one before it (a companion restored from
a backup may still answer for those). Per epoch, binary: 8 B epoch, u8 ranges, u8 untold, then
u32 pairs of the ranges and u32 of the untold.
"""

import binascii
import struct

from lapel.core.records import BadRecord
from lapel.core.seq_ranges import SeqRanges

EPOCHS_MAX = 2
RANGES_MAX = 24
UNTOLD_MAX = 64


class _Epoch:
    """One epoch of the companion: what is done with, and of that what it has not heard yet."""

    def __init__(self, name: str, ranges=(), untold=()) -> None:
        self.name = name
        self.done = SeqRanges(ranges, RANGES_MAX)
        self.untold = list(untold)


class Marks:
    """All of it in RAM; pack() and the constructor are its durable form."""

    def __init__(self, data: bytes = b"") -> None:
        # The current epoch stands last.
        self._epochs = []
        # `seen` that could not be kept for the companion because it never answered.
        self.dropped = 0
        at = 0
        while at < len(data):
            head = data[at : at + 10]
            count = 2 * head[8] + head[9] if len(head) == 10 else 0
            if len(head) < 10 or at + 10 + 4 * count > len(data):
                raise BadRecord("the marks of the notices are cut short")
            numbers = struct.unpack_from("<%dI" % count, data, at + 10)
            ranges = head[8]
            if len(self._epochs) == EPOCHS_MAX or ranges > RANGES_MAX or head[9] > UNTOLD_MAX:
                raise BadRecord("the marks of the notices are too many")
            pairs = [(numbers[2 * i], numbers[2 * i + 1]) for i in range(ranges)]
            if any(first > last for first, last in pairs):
                raise BadRecord("the marks of the notices run backwards")
            name = binascii.hexlify(head[:8]).decode()
            self._epochs.append(_Epoch(name, pairs, numbers[2 * ranges :]))
            at += 10 + 4 * count
        if self.pack() != data:
            raise BadRecord("the marks of the notices are not in order")

    def pack(self) -> bytes:
        """The durable form."""
        out = b""
        for entry in self._epochs:
            ranges = entry.done.ranges()
            numbers = [number for pair in ranges for number in pair] + entry.untold
            out += binascii.unhexlify(entry.name) + struct.pack("<BB", len(ranges), len(entry.untold))
            out += struct.pack("<%dI" % len(numbers), *numbers)
        return out

    @property
    def epoch(self):
        """The companion's epoch, None before its first notice."""
        return self._epochs[-1].name if self._epochs else None

    def adopt(self, epoch: str) -> bool:
        """Makes this the companion's epoch. False when it is already; True: to be made durable."""
        if epoch == self.epoch:
            return False
        entry = self._entry(epoch) or _Epoch(epoch)
        self._epochs = [kept for kept in self._epochs if kept is not entry] + [entry]
        del self._epochs[:-EPOCHS_MAX]
        return True

    def remembers(self, epoch: str) -> bool:
        """Whether this epoch is one of the two."""
        return self._entry(epoch) is not None

    def is_done(self, epoch: str, seq: int) -> bool:
        """Whether the notice was taken once and is over."""
        entry = self._entry(epoch)
        return entry is not None and seq in entry.done

    def highest(self, epoch) -> int:
        """The greatest number that is done with."""
        entry = self._entry(epoch)
        return entry.done.highest() if entry else 0

    def finish(self, epoch: str, seqs, tell: bool) -> bool:
        """These notices are over; with `tell` the companion has to hear that they were seen.

        False when the epoch is not remembered: then nobody would ask again, nor want to hear.
        """
        entry = self._entry(epoch)
        if entry is None:
            return False
        for seq in seqs:
            entry.done.add(seq)
            if tell and seq not in entry.untold:
                entry.untold.append(seq)
            elif not tell and seq in entry.untold:
                entry.untold.remove(seq)
        while len(entry.untold) > UNTOLD_MAX:
            entry.untold.pop(0)
            self.dropped += 1
        return True

    def told(self, epoch: str, seqs) -> bool:
        """The companion knows that they were seen. True when that changed something."""
        entry = self._entry(epoch)
        if entry is None:
            return False
        left = [seq for seq in entry.untold if seq not in seqs]
        changed = len(left) != len(entry.untold)
        entry.untold = left
        return changed

    def untold(self):
        """[(epoch, [seq, ...])] of what the companion has not confirmed, oldest epoch first."""
        return [(entry.name, list(entry.untold)) for entry in self._epochs if entry.untold]

    def _entry(self, epoch):
        for entry in self._epochs:
            if entry.name == epoch:
                return entry
        return None
