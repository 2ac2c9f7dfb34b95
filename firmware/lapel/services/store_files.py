"""Small durable files, and the one place where errors of the flash become sentences.

A small record is overwritten in place: LittleFS keeps the old content until the new one is
committed, and a file of at most a quarter of its cache lies in the directory and costs no erase.
"""

import os

from lapel.compat import const
from lapel.core import records

# A file of this name beside the store's folders: they are to be forgotten (services/store_wipe.py).
FORGET = "forget"

_ENOENT = const(2)
_EEXIST = const(17)
_ENOSPC = const(28)


class StoreError(Exception):
    """The flash did not do what was asked; the text says what, and what it means."""


class StoreFull(StoreError):
    """There is no room for this; nothing that was stored is affected."""


def failure(error: OSError, doing: str) -> StoreError:
    """What to raise for an error of the flash while `doing` something."""
    if error.errno == _ENOSPC:
        return StoreFull("flash is full while %s: send or remove waiting clips" % doing)
    return StoreError("flash error %s while %s: the block may be worn out" % (error.errno, doing))


def is_missing(error: OSError) -> bool:
    """Whether the file was simply not there."""
    return error.errno == _ENOENT


def make_folder(path: str) -> None:
    """Makes the folder unless it is there."""
    try:
        os.mkdir(path)
    except OSError as error:
        if error.errno != _EEXIST:
            raise failure(error, "making " + path) from None


def save(path: str, kind: int, body) -> None:
    """Writes one framed record durably: after a power cut the old one or the new one is there."""
    data = records.pack(kind, body)
    try:
        file = open(path, "wb")
        try:
            file.write(data)
            file.flush()
        finally:
            file.close()
    except OSError as error:
        raise failure(error, "writing " + path) from None


def load(path: str, kind: int):
    """The body of the record in `path`, None when it was never written. Raises BadRecord, StoreError."""
    try:
        with open(path, "rb") as file:
            data = file.read(records.FRAME_BYTES + records.BODY_MAX_BYTES + 1)
    except OSError as error:
        if is_missing(error):
            return None
        raise failure(error, "reading " + path) from None
    # Made, and then the power went, or the flash failed, before it had its content.
    return records.unpack(kind, data) if data else None


def remove(path: str) -> bool:
    """Removes the file; False when there was none."""
    try:
        os.remove(path)
    except OSError as error:
        if is_missing(error):
            return False
        raise failure(error, "removing " + path) from None
    return True


def is_forgetting(root: str) -> bool:
    """Whether forgetting began and did not end: nothing under `root` may be used before it has."""
    try:
        os.stat(root + "/" + FORGET)
    except OSError:
        return False
    return True


def size(path: str) -> int:
    """Bytes of the file, -1 when it is not there."""
    try:
        return os.stat(path)[6]
    except OSError as error:
        if is_missing(error):
            return -1
        raise failure(error, "looking at " + path) from None


def numbered(folder: str):
    """Numbers of the files in `folder` that have a decimal number as name, in order."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise failure(error, "listing " + folder) from None
    found = []
    for name in names:
        if name.isdigit():
            found.append(int(name))
    found.sort()
    return found


def name(folder: str, number: int) -> str:
    """Path of file `number`."""
    return "%s/%08d" % (folder, number)
