"""The pin's flash as "/", as the stock image mounts it: for boards that are made for the chip.

The unix port has this computer's disk there, with the modules in it; they are found below HOST from then on.
"""

import os
import sys

import vfs

HOST = "/sim"


def mount(world):
    """What _boot.py and inisetup.py of the port do. Raises OSError for a file system that is damaged: there the
    stock boot prints its sentence for ever."""
    flash = world.flash
    vfs.mount(vfs.VfsPosix("/"), HOST)
    sys.path[:] = [HOST + path if path.startswith("/") else path for path in sys.path]
    vfs.umount("/")
    if mounted(flash, "/"):
        world.trace("formatted", error="the flash was empty")
    os.chdir("/")


def mounted(flash, place, **options):
    """Mounts it, and formats it first when nothing was ever stored on it: True then. Raises OSError for a file
    system that is damaged: what lies there may be recordings."""
    try:
        vfs.mount(vfs.VfsLfs2(flash, **options), place)
        return False
    except OSError as error:
        # The first two are written by a format that may have been cut short.
        block = bytearray(flash.block_bytes)
        for number in range(2, flash.blocks):
            flash.readblocks(number, block)
            if block != b"\xff" * len(block):
                raise OSError("the file system on the flash is damaged (%s): it does not mount" % error)
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash, **options), place)
    return True
