"""The USB socket of the simulated pin: a pseudo terminal behind a path that stays the same.

Like the chip's USB it holds the host back when the pin does not read, and drops what nobody takes.
"""

from __future__ import annotations

import errno
import os
import time
import tty
from dataclasses import dataclass
from pathlib import Path

# How long the pin waits for a host that does not read, and how much waits meanwhile.
PATIENCE_S = 0.2
BACKLOG_BYTES = 1 << 16


@dataclass(frozen=True)
class Manners:
    """How the wire behaves. `chunk_bytes` at most reach the pin each `chunk_s`; `greeting` comes at power-on (a
    ROM loader's words, or noise); after a reset the port is away for `away_s` (None: it stays)."""

    chunk_bytes: int = 260
    chunk_s: float = 0.0
    greeting: bytes = b""
    away_s: float | None = None


class Socket:
    """`path` is there while plugged in. Not thread-safe: its owner locks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master = -1
        self._slave = -1
        self._backlog = b""
        self._moved_at = 0.0
        self._listened_to = True
        self.dropped_bytes = 0

    @property
    def plugged(self) -> bool:
        """There is a port."""
        return self._master >= 0

    @property
    def fd(self) -> int:
        """To wait for, when plugged in."""
        return self._master

    @property
    def waiting(self) -> bool:
        """Something is still to be taken by the host."""
        return bool(self._backlog)

    def plug(self) -> None:
        """The port appears."""
        if self.plugged:
            return
        self._master, self._slave = os.openpty()
        # held open, so that it stays raw whoever comes and goes
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.path)
        self._listened_to = True

    def unplug(self) -> None:
        """The port disappears under whoever uses it."""
        if not self.plugged:
            return
        self.path.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
        self._backlog = b""

    def read(self, n: int) -> bytes:
        """What the host sent, at most n bytes; may be none."""
        try:
            return os.read(self._master, n)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:
                return b""
            raise

    def write(self, data: bytes) -> None:
        """For the host; dropped when unplugged or when nobody has listened for a while."""
        if not self.plugged:
            self.dropped_bytes += len(data)
            return
        if not self._backlog:
            self._moved_at = time.monotonic()
        self._backlog += data
        self.push()

    def push(self) -> None:
        """Hand over what waits, as far as there is room."""
        try:
            n = os.write(self._master, self._backlog) if self._backlog else 0
        except BlockingIOError:
            n = 0
        self._backlog = self._backlog[n:]
        now = time.monotonic()
        if n:
            self._moved_at = now
            self._listened_to = True
        elif self._backlog and (not self._listened_to or now - self._moved_at > PATIENCE_S):
            self.dropped_bytes += len(self._backlog)
            self._backlog = b""
            self._listened_to = False
