"""The one seam where files become durable: written, synced, renamed, and their folder synced."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from pathlib import Path


def sync_dir(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems cannot sync a directory; they have made the name durable by themselves.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(handle)


def sync_file(handle: int) -> None:
    """Make the bytes of an open file durable. Raises OSError."""
    # On macOS fsync stops at the drive's cache; not every file system knows the call that goes on.
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, full)
            return
    os.fsync(handle)


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` at `path`, whole or not at all, and durably. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        try:
            write_all(handle, data)
            sync_file(handle)
        finally:
            os.close(handle)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_dir(path.parent)


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Write every byte; a short write of the system goes on where it stopped. Raises OSError."""
    view = memoryview(data)
    while len(view):
        view = view[os.write(handle, view) :]


def rename(source: Path, target: Path) -> None:
    """Move a synced file to its durable name. Raises OSError."""
    os.replace(source, target)
    sync_dir(target.parent)
    if source.parent != target.parent:
        sync_dir(source.parent)


def remove(path: Path) -> None:
    """Remove a file that may be gone already. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
