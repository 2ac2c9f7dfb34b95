"""Where a simulated pin lives between runs: its flash and its identity, for one simulation at a time."""

from __future__ import annotations

import fcntl
import json
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO

NAME = "simulated-pin"


class Busy(Exception):
    """Another simulation has this state."""


class PinFolder:
    """`state`/simulated-pin, made when absent and locked until `close`. Raises Busy, OSError."""

    def __init__(self, state: Path) -> None:
        self._path = state / NAME
        self._path.mkdir(parents=True, exist_ok=True)
        self._lock: IO[str] = (self._path / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise Busy(f"{state}: another `lapel sim` uses this state") from error

    @property
    def flash(self) -> Path:
        """The flash image."""
        return self._path / "flash.bin"

    def unique_id(self) -> str:
        """The pin's number as 12 hex digits: made once."""
        path = self._path / "identity.json"
        with suppress(OSError, ValueError, KeyError):
            return str(json.loads(path.read_text())["unique_id"])
        unique_id = secrets.token_hex(6)
        path.write_text(json.dumps({"unique_id": unique_id}) + "\n")
        return unique_id

    def close(self) -> None:
        """Let others have it, also while a program is being started, whose child has the file open."""
        if not self._lock.closed:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._lock.close()
