"""Logs and other large things behind put and open, by id."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import BinaryIO

from lapel_companion import durable

_ID = re.compile(r"[0-9a-f]{20}(\.[a-z0-9]{1,8})?")


class NoSuchBlob(KeyError):
    """There is no blob of that id."""


class Blobs:
    """Blobs under one folder, in sub-folders by the first two digits of their random ids."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes, suffix: str = "") -> str:
        """Store bytes durably; their id. `suffix` is like ".log". Raises OSError."""
        blob_id = secrets.token_hex(10) + suffix
        target = self._target(blob_id)
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.sync_dir(self._folder, "blobs")
        durable.write_atomic(target, data, "blob")
        return blob_id

    def path(self, blob_id: str) -> Path:
        """Where the blob lies. Raises NoSuchBlob."""
        target = self._target(blob_id)
        if not target.is_file():
            raise NoSuchBlob(blob_id)
        return target

    def open(self, blob_id: str) -> BinaryIO:
        """The blob, opened for reading. Raises NoSuchBlob."""
        return self.path(blob_id).open("rb")

    def get(self, blob_id: str) -> bytes:
        """The whole blob. Raises NoSuchBlob."""
        return self.path(blob_id).read_bytes()

    def _target(self, blob_id: str) -> Path:
        if not _ID.fullmatch(blob_id):
            raise NoSuchBlob(blob_id)
        return self._folder / blob_id[:2] / blob_id
