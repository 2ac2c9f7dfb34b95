"""The state folder: who owns it (a lock), which history it belongs to (the epoch), what lies where."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from pathlib import Path

from lapel_companion import durable, socket_path

_EPOCH = re.compile(r"[0-9a-f]{16}")


class StateError(Exception):
    """The folder cannot be used; the text is a sentence for a person."""


class StateInUse(StateError):
    """Another daemon owns the folder."""


def default_folder() -> Path:
    """Where the platform keeps a user's state for Lapel."""
    from platformdirs import user_state_path

    return user_state_path("lapel")


class StateFolder:
    """An opened, locked state folder. `close()` gives it back."""

    def __init__(self, path: Path, lock: int, epoch: str) -> None:
        self.path = path
        self.epoch = epoch
        self._lock = lock

    @classmethod
    def open(cls, path: Path) -> StateFolder:
        """Create the folder if need be, see that only we can enter it (0700), and lock it.

        Raises StateInUse, StateError.
        """
        try:
            path = path.expanduser().absolute()
            new = [path / name for name in ("clips", "blobs") if not (path / name).is_dir()]
            for folder in new:
                durable.make_folder(folder, "state")
            socket_path.make_private(path)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except socket_path.SocketPathError as error:
            raise StateError(str(error)) from error
        except OSError as error:
            raise StateError(
                f"the state folder {path} cannot be used: {error.strerror}; name another one with --state."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(lock, 32, 0).decode("ascii", "replace").strip()
            os.close(lock)
            who = f"the process {owner}" if owner.isdigit() else "another process"
            raise StateInUse(
                f"{who} already runs Lapel on {path}: use that one (lapel status), stop it, or name another"
                " folder with --state."
            ) from error
        try:
            # In this order it needs no new block of a disk that is full.
            os.ftruncate(lock, os.pwrite(lock, f"{os.getpid()}\n".encode(), 0))
            # A write that was cut off never got its name.
            for half in path.rglob(".*.tmp"):
                durable.remove(half, "litter")
            epoch = _read_epoch(path / "epoch") or _new_epoch(path / "epoch")
        except OSError as error:
            os.close(lock)
            raise StateError(f"the state folder {path} cannot be written: {error.strerror}.") from error
        return cls(path, lock, epoch)

    @property
    def events_path(self) -> Path:
        return self.path / "events.db"

    @property
    def clips_dir(self) -> Path:
        return self.path / "clips"

    @property
    def blobs_dir(self) -> Path:
        return self.path / "blobs"

    def new_epoch(self) -> str:
        """Begin another history (this one was restored from a backup). Durable. Raises OSError."""
        self.epoch = _new_epoch(self.path / "epoch")
        return self.epoch

    def close(self) -> None:
        """Unlock the folder. May be called twice."""
        if self._lock >= 0:
            # A program that is being started has the file open, too, and would keep the lock for a moment.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)
            self._lock = -1


def _read_epoch(path: Path) -> str | None:
    try:
        text = path.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    # A damaged epoch is a lost one: a new history begins, which the pin treats as such.
    return text if _EPOCH.fullmatch(text) else None


def _new_epoch(path: Path) -> str:
    epoch = secrets.token_hex(8)
    durable.write_atomic(path, f"{epoch}\n".encode(), "epoch")
    return epoch
