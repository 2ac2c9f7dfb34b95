"""Times erases and programs on blocks of the flash that belong to a scratch file, and to nothing else.

A file is filled with one random number; the blocks that hold nothing else are found by reading the flash, and erased
and programmed past the file system for as long as the file is there. Then it is removed. LittleFS erases a block
before it uses it again (its SPEC.md, "block device"), so it does not matter what they hold then.
"""

import os
import time

from bench import room_for, say

_SCRATCH = "/bringup.tmp"
_BLOCK_BYTES = 4096
_PAGE_BYTES = 128
_PAGES_TIMED = 8
_ERASE = 6
_COUNT = 4
# where a block of a file begins with pointers to earlier ones (LittleFS SPEC.md, "CTZ skip-lists")
_POINTERS_BYTES = 64


async def run(board, blocks, erases):
    """Erases `erases` times in all, spread over `blocks` blocks of 4 kB."""
    flash = board.flash
    if flash is None:
        say("no_partition")
        return
    directory = board.flash_dir
    free = os.statvfs(directory)
    if free[0] * free[3] < 2 * blocks * _BLOCK_BYTES:
        say("full", free_bytes=free[0] * free[3], wanted_bytes=2 * blocks * _BLOCK_BYTES)
        return
    number = os.urandom(4)
    buffer = room_for(_BLOCK_BYTES, _BLOCK_BYTES)
    for at in range(0, _BLOCK_BYTES, 4):
        buffer[at : at + 4] = number
    path = directory + _SCRATCH
    try:
        with open(path, "wb") as file:
            # one more than is wanted: the last is not filled, as others hold pointers too
            for _ in range(blocks + 1):
                file.write(buffer)
        ours = _blocks_of(flash, number, blocks)
        say("blocks", found=len(ours), of=flash.ioctl(_COUNT, 0))
        if ours:
            _measure(flash, ours, erases, buffer)
    finally:
        _remove(path)


def _blocks_of(flash, number, most):
    piece = bytearray(_BLOCK_BYTES - _POINTERS_BYTES)
    tiny = bytearray(16)
    wanted = number * 4
    found = []
    for block in range(flash.ioctl(_COUNT, 0)):
        flash.readblocks(block, tiny, 2048)
        if tiny == wanted:
            flash.readblocks(block, piece, _POINTERS_BYTES)
            if piece == number * (len(piece) // 4):
                found.append(block)
                if len(found) == most:
                    break
    return found


def _measure(flash, ours, erases, buffer):
    view = memoryview(buffer)
    ones = b"\xff" * 256
    check = bytearray(256)
    for i in range(erases):
        block = ours[i % len(ours)]
        begun_us = time.ticks_us()
        flash.ioctl(_ERASE, block)
        erase_us = time.ticks_diff(time.ticks_us(), begun_us)
        wrong = 0
        for at in range(0, _BLOCK_BYTES, 256):
            flash.readblocks(block, check, at)
            wrong += check != ones
        pages = []
        if i < len(ours) * 4:
            for page in range(_PAGES_TIMED):
                at = page * _PAGE_BYTES
                begun_us = time.ticks_us()
                flash.writeblocks(block, view[at : at + _PAGE_BYTES], at)
                pages.append(time.ticks_diff(time.ticks_us(), begun_us))
                flash.readblocks(block, check, at)
                wrong += check[:_PAGE_BYTES] != view[at : at + _PAGE_BYTES]
        say("erase", us=erase_us, program_us=pages, wrong=wrong)


def _remove(path):
    try:
        os.remove(path)
    except OSError:
        # it was never made
        pass
