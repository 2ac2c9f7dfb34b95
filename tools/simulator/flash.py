"""The pin's flash: an image file with the rules, the wear and the pace of a NOR chip.

Programming only clears bits; an erase sets a block's to ones. What breaks the rules is kept in `violations`
and makes the run fail. The board waits out the time that each operation takes on the chip; reads take next to
none and go to the image file directly. Costs are those of a W25Q-class chip: erase 45 ms, one in 50 takes 200
ms; 0.4 ms for each 128 B programmed.
"""

from __future__ import annotations

import mmap
import random
import struct
from collections.abc import Callable
from pathlib import Path

from simulator.bus import Bus, Channel
from simulator.measured import Measured

BLOCK_BYTES = 4096
BLOCKS = 1024

PROGRAM = 2
ERASE = 3
GEOMETRY = 4

PAGE_BYTES = 128
PROGRAM_US = 400
ERASE_US = 45_000
SLOW_ERASE_US = 200_000
SLOW_ERASE_ONE_IN = 50

_PROGRAM = struct.Struct("<HH")
_ERASE = struct.Struct("<H")
_COST = struct.Struct("<B3xI")


class NorFlash:
    """The image in `path` (made when absent, all ones). `timed` False answers as fast as the host can.

    `blocks` only matters for a new image: an existing one keeps its size. Raises ValueError for a file that
    is no image.
    """

    def __init__(
        self, path: Path, *, blocks: int = BLOCKS, seed: int = 0, timed: bool = True, measured: Measured | None = None
    ) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(b"\xff" * (blocks * BLOCK_BYTES))
        size = path.stat().st_size
        if not size or size % BLOCK_BYTES:
            raise ValueError(f"{path} is no flash image: {size} bytes are not whole blocks of {BLOCK_BYTES}")
        self.blocks = size // BLOCK_BYTES
        self.timed = timed
        self.violations: list[str] = []
        self.wear = [0] * self.blocks
        self.programs = 0
        self.erases = 0
        self.busy_us = 0
        self._measured = measured or Measured()
        self._random = random.Random(seed)
        self._cut_in = 0
        self._cut: Callable[[], None] | None = None
        self._torn = False
        with path.open("r+b") as file:
            self._image = mmap.mmap(file.fileno(), 0)

    def close(self) -> None:
        """Write the image out."""
        self._image.flush()
        self._image.close()

    @property
    def operations(self) -> int:
        """Programs and erases so far."""
        return self.programs + self.erases

    def cut_after(self, operations: int, cut: Callable[[], None], *, torn: bool = False) -> None:
        """Call `cut` in place of answering the n-th operation from now; `torn` leaves that one half done."""
        self._cut_in, self._cut, self._torn = operations, cut, torn

    def read(self, block: int, offset: int, n: int) -> bytes:
        """Bytes of one block."""
        at = block * BLOCK_BYTES + offset
        return self._image[at : at + n]

    def program(self, block: int, offset: int, data: bytes) -> int:
        """Clear bits; gives the time it takes in us. Raises ValueError outside the chip."""
        self._inside(block, offset, len(data))
        self.programs += 1
        at = block * BLOCK_BYTES + offset
        before = int.from_bytes(self._image[at : at + len(data)], "little")
        wanted = int.from_bytes(data, "little")
        # where the new value has a one, the cell must still hold one
        if wanted & ~before:
            where = f"block {block}, offset {offset}"
            self.violations.append(f"{where}: {len(data)} B programmed over bits that were not erased")
        kept = len(data) // 2 if self._tears() else len(data)
        self._image[at : at + kept] = (wanted & before).to_bytes(len(data), "little")[:kept]
        page_us = self._measured.pick(self._measured.program_128_bytes_us, self._random) or PROGRAM_US
        return self._took(-(-len(data) // PAGE_BYTES) * page_us)

    def erase(self, block: int) -> int:
        """Set a block to ones; gives the time it takes in us. Raises ValueError outside the chip."""
        self._inside(block, 0, BLOCK_BYTES)
        self.erases += 1
        self.wear[block] += 1
        n = BLOCK_BYTES // 2 if self._tears() else BLOCK_BYTES
        at = block * BLOCK_BYTES
        self._image[at : at + n] = b"\xff" * n
        measured_us = self._measured.pick(self._measured.erase_us, self._random)
        if measured_us is not None:
            return self._took(measured_us)
        slow = self._random.randrange(SLOW_ERASE_ONE_IN) == 0
        return self._took(SLOW_ERASE_US if slow else ERASE_US)

    def attach(self, bus: Bus) -> None:
        """Answer the board's calls on the flash channel."""
        bus.handle(Channel.FLASH, lambda op, payload: self._called(bus, op, payload))

    def _called(self, bus: Bus, op: int, payload: bytes) -> None:
        if op == GEOMETRY:
            bus.answer(Channel.FLASH, op, struct.pack("<II", BLOCK_BYTES, self.blocks))
            return
        status, cost_us = 0, 0
        try:
            if op == ERASE:
                cost_us = self.erase(*_ERASE.unpack(payload))
            else:
                block, offset = _PROGRAM.unpack_from(payload)
                cost_us = self.program(block, offset, payload[_PROGRAM.size :])
        except ValueError as error:
            self.violations.append(str(error))
            status = 1
        if self._cut_in:
            self._cut_in -= 1
            if not self._cut_in and self._cut:
                self._cut()
                return
        bus.answer(Channel.FLASH, op, _COST.pack(status, cost_us if self.timed else 0))

    def _tears(self) -> bool:
        return self._torn and self._cut_in == 1

    def _took(self, cost_us: int) -> int:
        self.busy_us += cost_us
        return cost_us

    def _inside(self, block: int, offset: int, n: int) -> None:
        if block >= self.blocks or offset + n > BLOCK_BYTES:
            where = f"block {block}, offset {offset}, {n} B"
            raise ValueError(f"{where} is outside the flash of {self.blocks} blocks")
