"""The one seam where things become durable or cannot be taken back.

Files are written, synced, renamed and removed here; commits, messages that promise something, and what is
done to processes pass by here. `what` names what becomes durable; the points before and after each step are
named after it, as in `clip.part.sync.before`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

_observers: list[Callable[[str], None]] = []


def watch(observer: Callable[[str], None]) -> None:
    """Have `observer` called with the name of each point, from whatever thread passes it.

    Only the torture does so: it ends, stops or starves the companion exactly there, and sees that nothing
    is lost. A point before a step may raise what the step could raise. Without an observer a point costs
    a look at an empty list.
    """
    _observers.append(observer)


def reach(point: str) -> None:
    """A moment at which it matters what is durable already."""
    for observer in _observers:
        observer(point)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """The points before and after a step; there is none after one that failed."""
    reach(f"{name}.before")
    yield
    reach(f"{name}.after")


def sync_dir(folder: Path, what: str) -> None:
    """Make the names in a folder durable. Raises OSError."""
    with step(f"{what}.folder"):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            # Some network file systems cannot sync a directory; they have made the name durable by themselves.
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(handle)


def make_folder(folder: Path, what: str) -> None:
    """Make a folder (0700), and those above it, with durable names: what is synced inside must be found again.

    Raises OSError.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        sync_dir(one.parent, what)


def sync_file(handle: int, what: str) -> None:
    """Make the bytes of an open file durable. Raises OSError."""
    with step(f"{what}.sync"):
        # On macOS fsync stops at the drive's cache; not every file system knows the call that goes on.
        full = getattr(fcntl, "F_FULLFSYNC", None)
        if full is not None:
            with contextlib.suppress(OSError):
                fcntl.fcntl(handle, full)
                return
        os.fsync(handle)


def write_atomic(path: Path, data: bytes, what: str, mode: int = 0o600) -> None:
    """Put `data` at `path`, whole or not at all, and durably. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        try:
            write_all(handle, data)
            sync_file(handle, what)
        finally:
            os.close(handle)
        with step(f"{what}.rename"):
            os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_dir(path.parent, what)


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Write every byte; a short write of the system goes on where it stopped. Raises OSError."""
    view = memoryview(data)
    while len(view):
        view = view[os.write(handle, view) :]


def rename(source: Path, target: Path, what: str) -> None:
    """Move a synced file to its durable name. Raises OSError."""
    with step(f"{what}.rename"):
        os.replace(source, target)
    sync_dir(target.parent, what)


def remove(path: Path, what: str) -> None:
    """Remove a file that may be gone already. Raises OSError."""
    with step(f"{what}.remove"), contextlib.suppress(FileNotFoundError):
        os.unlink(path)
