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
    try:
        vfs.mount(vfs.VfsLfs2(flash), "/")
    except OSError:
        first = bytearray(flash.block_bytes)
        flash.readblocks(0, first)
        if first != b"\xff" * len(first):
            raise OSError("the file system on the flash is damaged; the stock boot says so for ever")
        vfs.VfsLfs2.mkfs(flash)
        vfs.mount(vfs.VfsLfs2(flash), "/")
        world.trace("formatted", error="the flash was empty")
    os.chdir("/")
