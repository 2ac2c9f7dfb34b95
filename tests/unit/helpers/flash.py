"""A place for a store: a real LittleFS on the NOR flash under MicroPython, a plain folder on CPython."""

import os

from nor import Nor

try:
    import vfs
except ImportError:
    vfs = None

MOUNT = "/flash"


class Flash:
    """`with Flash() as flash:` gives flash.root, and flash.nor (None on a plain folder)."""

    def __init__(self, blocks=128, image=None, nor=None, **options):
        self.nor = None
        self.root = None
        self._options = options
        if vfs is not None:
            self.nor = nor or Nor(blocks, image)
            if image is None and nor is None:
                vfs.VfsLfs2.mkfs(self.nor, **options)

    def __enter__(self):
        if vfs is None:
            import tempfile

            self.root = tempfile.mkdtemp(prefix="lapel-store-")
        else:
            vfs.mount(vfs.VfsLfs2(self.nor, **self._options), MOUNT)
            self.root = MOUNT
        return self

    def __exit__(self, *_):
        if vfs is None:
            import shutil

            shutil.rmtree(self.root, ignore_errors=True)
        else:
            vfs.umount(MOUNT)

    def remount(self):
        """What a reset does to the file system: what was not synced is gone."""
        if vfs is not None:
            vfs.umount(MOUNT)
            vfs.mount(vfs.VfsLfs2(self.nor, **self._options), MOUNT)


class Random:
    """The same bytes for the same seed, on both Pythons."""

    def __init__(self, seed=1):
        self._state = seed * 2654435761 + 12345 & 0xFFFFFFFF

    def __call__(self, count):
        out = bytearray(count)
        for i in range(count):
            out[i] = self.below(256)
        return bytes(out)

    def below(self, limit):
        """A number from 0 to limit - 1."""
        x = self._state
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self._state = x
        return (x >> 3) % limit


class Trace:
    """Keeps what was traced."""

    def __init__(self):
        self.events = []

    def __call__(self, event, **fields):
        self.events.append((event, fields))

    def names(self):
        """Names of the events so far."""
        return [event for event, _ in self.events]


def exists(path):
    """Whether a file or folder is there."""
    try:
        os.stat(path)
    except OSError:
        return False
    return True


def damage(path, offset, with_bytes=b"\x00\xff"):
    """Overwrites bytes inside a file, as decay of the flash would."""
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(with_bytes)
