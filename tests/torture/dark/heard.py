"""What a process did to the files of one folder, by what strace wrote of its system calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.torture.dark.disk import File, Folder, Resize, Write

# What is understood below, and what nobody makes use of here: whoever begins to will be told.
CALLS = (
    "openat", "open", "creat", "write", "pwrite64", "lseek", "ftruncate", "rename", "renameat", "renameat2",
    "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "fsync", "fdatasync",
    "writev", "pwritev", "pwritev2", "truncate", "fallocate", "link", "linkat", "symlink", "symlinkat",
    "copy_file_range", "sendfile", "sync_file_range",
)  # fmt: skip
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+|\?)", re.DOTALL)
_HANDLE = re.compile(r"(\d+)<([^>]*)>")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')
_NAMED = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
_SYNCS = ("fsync", "fdatasync")


class NotUnderstood(ValueError):
    """A call that this has no model of, or that does not fit what went before."""


@dataclass(frozen=True)
class Line:
    """One call of a thread as strace writes it, without the thread. begun: it has not come back yet."""

    thread: int
    text: str
    begun: bool = False


@dataclass
class _Open:
    """An open file or folder: `at` is where the next write goes, None for the end."""

    node: File | Folder
    at: int | None = 0


class Heard:
    """The folder at `root` as its calls made it; what lay there before, and what else is done there, it does not know.

    `left_out` are names in `root` that are no matter here.
    """

    def __init__(self, root: str, left_out: tuple[str, ...] = ()) -> None:
        self.root = Folder()
        # What was begun and has not come back may be done or not.
        self.doubtful: set[str] = set()
        self._prefix = f"{root}/"
        self._top = root
        self._left_out = left_out
        self._handles: dict[int, _Open] = {}
        self._marks: dict[int, tuple[File | Folder, int]] = {}
        self._under_way: dict[int, str] = {}

    def hear(self, lines: list[Line], unsynced: int = 0) -> None:
        """All of it, in its order. unsynced: a thread whose last sync has not come to its end. Raises NotUnderstood."""
        last = max((i for i, line in enumerate(lines) if line.thread == unsynced and _is_sync(line)), default=-1)
        for i, line in enumerate(lines):
            if i == last:
                continue
            if line.begun:
                self._begin(line)
            else:
                self._end(line)
        for text in self._under_way.values():
            self._doubt(text)

    def _begin(self, line: Line) -> None:
        self._under_way[line.thread] = line.text
        found = _HANDLE.search(line.text)
        if line.text.startswith(_SYNCS) and found and int(found[1]) in self._handles:
            node = self._handles[int(found[1])].node
            self._marks[line.thread] = node, node.mark

    def _end(self, line: Line) -> None:
        self._under_way.pop(line.thread, None)
        mark = self._marks.pop(line.thread, None)
        found = _CALL.match(line.text)
        if not found:
            raise NotUnderstood(f"no call: {line.text[:200]}")
        name, arguments, result = found[1], found[2], found[3]
        if result == "?":
            # Killed in the middle of it.
            self._doubt(arguments)
        if result == "?" or int(result) < 0:
            return
        if name in _SYNCS:
            handle = _HANDLE.match(arguments)
            opened = self._of(handle) if handle else None
            if opened:
                opened.node.sync(mark[1] if mark and mark[0] is opened.node else opened.node.mark)
            return
        does = _DOES.get(name)
        if does:
            does(self, arguments, int(result))
        elif any(self._inside(path) for path in _touched(arguments)) and name != "sync_file_range":
            raise NotUnderstood(f"there is no model of {name}: {line.text[:200]}")

    def _doubt(self, arguments: str) -> None:
        self.doubtful |= {inside for path in _touched(arguments) if (inside := self._inside(path))}

    # paths

    def _inside(self, path: str) -> str | None:
        """The path from the root on, "" for the root itself; None for what is elsewhere or left out."""
        if path == self._top:
            return ""
        inside = path.removeprefix(self._prefix)
        if inside == path or inside.split("/")[0] in self._left_out:
            return None
        return inside

    def _folder_of(self, inside: str) -> tuple[Folder, str]:
        *above, name = PurePosixPath(inside).parts
        folder = self.root
        for each in above:
            node = folder.now.get(each)
            if not isinstance(node, Folder):
                raise NotUnderstood(f"nobody has made the folder of {inside}")
            folder = node
        return folder, name

    def _of(self, handle: re.Match[str]) -> _Open | None:
        path = handle[2]
        if self._inside(path) is None or int(handle[1]) not in self._handles:
            return None
        return self._handles[int(handle[1])]

    def _file(self, arguments: str) -> _Open | None:
        handle = _HANDLE.match(arguments)
        return self._of(handle) if handle else None

    # calls

    def _openat(self, arguments: str, result: int) -> None:
        inside = self._inside(_paths(arguments)[0])
        self._handles.pop(result, None)
        if inside is None:
            return
        if inside == "":
            self._handles[result] = _Open(self.root)
            return
        folder, name = self._folder_of(inside)
        node = folder.now.get(name)
        if node is None:
            if "O_CREAT" not in arguments:
                # Somebody else put it there.
                return
            node = File()
            folder.do((name, node))
        if isinstance(node, File) and "O_TRUNC" in arguments:
            node.do(Resize(0))
        self._handles[result] = _Open(node, None if "O_APPEND" in arguments else 0)

    def _write(self, arguments: str, result: int) -> None:
        opened = self._file(arguments)
        if opened and isinstance(opened.node, File):
            at = len(opened.node.now) if opened.at is None else opened.at
            opened.node.do(Write(at, self._written(arguments, result)))
            if opened.at is not None:
                opened.at += result

    def _pwrite(self, arguments: str, result: int) -> None:
        opened = self._file(arguments)
        if opened and isinstance(opened.node, File):
            opened.node.do(Write(int(arguments.rsplit(", ", 1)[1]), self._written(arguments, result)))

    def _written(self, arguments: str, result: int) -> bytes:
        data = _data(arguments)
        if result < len(data):
            # Of a thread that was killed in the middle of it, strace may tell any number.
            self._doubt(arguments)
        return data[:result]

    def _lseek(self, arguments: str, result: int) -> None:
        opened = self._file(arguments)
        if opened and opened.at is not None:
            opened.at = result

    def _ftruncate(self, arguments: str, result: int) -> None:
        opened = self._file(arguments)
        if opened and isinstance(opened.node, File):
            opened.node.do(Resize(int(arguments.rsplit(", ", 1)[1])))

    def _rename(self, arguments: str, result: int) -> None:
        old, new = (self._inside(path) for path in _paths(arguments))
        if old is None and new is None:
            return
        if not old or not new:
            raise NotUnderstood(f"renamed into or out of the folder: {arguments}")
        source, name = self._folder_of(old)
        target, new_name = self._folder_of(new)
        node = source.now.get(name)
        if node is None:
            raise NotUnderstood(f"renamed, and nobody has made it: {old}")
        if source is target:
            source.do((new_name, node), (name, None))
        else:
            target.do((new_name, node))
            source.do((name, None))

    def _unlink(self, arguments: str, result: int) -> None:
        inside = self._inside(_paths(arguments)[0])
        if inside:
            folder, name = self._folder_of(inside)
            folder.do((name, None))

    def _mkdir(self, arguments: str, result: int) -> None:
        inside = self._inside(_paths(arguments)[0])
        if inside:
            folder, name = self._folder_of(inside)
            folder.do((name, Folder()))


_DOES: dict[str, Callable[[Heard, str, int], None]] = {
    "openat": Heard._openat, "open": Heard._openat, "creat": Heard._openat, "write": Heard._write,
    "pwrite64": Heard._pwrite, "lseek": Heard._lseek, "ftruncate": Heard._ftruncate, "rename": Heard._rename,
    "renameat": Heard._rename, "renameat2": Heard._rename, "unlink": Heard._unlink, "unlinkat": Heard._unlink,
    "rmdir": Heard._unlink, "mkdir": Heard._mkdir, "mkdirat": Heard._mkdir,
}  # fmt: skip


def _is_sync(line: Line) -> bool:
    return not line.begun and line.text.startswith(_SYNCS)


def _paths(arguments: str) -> list[str]:
    """The paths that a call names, in its order; an open folder is where they begin."""
    found = []
    for named in _NAMED.finditer(arguments):
        path = _unescaped(named[2]).decode(errors="surrogateescape")
        found.append(path if path.startswith("/") or not named[1] else f"{named[1]}/{path}")
    return found


def _touched(arguments: str) -> list[str]:
    """Everything in it that may be a path: of an open file, or named."""
    return [handle[2] for handle in _HANDLE.finditer(arguments)] + _paths(arguments)


def _data(arguments: str) -> bytes:
    found = _STRING.search(arguments)
    if not found or found[2]:
        raise NotUnderstood(f"a write that is not told whole: {arguments[:200]}")
    return _unescaped(found[1])


def _unescaped(text: str) -> bytes:
    if text.startswith("\\x"):
        return bytes.fromhex(text.replace("\\x", ""))
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")
