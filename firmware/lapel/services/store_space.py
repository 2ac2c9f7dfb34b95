"""Free blocks of the flash, counted in RAM: a press must not wait for a walk over the file system."""

import os

from lapel.services import store_files

# For what must never fail because of clips: notices, settings, counters, directories that grow.
RESERVE_BLOCKS = 16
# A clip that is being written may go this far into the reserve: its end record needs a block.
LAST_BLOCKS = 8


class Space:
    """`statvfs(path)` as os.statvfs: block size at 0, blocks at 2, free blocks at 3."""

    def __init__(self, root: str, statvfs=None) -> None:
        self._root = root
        self._statvfs = statvfs or os.statvfs
        self.free_blocks = 0

    def measure(self) -> None:
        """Walks the file system for the truth. Slow: at mount and when idle only. Raises StoreError."""
        try:
            answer = self._statvfs(self._root)
        except OSError as error:
            raise store_files.failure(error, "counting the free blocks") from None
        # A full LittleFS can count some blocks twice: then "free" is a negative number read as a huge one.
        free = answer[3] if answer[3] <= answer[2] else 0
        # Blocks of 4 kB, whatever the file system's own are.
        self.free_blocks = free * answer[0] // 4096

    def fits(self, blocks: int) -> bool:
        """Whether so many blocks may be used by a clip."""
        return self.free_blocks - RESERVE_BLOCKS >= blocks

    def take_one(self) -> bool:
        """One more block for a clip that is being written."""
        if self.free_blocks <= LAST_BLOCKS:
            return False
        self.free_blocks -= 1
        return True

    def give(self, blocks: int) -> None:
        """Blocks that are free again (negative: that were taken)."""
        self.free_blocks += blocks
