"""Clips, logs and other large things behind put, open and delete by id."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
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

    def put(self, source: bytes | Path, suffix: str = "") -> str:
        """Store bytes, or a file (moved in), durably; its id. `suffix` is like ".log". Raises OSError."""
        blob_id = secrets.token_hex(10) + suffix
        target = self._target(blob_id)
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.sync_dir(self._folder)
        if isinstance(source, bytes):
            durable.write_atomic(target, source)
        else:
            self._take(source, target)
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

    def delete(self, blob_id: str) -> None:
        """Remove a blob; one that is gone already is no error."""
        durable.remove(self._target(blob_id))

    def _target(self, blob_id: str) -> Path:
        if not _ID.fullmatch(blob_id):
            raise NoSuchBlob(blob_id)
        return self._folder / blob_id[:2] / blob_id

    def _take(self, source: Path, target: Path) -> None:
        handle = os.open(source, os.O_RDONLY)
        try:
            durable.sync_file(handle)
        finally:
            os.close(handle)
        try:
            durable.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy(source, target)

    def _copy(self, source: Path, target: Path) -> None:
        temporary = target.with_name(f".{target.name}.tmp")
        try:
            with source.open("rb") as given, temporary.open("xb") as taken:
                shutil.copyfileobj(given, taken)
                taken.flush()
                durable.sync_file(taken.fileno())
            durable.rename(temporary, target)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        durable.remove(source)
