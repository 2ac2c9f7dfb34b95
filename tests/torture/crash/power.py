"""What a power cut leaves of the daemon's files: names as of the last sync of their folder, bytes as of their own.

The kernel keeps what was written when a process is killed, and so kill -9 never tells that a sync is missing. Here the
daemon's `os.fsync` is watched, and in the end the folders are brought to what was synced, and nothing more. SQLite's
files stay as they are: its syncs are its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from pathlib import Path
from typing import Any

_SQLITE = ("events.db", "dbos.sqlite")
_KEPT = ("lock", "api.sock", "api.path")


class Disk:
    """Of the folders `names` in `top`; what lies there at first is durable. The caller locks."""

    def __init__(self, top: Path, names: tuple[str, ...]) -> None:
        self._top = top
        self._names = names
        self._bytes: dict[int, bytes] = {}
        self._folders: dict[Path, dict[str, int]] = {}
        self._list(top)
        for name in names:
            for path in [top / name, *(top / name).rglob("*")] if (top / name).exists() else []:
                if path.is_dir():
                    self._list(path)
                elif path.is_file():
                    self._bytes[path.stat().st_ino] = path.read_bytes()

    def watch(self, lock: Any) -> None:
        """Learn of every sync of this process from now on."""
        really_sync, really_open = os.fsync, os.open

        def fsync(handle: int) -> None:
            with lock:
                really_sync(handle)
                self._synced(handle)

        def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
            handle = really_open(path, flags, *more, **named)
            if flags & os.O_CREAT and not os.fstat(handle).st_size:
                # Another file may have had its number before.
                self._bytes.pop(os.fstat(handle).st_ino, None)
            return handle

        os.fsync, os.open = fsync, opened  # type: ignore[assignment]

    def cut(self) -> None:
        """Leave what is durable, and nothing else."""
        for name in self._names:
            self._leave(self._top / name, self._folders[self._top].get(name))

    def _synced(self, handle: int) -> None:
        found, path = os.fstat(handle), Path(f"/proc/self/fd/{handle}")
        if stat.S_ISDIR(found.st_mode):
            self._list(path.readlink())
        else:
            # It may be open for writing only.
            self._bytes[found.st_ino] = path.read_bytes()

    def _list(self, folder: Path) -> None:
        if folder == self._top or self._top in folder.parents:
            self._folders[folder] = {entry.name: entry.inode() for entry in os.scandir(folder)}

    def _leave(self, path: Path, number: int | None) -> None:
        if number is None:
            shutil.rmtree(path, ignore_errors=True)
            return
        path.mkdir(exist_ok=True)
        # A folder that was never synced is durable itself, and none of its names is.
        names = self._folders.get(path, {})
        for entry in [*path.iterdir(), *(path / name for name in names)]:
            if entry.name.startswith(_SQLITE) or entry.name in _KEPT:
                continue
            if entry.is_dir() or entry in self._folders:
                self._leave(entry, names.get(entry.name))
            elif entry.name in names:
                entry.write_bytes(self._bytes.get(names[entry.name], b""))
            else:
                entry.unlink(missing_ok=True)


def watched(top: Path, names: tuple[str, ...], lock: Any) -> Disk:
    """A disk that follows this process."""
    assert not hasattr(fcntl, "F_FULLFSYNC"), "this way of watching syncs knows Linux only"
    disk = Disk(top, names)
    disk.watch(lock)
    return disk
