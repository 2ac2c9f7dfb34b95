"""What an image with the app frozen starts with: it mounts the flash, in the place of MicroPython's own _boot.py.

That one prints a sentence for ever when a file system does not mount, and main.py is never reached. Here the app
is in the image and needs no file system to start: it finds its store missing, goes into safe mode, and says so on
the LED and over the radio. Nothing is formatted but a flash that is blank: what does not mount today may hold
recordings that nobody has heard: `make backup RAW=1` can still fetch it before `make wipe ALL=1` makes it anew.
"""

import gc
import time

import vfs
from esp32 import Partition

# A supply that sags at power-on makes reads fail for a moment.
_TRIES = 3
_PAUSE_MS = 200
# LittleFS takes caches of four times this: small files lie in the directory then and cost no erase.
_READ_BYTES = 128
# Both hold the superblock.
_FIRST_BLOCKS = 2


def mount(flash, place="/"):
    """Mounts `flash` (a block device; None: there is none) at `place`, formatting it when it is blank.

    None, or a sentence on why it could not be.
    """
    if flash is None:
        return "this image has no partition for files: the flash is smaller than it expects"
    for _ in range(_TRIES):
        try:
            if _is_blank(flash):
                vfs.VfsLfs2.mkfs(flash)
            vfs.mount(vfs.VfsLfs2(flash, readsize=_READ_BYTES), place)
            return None
        except OSError as error:
            trouble = error
            time.sleep_ms(_PAUSE_MS)
    return (
        f"the flash does not mount ({trouble}). Nothing on it was changed. On the computer: "
        "make backup RAW=1 saves what is there, make wipe ALL=1 makes it anew."
    )


def _is_blank(flash):
    block = bytearray(flash.ioctl(5, 0))
    for number in range(_FIRST_BLOCKS):
        flash.readblocks(number, block)
        for value in block:
            if value != 0xFF:
                return False
    return True


def main():
    """The sentence that the console shows, or None."""
    found = Partition.find(Partition.TYPE_DATA, label="vfs")
    trouble = mount(found[0] if found else None)
    if trouble:
        print("Lapel:", trouble)
    gc.collect()
    return trouble


# main.py asks nobody: it finds out by itself. Kept for who sits at the console.
flash_trouble = main()
