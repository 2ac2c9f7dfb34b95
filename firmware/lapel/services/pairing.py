"""Whose pin this is: the key that it shares with one companion.

`state/key` is a record (core/records.py, kind KEY): u32 generation, little-endian, then the 32 bytes of the key. The
generation grows with each pairing. The key is in no trace, no log and no text of an error.
"""

import struct

from lapel.core import records
from lapel.services import store_files
from lapel_wire import gatt
from lapel_wire.session import prologue
from noise.nnpsk0 import Responder

KEY_BYTES = 32
_FORM = "<I32s"


def save(root: str, generation: int, key) -> None:
    """Pairs the pin whose store is at `root` (a board's flash_dir), durably: after a power cut it has the old key or
    this one. For who pairs it over USB; the app reads it when it starts. Raises ValueError, StoreError."""
    if len(key) != KEY_BYTES:
        raise ValueError("a key has %d bytes, not %d" % (KEY_BYTES, len(key)))
    # A pin that never ran an app has none of the two.
    store_files.make_folder(root)
    store_files.make_folder(root + "/state")
    store_files.save(_path(root), records.KEY, struct.pack(_FORM, generation, bytes(key)))


def load(root: str):
    """(generation, key) of the pin whose store is at `root`, None when it is not paired. Raises BadRecord,
    StoreError."""
    return _parsed(store_files.load(_path(root), records.KEY))


def forget(root: str) -> bool:
    """The pin is not paired any more; False when it was not. Raises StoreError."""
    return store_files.remove(_path(root))


class Pairing:
    """What the running app knows of it, read once. A damaged key is set aside, and the pin is not paired then."""

    def __init__(self, root: str, quarantine) -> None:
        path = _path(root)
        found = None
        try:
            found = _parsed(quarantine.load(path, records.KEY))
        except records.BadRecord as bad:
            quarantine.take(path, str(bad))
        self.generation, self._key = found or (0, None)

    @property
    def is_paired(self) -> bool:
        """Whether there is a companion whose key this pin has."""
        return self._key is not None

    @property
    def info(self) -> bytes:
        """What anybody may read of this pin (gatt.INFO_UUID)."""
        return gatt.INFO if self.is_paired else gatt.UNPAIRED_INFO

    def new_responder(self, suite, ephemeral) -> Responder:
        """For one opening message. Only where the pin is paired."""
        return Responder(suite, self._key, prologue(self.info), ephemeral)


def _path(root: str) -> str:
    return root + "/state/key"


def _parsed(body):
    if body is None:
        return None
    if len(body) != struct.calcsize(_FORM):
        raise records.BadRecord("%d bytes are no key" % len(body))
    return struct.unpack(_FORM, body)
