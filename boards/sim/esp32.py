"""`esp32` as far as boards use it (MicroPython's ESP32 port: esp32_partition.c)."""

import world

_VFS_AT = 0x200000


class Partition:
    """A block device. The only one here is the file system's."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, flash):
        self._flash = flash
        self.readblocks = flash.readblocks
        self.writeblocks = flash.writeblocks
        self.ioctl = flash.ioctl

    @staticmethod
    def find(type=TYPE_APP, subtype=0xFF, label=None, block_size=4096):
        """A list; empty when there is no such partition."""
        flash = world.attached().flash
        if flash is None or type != Partition.TYPE_DATA or label not in (None, "vfs"):
            return []
        return [Partition(flash)]

    def info(self):
        """(type, subtype, address, bytes, label, encrypted)"""
        size = self._flash.ioctl(4, 0) * self._flash.ioctl(5, 0)
        return (self.TYPE_DATA, 0x81, _VFS_AT, size, "vfs", False)
