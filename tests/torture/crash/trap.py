"""What lies in wait at the points of lapel_companion.durable, inside the daemon's process.

Everything that it does goes over the control socket first, one JSON line each; its end is the daemon's.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

# What can be done at a point. `none` and `list` do no harm, `list` names each as it is passed; at `power` the daemon is
# killed, and the harness takes away what its disk would lose; at `bye` it is asked to end.
NONE, LIST, KILL, POWER, STOP, FULL, BROKEN = "none", "list", "kill", "power", "stop", "full", "broken"
BYE = "bye"
ANY_POINT = "*"
# How long a disk stays full.
FULL_S = 0.6

_DISK = (".sync.before", ".folder.before", ".rename.before", ".remove.before")
_SQLITE = {errno.ENOSPC: "database or disk is full", errno.EIO: "disk I/O error"}


@dataclass(frozen=True)
class Fault:
    """`how` at the `occurrence`-th time (from 1) that `point` is reached in one life of the daemon."""

    point: str
    occurrence: int
    how: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def on_disk(point: str) -> bool:
    """A disk that is full or broken can fail here."""
    return point.endswith(_DISK) or (point.startswith(("events.", "engine.")) and point.endswith(".before"))


def can_fail(point: str) -> bool:
    """The step behind this point can fail."""
    return on_disk(point) or point == "job.spawn.before"


class Trap:
    """An observer for durable.watch. Called from any thread."""

    def __init__(self, control: socket.socket, fault: Fault | None) -> None:
        self.control = control
        self._fault = fault
        self._lock = threading.Lock()
        self._reached: Counter[str] = Counter()
        self._full_until_s = 0.0

    def tell(self, **said: Any) -> None:
        """One line to the harness."""
        self.control.sendall(json.dumps(said).encode() + b"\n")

    def __call__(self, point: str) -> None:
        fault = self._fault
        if fault is None:
            return
        with self._lock:
            if fault.how == LIST:
                self.tell(at=point)
                return
            self._reached[point] += 1
            self._reached[ANY_POINT] += 1
            here = fault.point in (point, ANY_POINT) and self._reached[fault.point] == fault.occurrence
            if here:
                self._spring(fault.how, point)
            full = time.monotonic() < self._full_until_s
        if full and can_fail(point):
            raise _failure(point, errno.ENOSPC)
        if here and fault.how == BROKEN:
            raise _failure(point, errno.EIO)

    def _spring(self, how: str, point: str) -> None:
        self.tell(sprung=how, point=point, thread=threading.get_native_id())
        if how in (KILL, POWER):
            os.kill(os.getpid(), signal.SIGKILL)
        elif how == STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif how == BYE:
            os.kill(os.getpid(), signal.SIGTERM)
        elif how == FULL:
            self._full_until_s = time.monotonic() + FULL_S


def _failure(point: str, number: int) -> Exception:
    if point.startswith(("events.", "engine.")):
        return sqlite3.OperationalError(_SQLITE[number])
    if point == "job.spawn.before":
        return OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    return OSError(number, os.strerror(number))
