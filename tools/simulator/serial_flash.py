"""The flash of the simulated pin on USB as its host half sees it: the image, and the state file shared with
boards/sim/usb/nor_file.py, which keeps the rules of NOR."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

BLOCK_BYTES = 4096
# cut at, torn, operations, operations that broke a rule, erases, whether Ctrl-C waits to be taken
_STATE = struct.Struct("<6I")
_CTRL_C_AT = 20
_CUT = struct.Struct("<II")
ERASE_MARK = 0xFFFF
_RECORD = struct.Struct("<HHH")


@dataclass(frozen=True)
class Operation:
    """One program or erase, as the log keeps it. `data` is None for an erase."""

    at: int
    data: bytes | None

    def on(self, image: bytearray, *, torn: bool = False) -> None:
        """Does it to an image; `torn` half of it."""
        if self.data is None:
            n = BLOCK_BYTES // 2 if torn else BLOCK_BYTES
            image[self.at : self.at + n] = b"\xff" * n
            return
        n = len(self.data) // 2 if torn else len(self.data)
        before = int.from_bytes(image[self.at : self.at + n], "little")
        image[self.at : self.at + n] = (before & int.from_bytes(self.data[:n], "little")).to_bytes(n, "little")


class SerialFlash:
    """`blocks` only matters for a new image; an old one keeps its size. `image` where it is not in the folder."""

    def __init__(self, folder: Path, blocks: int = 0, image: Path | None = None) -> None:
        self.image = image or folder / "usb-flash.bin"
        self.state = folder / "usb-flash.state"
        if not self.image.exists():
            self.image.write_bytes(b"\xff" * (blocks * BLOCK_BYTES))
        self.blocks = self.image.stat().st_size // BLOCK_BYTES
        self.state.write_bytes(bytes(_STATE.size))

    @property
    def operations(self) -> int:
        """Programs and erases so far."""
        return self._words()[2]

    @property
    def rules_broken(self) -> int:
        """Operations that programmed bits which were not erased."""
        return self._words()[3]

    @property
    def erases(self) -> int:
        """Blocks erased so far."""
        return self._words()[4]

    def cut_at_operation(self, operations: int, *, torn: bool = False) -> None:
        """The power goes in the n-th operation from now; `torn` leaves that one half done."""
        with self.state.open("r+b") as file:
            file.write(_CUT.pack(self.operations + operations, torn))

    @property
    def interrupt(self) -> bool:
        """Ctrl-C came, and the pin has not taken it yet (only one on the simulator's bus looks here)."""
        return self._words()[5] != 0

    @interrupt.setter
    def interrupt(self, waits: bool) -> None:
        with self.state.open("r+b") as file:
            file.seek(_CTRL_C_AT)
            file.write(struct.pack("<I", waits))

    def _words(self) -> tuple[int, ...]:
        return _STATE.unpack(self.state.read_bytes())


def read_log(path: Path) -> list[Operation]:
    """All operations of a pin that was made with a log."""
    data, at = path.read_bytes(), 0
    found = []
    while at < len(data):
        block, offset, n = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if n == ERASE_MARK:
            found.append(Operation(block * BLOCK_BYTES, None))
        else:
            found.append(Operation(block * BLOCK_BYTES + offset, data[at : at + n]))
            at += n
    return found
