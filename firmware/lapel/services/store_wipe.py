"""Forgetting everything: what the store held is removed, and then every free block is erased.

What is removed stays on flash until its block is erased, so a file of ones is written until nothing is free any
more: the file system erases each block before it gives it to the file. The store keeps everything in folders of
its own; with them go the blocks of their directories, in which small files lie. A mark is made first and removed
last: a pin that loses its power in between goes on with it at its next start.
"""

import os

from lapel.compat import const
from lapel.services import store_files

_FILL = "ones"
_PIECE = b"\xff" * 512
_BLOCK_BYTES = const(4096)
_FOLDER = const(0x4000)
_ENOSPC = const(28)


def begin(root: str) -> None:
    """Makes it durable that everything is to be forgotten. Raises StoreError; then nothing has changed."""
    try:
        with open(_path(root, store_files.FORGET), "wb") as file:
            file.write(b"\n")
    except OSError as error:
        raise store_files.failure(error, "beginning to forget") from None


def wipe(root: str):
    """Forgets all that is under `root`, step by step: a generator of (blocks erased, blocks to erase).

    Some 60 ms a step on the chip, so a minute and a half for 6 MB; feed the watchdog in between. No file may be
    open. When it ends, nothing of it can be read any more. Raises StoreError when the flash fails, or says at the end
    that blocks are worn out and could not be erased; the first time it is not over, and goes on when called again.
    """
    begin(root)
    try:
        for name in os.listdir(root):
            if name != store_files.FORGET:
                for _ in _removed(_path(root, name)):
                    yield 0, 1
        answer = os.statvfs(root)
        total = answer[3] * answer[0] // _BLOCK_BYTES
        done = 0
        for done in _filled(_path(root, _FILL)):
            yield min(done, total), total
        os.remove(_path(root, _FILL))
    except OSError as error:
        raise store_files.failure(error, "forgetting") from None
    store_files.remove(_path(root, store_files.FORGET))
    # Of the last block only a part is counted. One that cannot be written is passed over by the file system.
    if done < total - 1:
        raise store_files.StoreError(
            "%d of %d blocks of flash are worn out and were not erased" % (total - 1 - done, total)
        )


def _filled(path: str):
    # Blocks that the file holds, as it grows until nothing is free. What it held is never committed.
    written = 0
    file = open(path, "wb")
    try:
        while True:
            written += file.write(_PIECE)
            if written % _BLOCK_BYTES == 0:
                yield written // _BLOCK_BYTES
    except OSError as error:
        if error.errno != _ENOSPC:
            raise
    finally:
        file.close()


def _removed(path: str):
    if os.stat(path)[0] & _FOLDER:
        for name in os.listdir(path):
            for _ in _removed(_path(path, name)):
                yield
        os.rmdir(path)
    else:
        os.remove(path)
    yield


def _path(folder: str, name: str) -> str:
    return folder + "/" + name
