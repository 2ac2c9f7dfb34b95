"""Pairs a simulated pin that has no power: `micropython -m pair IMAGE STATE BLOCKS FOLDER GENERATION`, the 32 bytes of
the key on stdin. The flash is mounted as a boot mounts it, and the firmware's own code writes the key.

IMAGE and STATE as usb/nor_file.py describes them; FOLDER is the board's flash_dir inside the file system.
"""

import sys

import root
import vfs
from nor_file import NorFile

from lapel.services import pairing

_PLACE = "/flash"
_READ_BYTES = 128


def main(image, state, blocks, folder, generation):
    flash = NorFile(image, state, None, int(blocks), sys.exit)
    flash.blocks = int(blocks)
    root.mounted(flash, _PLACE, readsize=_READ_BYTES)
    pairing.save(_PLACE + folder, int(generation), sys.stdin.buffer.read(pairing.KEY_BYTES))
    vfs.umount(_PLACE)


if __name__ == "__main__":
    main(*sys.argv[1:])
