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


class SocketPathError(Exception):
    """There is no safe place for the socket; the text is a sentence."""


def choose(state: Path) -> Path:
    """The daemon's side: a path that a socket can have. Raises SocketPathError, OSError."""
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
    note.write_text(f"{short}\n")
    return short


def find(state: Path) -> Path:
    """A client's side: where the daemon of that state listens, if it runs."""
    with contextlib.suppress(OSError):
        noted = (state / "api.path").read_text().strip()
        if noted:
            return Path(noted)
    return state / "api.sock"


def _private_folder() -> Path:
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"lapel-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Somebody else's folder in a shared place could hold somebody else's socket.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise SocketPathError(
            f"{folder} is not yours alone: remove it, or name a shorter folder with --state."
        )
    return folder
