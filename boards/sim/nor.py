"""The simulated NOR flash as a block device for LittleFS.

The image belongs to the simulator (tools/simulator/flash.py): it checks the rules of NOR, counts wear, cuts
the power, and says how long each operation takes on the real chip. The interpreter is stopped for that time
here, while microphone and radio run on. Reads take next to no time on the chip and go straight to the image
file.
"""

import os

import utime

import bus

GEOMETRY = 4
PROGRAM = 2
ERASE = 3

_BLOCK_COUNT = 4
_BLOCK_SIZE = 5
_BLOCK_ERASE = 6
_EIO = 5


class NorFlash:
    """A block device with offsets (os.AbstractBlockDev, extended interface). Errors are OSError(EIO)."""

    def __init__(self, link, image):
        self._bus = link
        self._image = image
        n = link.call(bus.FLASH, GEOMETRY)
        if n != 8:
            raise OSError(_EIO)
        self.block_bytes = _u32(link.answer, 0)
        self.blocks = _u32(link.answer, 4)

    def readblocks(self, block, buf, offset=0):
        self._image.seek(block * self.block_bytes + offset)
        self._image.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            offset = 0
            for i in range(len(buf) // self.block_bytes):
                self.ioctl(_BLOCK_ERASE, block + i)
        begun_us = utime.ticks_us()
        n = self._bus.call(bus.FLASH, PROGRAM, buf, 2, block, offset)
        self._wait(begun_us, n)

    def ioctl(self, op, arg):
        if op == _BLOCK_COUNT:
            return self.blocks
        if op == _BLOCK_SIZE:
            return self.block_bytes
        if op == _BLOCK_ERASE:
            begun_us = utime.ticks_us()
            n = self._bus.call(bus.FLASH, ERASE, None, 1, arg)
            self._wait(begun_us, n)
        return 0

    def _wait(self, begun_us, n):
        # answer: status u8, three spare bytes, device time in us (u32)
        answer = self._bus.answer
        if n != 8 or answer[0]:
            raise OSError(_EIO)
        left_us = _u32(answer, 4) - utime.ticks_diff(utime.ticks_us(), begun_us)
        if left_us > 0:
            utime.sleep_us(left_us)


def _u32(data, at):
    return data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24


def open_flash(link):
    """The flash of this board; its image file is named by LAPEL_SIM_FLASH."""
    path = os.getenv("LAPEL_SIM_FLASH")
    if not path:
        raise RuntimeError("boards/sim: LAPEL_SIM_FLASH does not name the flash image")
    return NorFlash(link, open(path, "rb"))
