"""Where the local API's socket lies: in the state folder, or, where that path is too long for a socket, in a
private folder that the state folder names."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

# macOS takes 104 bytes with the closing zero, Linux 108.
_MAX_BYTES = 100
_FOR_OTHERS = 0o077


class SocketPathError(Exception):
    """There is no safe place for the socket; the text is a sentence."""


def choose(state: Path) -> Path:
    """The daemon's side: a path that a socket can have, where nobody else can enter.

    Raises SocketPathError, OSError.
    """
    make_private(state)
    note, usual = state / "api.path", state / "api.sock"
    if len(os.fsencode(usual)) <= _MAX_BYTES:
        note.unlink(missing_ok=True)
        return usual
    name = hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
    short = _private_folder() / f"{name}.sock"
    if len(os.fsencode(short)) > _MAX_BYTES:
        raise SocketPathError(
            f"the path {usual} is too long for a socket: name a shorter folder with --state."
        )
    note.unlink(missing_ok=True)
    handle = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(os.fsencode(short) + b"\n")
    return short


def find(state: Path) -> Path:
    """A client's side: where the daemon of that state listens, if it runs."""
    with contextlib.suppress(OSError):
        noted = (state / "api.path").read_bytes().strip()
        if noted:
            return Path(os.fsdecode(noted))
    return state / "api.sock"


def make_private(folder: Path) -> None:
    """See to it that only its owner, who must be us, can enter a folder. Raises SocketPathError, OSError."""
    found = folder.stat()
    if found.st_uid != os.getuid():
        raise SocketPathError(f"{folder} belongs to another user: name a folder of your own with --state.")
    if found.st_mode & _FOR_OTHERS:
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)
        if folder.stat().st_mode & _FOR_OTHERS:
            raise SocketPathError(
                f"others can enter {folder}, and its modes cannot be changed: name another folder with --state."
            )


def _private_folder() -> Path:
    shared = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    above = shared.stat()
    # Who may rename our folder could put another one in its place.
    if above.st_uid not in (0, os.getuid()) or (above.st_mode & 0o022 and not above.st_mode & stat.S_ISVTX):
        raise SocketPathError(
            f"others can rename what lies in {shared}: set XDG_RUNTIME_DIR, or name a shorter folder with --state."
        )
    folder = shared / f"lapel-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    # Somebody else's folder in a shared place could hold somebody else's socket.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & _FOR_OTHERS:
        raise SocketPathError(
            f"{folder} is not yours alone: remove it, or name a shorter folder with --state."
        )
    return folder
