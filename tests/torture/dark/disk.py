"""A disk as a power cut may leave it: what was synced is certain, all else may be there or not.

Files and folders are two things. A file's bytes and size are certain as of its own last sync; a name is certain as of
the last sync of the folder that it stands in. Nothing is taken for granted that only some file systems add.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

PAGE = 4096


@dataclass(frozen=True)
class Write:
    """Bytes from `at` on."""

    at: int
    data: bytes

    def put(self, into: bytearray) -> None:
        if len(into) < self.at:
            into.extend(bytes(self.at - len(into)))
        into[self.at : self.at + len(self.data)] = self.data

    def pages(self) -> Iterator[Write]:
        """The same, cut where pages of the file end."""
        begin = self.at
        while begin < self.at + len(self.data):
            end = min((begin // PAGE + 1) * PAGE, self.at + len(self.data))
            yield Write(begin, self.data[begin - self.at : end - self.at])
            begin = end


@dataclass(frozen=True)
class Resize:
    """The file is so long from now on; what is new is zeros."""

    size: int

    def put(self, into: bytearray) -> None:
        del into[self.size :]
        into.extend(bytes(self.size - len(into)))


class File:
    """One file, whatever its names are. `now` is what every process sees."""

    def __init__(self) -> None:
        self.now = bytearray()
        self.synced = b""
        self.waiting: list[Write | Resize] = []
        self._gone = 0

    def do(self, change: Write | Resize) -> None:
        """A change that is not synced."""
        change.put(self.now)
        self.waiting.append(change)

    @property
    def mark(self) -> int:
        """What a sync that begins now will have covered."""
        return self._gone + len(self.waiting)

    def sync(self, mark: int) -> None:
        """What was done until that mark is on the disk."""
        count = max(0, mark - self._gone)
        disk = bytearray(self.synced)
        for change in self.waiting[:count]:
            change.put(disk)
        self.synced = bytes(disk)
        del self.waiting[:count]
        self._gone += count


@dataclass(frozen=True)
class Renamed:
    """Names that change together: each stands for that from now on, or for nothing."""

    names: tuple[tuple[str, File | Folder | None], ...]

    def put(self, into: dict[str, File | Folder]) -> None:
        for name, node in self.names:
            if node is None:
                into.pop(name, None)
            else:
                into[name] = node


class Folder:
    """Names, and what they stand for."""

    def __init__(self) -> None:
        self.now: dict[str, File | Folder] = {}
        self.synced: dict[str, File | Folder] = {}
        self.waiting: list[Renamed] = []
        self._gone = 0

    def do(self, *names: tuple[str, File | Folder | None]) -> None:
        """A change of names that is not synced."""
        change = Renamed(names)
        change.put(self.now)
        self.waiting.append(change)

    @property
    def mark(self) -> int:
        """What a sync that begins now will have covered."""
        return self._gone + len(self.waiting)

    def sync(self, mark: int) -> None:
        """The names as they were at that mark are on the disk."""
        count = max(0, mark - self._gone)
        for change in self.waiting[:count]:
            change.put(self.synced)
        del self.waiting[:count]
        self._gone += count


class Choice(Protocol):
    """What is left of a file and of a folder."""

    def bytes_of(self, file: File) -> bytes: ...

    def names_of(self, folder: Folder) -> Mapping[str, File | Folder]: ...


class Everything:
    """What a process sees, and what is left after a kill."""

    def bytes_of(self, file: File) -> bytes:
        return bytes(file.now)

    def names_of(self, folder: Folder) -> Mapping[str, File | Folder]:
        return folder.now


class Stingy:
    """Only what was synced."""

    def bytes_of(self, file: File) -> bytes:
        return file.synced

    def names_of(self, folder: Folder) -> Mapping[str, File | Folder]:
        return folder.synced


@dataclass
class Drawn:
    """Each page of each write, each change of a size and each change of names is there or not, for itself.

    A page that is there makes the file long enough for it; a size may also have grown over pages that are not there,
    which then are zeros.
    """

    chance: random.Random
    # A file has one content, under however many names.
    _made: dict[int, bytes] = field(default_factory=dict)

    def bytes_of(self, file: File) -> bytes:
        if id(file) not in self._made:
            disk = bytearray(file.synced)
            for change in file.waiting:
                if isinstance(change, Resize):
                    if self._there():
                        change.put(disk)
                    continue
                for page in change.pages():
                    if self._there():
                        page.put(disk)
                    elif len(disk) < page.at + len(page.data) and self._there():
                        Resize(page.at + len(page.data)).put(disk)
            self._made[id(file)] = bytes(disk)
        return self._made[id(file)]

    def names_of(self, folder: Folder) -> Mapping[str, File | Folder]:
        names = dict(folder.synced)
        for change in folder.waiting:
            if self._there():
                change.put(names)
        return names

    def _there(self) -> bool:
        return self.chance.random() < 0.5


def image(folder: Folder, choice: Choice, above: str = "") -> dict[str, bytes | None]:
    """{path: bytes of a file, None for a folder}, folders before what is in them."""
    found: dict[str, bytes | None] = {}
    for name, node in choice.names_of(folder).items():
        path = f"{above}{name}"
        if isinstance(node, File):
            found[path] = choice.bytes_of(node)
        else:
            found[path] = None
            found |= image(node, choice, f"{path}/")
    return found
