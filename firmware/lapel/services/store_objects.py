"""Cancels and settings: small objects that must survive until the companion has them, or for good."""

import binascii
import struct

from lapel.compat import const
from lapel.core import records
from lapel.services import store_files
from lapel_wire import messages

PENDING_MAX = 16
_ENTRY_BYTES = const(16)


class Cancels:
    """Cancels that the companion has not confirmed yet, oldest first."""

    def __init__(self, path: str, random, quarantine) -> None:
        self._path = path
        self._random = random
        self._quarantine = quarantine
        self._pending = []

    def mount(self) -> None:
        """Loads what waits."""
        self._pending = self._quarantine.load(self._path, records.CANCELS, _cancels) or []

    def add(self, epoch: str, number: int) -> dict:
        """A durable cancel {id, ep, n} of that clip; the same one when it is asked for again.

        Raises StoreFull when PENDING_MAX are not confirmed.
        """
        for pending in self._pending:
            if pending["ep"] == epoch and pending["n"] == number:
                return pending
        if len(self._pending) >= PENDING_MAX:
            raise store_files.StoreFull("%d cancels are not confirmed yet: no other is taken" % PENDING_MAX)
        identity = struct.unpack("<I", self._random(4))[0]
        cancel = {"id": identity, "ep": epoch, "n": number}
        self._save(self._pending + [cancel])
        return cancel

    def pending(self):
        """[{id, ep, n}, ...] to be sent until confirmed."""
        return list(self._pending)

    def answered(self, identity: int) -> bool:
        """The companion has it; False when nothing of that id waited."""
        left = [cancel for cancel in self._pending if cancel["id"] != identity]
        if len(left) == len(self._pending):
            return False
        self._save(left)
        return True

    def _save(self, pending) -> None:
        data = b""
        for cancel in pending:
            data += struct.pack("<I8sI", cancel["id"], binascii.unhexlify(cancel["ep"]), cancel["n"])
        store_files.save(self._path, records.CANCELS, data)
        self._pending = pending


def _cancels(data):
    if len(data) % _ENTRY_BYTES or len(data) > PENDING_MAX * _ENTRY_BYTES:
        raise records.BadRecord("cancels of %d bytes" % len(data))
    found = []
    for at in range(0, len(data), _ENTRY_BYTES):
        identity, epoch, number = struct.unpack_from("<I8sI", data, at)
        found.append({"id": identity, "ep": binascii.hexlify(epoch).decode(), "n": number})
    return found


class SettingsFile:
    """The settings in force and their id, as the companion sent them; validation is core/settings'."""

    def __init__(self, path: str, quarantine) -> None:
        self._path = path
        self._quarantine = quarantine
        # Id of what is in force, 0 for the defaults.
        self.id = 0
        self._values = {}

    def mount(self) -> None:
        """Reads the file; a broken one is set aside and counts as none: the companion sends them again."""
        found = self._quarantine.load(self._path, records.SETTINGS, _settings) or {"id": 0, "v": {}}
        self.id, self._values = found["id"], found["v"]

    def load(self):
        """(id, values) in force; (0, {}) when there are none."""
        return self.id, dict(self._values)

    def save(self, identity: int, values: dict) -> None:
        """Makes them durable, and then those in force. Raises StoreError."""
        body = messages.write_body(messages.SETTINGS, {"id": identity, "v": values})
        store_files.save(self._path, records.SETTINGS, body)
        self.id, self._values = identity, dict(values)


def _settings(body):
    return messages.read_body(messages.SETTINGS, body)
