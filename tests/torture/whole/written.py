"""Whether all that a run wrote is durable at its end, by its own system calls.

kill -9 cannot tell: what was not synced survives it in the kernel's memory, as it would not survive a power cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

CALLS = ("openat", "write", "pwrite64", "writev", "ftruncate", "rename", "renameat", "renameat2", "unlink", "unlinkat",
         "fsync", "fdatasync", "sync_file_range")  # fmt: skip
# DBOS's journal is not synced at each commit on purpose (dbos_database.py); the others are of this life alone.
_EXEMPT = re.compile(r"(^|/)(dbos\.sqlite[^/]*|[^/]*-shm|[^/]*-journal|lock|api\.sock|api\.path|simulated-pin(/.*)?)$")
_LINE = re.compile(r"^\d+\s+(\w+)\((.*)")
_HANDLE = re.compile(r"^\w+<(/[^>]*)>")
_NAME = re.compile(r'"(/[^"]*)"')


# What a run syncs, or something is wrong with the watch: the table of events, clips and their names, notes.
_MUST = re.compile(r"/(events\.db-wal|[^/]+\.part|clips|notes\.md)$")
_KINDS = 4


class Written:
    """Takes strace's lines (-f -y) in order; `left()` is what they leave behind. Only paths below `folder` count."""

    def __init__(self, folder: str) -> None:
        self._folder = folder.rstrip("/") + "/"
        self._dirty: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._known: set[str] = set()
        self._synced: set[str] = set()
        self.wrong: list[str] = []

    def feed(self, lines: Iterable[str]) -> None:
        """The next lines."""
        for line in lines:
            found = _LINE.match(line)
            # What failed, or was resumed elsewhere, changed nothing here.
            if found and "= -1" not in line:
                self._call(found[1], found[2])

    def left(self) -> list[str]:
        """A sentence on each thing that a power cut would take now, and on each that came in the wrong order."""
        files = [f"{path} was written ({call}) and not synced" for path, call in self._dirty.items()]
        folders = [f"{name} got its name and {folder} was not synced" for folder, name in self._names.items()]
        return [*self.wrong, *files, *folders]

    def never(self) -> list[str]:
        """A sentence when something that every run must sync was never synced."""
        kinds = {found[1].rpartition(".")[2] for path in self._synced if (found := _MUST.search(path))}
        return (
            []
            if len(kinds) == _KINDS
            else [f"of events, clips, their folder and notes only {sorted(kinds)} was synced"]
        )

    def _call(self, name: str, rest: str) -> None:
        handle = _HANDLE.match(rest)
        path = handle[1] if handle else ""
        named = [each for each in _NAME.findall(rest) if each.startswith(self._folder)]
        if name in ("fsync", "fdatasync"):
            self._synced.add(path)
            self._dirty.pop(path, None)
            self._names.pop(path, None)
        elif name in ("write", "pwrite64", "writev", "ftruncate"):
            if self._ours(path):
                self._dirty[path] = name
        elif name.startswith("rename") and len(named) == 2:
            if named[0] in self._dirty:
                self.wrong.append(f"{named[1]} got its name before its bytes were synced")
                self._dirty[named[1]] = self._dirty.pop(named[0])
            self._new(named[1])
        elif name.startswith("unlink") and named:
            self._dirty.pop(named[0], None)
            self._known.discard(named[0])
            self._names = {folder: new for folder, new in self._names.items() if new != named[0]}
        elif name == "openat" and "O_CREAT" in rest and named and named[0] not in self._known:
            self._new(named[0])

    def _new(self, path: str) -> None:
        if self._ours(path):
            self._known.add(path)
            self._names[str(PurePosixPath(path).parent)] = path

    def _ours(self, path: str) -> bool:
        return path.startswith(self._folder) and not _EXEMPT.search(path[len(self._folder) :])
