"""The first file of a frozen image: mounts what is whole, formats what is blank, changes nothing else."""

import os
import sys

import instead

try:
    import vfs
except ImportError:
    vfs = None

ONLY_MICROPYTHON = (
    "test_a_blank_flash_is_formatted", "test_files_stay", "test_what_does_not_mount_is_not_touched",
    "test_half_a_superblock_is_not_blank", "test_a_flash_that_fails_twice_is_tried_again", "test_no_partition",
)  # fmt: skip
_BLOCK_BYTES = 4096
_BLOCKS = 32
_PLACE = "/frozen_boot"
_FOLDER = "boards/frozen"


class Flash:
    """A block device in memory. `failing` makes so many reads fail."""

    def __init__(self):
        self.data = bytearray(b"\xff" * (_BLOCKS * _BLOCK_BYTES))
        self.failing = 0

    def readblocks(self, block, buf, offset=0):
        if self.failing:
            self.failing -= 1
            raise OSError(5)
        at = block * _BLOCK_BYTES + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * _BLOCK_BYTES + offset
        self.data[at : at + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return _BLOCKS
        if op == 5:
            return _BLOCK_BYTES
        if op == 6:
            self.data[arg * _BLOCK_BYTES : (arg + 1) * _BLOCK_BYTES] = b"\xff" * _BLOCK_BYTES
        return 0


class Partition:
    TYPE_DATA = 1

    @staticmethod
    def find(kind, label):
        return []


class Esp32:
    Partition = Partition


def _boot():
    sys.path.insert(0, _FOLDER)
    try:
        return instead.load("_boot", esp32=Esp32)
    finally:
        sys.path.pop(0)


def _mounted(flash):
    """What mount() says; nothing stays mounted."""
    trouble = _boot().mount(flash, _PLACE)
    names = os.listdir(_PLACE) if trouble is None else None
    if trouble is None:
        vfs.umount(_PLACE)
    return trouble, names


def test_a_blank_flash_is_formatted():
    assert _mounted(Flash()) == (None, [])


def test_files_stay():
    flash = Flash()
    _mounted(flash)
    vfs.mount(vfs.VfsLfs2(flash), _PLACE)
    with open(_PLACE + "/kept", "w") as file:
        file.write("x")
    vfs.umount(_PLACE)
    assert _mounted(flash) == (None, ["kept"])


def test_what_does_not_mount_is_not_touched():
    flash = Flash()
    flash.data[100] = 0
    before = bytes(flash.data)
    trouble, _ = _mounted(flash)
    assert "Nothing on it was changed" in trouble and "make backup" in trouble
    assert flash.data == before


def test_half_a_superblock_is_not_blank():
    flash = Flash()
    flash.data[_BLOCK_BYTES + 8] = 0
    before = bytes(flash.data)
    assert _mounted(flash)[0]
    assert flash.data == before


def test_a_flash_that_fails_twice_is_tried_again():
    flash = Flash()
    _mounted(flash)
    flash.failing = 2
    assert _mounted(flash) == (None, [])
    flash.failing = 1000
    assert "Errno 5" in _mounted(flash)[0] or "EIO" in _mounted(flash)[0]


def test_no_partition():
    trouble, _ = _mounted(None)
    assert "no partition" in trouble
