"""Ctrl-C for an interpreter that must not be hit just anywhere.

A chip looks for Ctrl-C between two bytecodes. MicroPython's unix port raises KeyboardInterrupt out of its signal
handler (ports/unix/unix_mphal.c, MICROPY_ASYNC_KBD_INTR): in the middle of an allocation the heap stays locked for
ever, in the middle of a block operation the file system is torn. So the process is hit while it waits for time or
input, as it does all the time; only one that computes on and on is hit where it is.
"""

from __future__ import annotations

import os
import platform
import signal
from pathlib import Path

# Linux's numbers of what waits for time or for events, and of read.
_WAITS = {
    "x86_64": {7, 23, 35, 230, 270, 271},
    "aarch64": {72, 73, 101, 115},
}
_READ = {"x86_64": 0, "aarch64": 63}
# Who computes so long without waiting does it on purpose.
BUSY_S = 0.2


def computed_s(pid: int) -> float | None:
    """How long the process has had a processor; None where that is not told."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError):
        return None


def interrupt(pid: int, *, anyway: bool = False) -> bool:
    """SIGINT to this child of ours if it waits, or `anyway`; whether it was sent. A child that has ended, too."""
    if anyway or _waits(pid) is None:
        os.kill(pid, signal.SIGINT)
        return True
    if not _waits(pid):
        return False
    # Between a look and a blow it might begin to compute.
    os.kill(pid, signal.SIGSTOP)
    try:
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        it_waits = _waits(pid) is not False
        if it_waits:
            os.kill(pid, signal.SIGINT)
    finally:
        os.kill(pid, signal.SIGCONT)
    return it_waits


def _waits(pid: int) -> bool | None:
    """None where nobody can tell."""
    waits = _WAITS.get(platform.machine())
    try:
        words = Path(f"/proc/{pid}/syscall").read_text().split()
        if waits is None or not words:
            return None
        # "running", or -1 when it computes
        if not words[0].isdigit():
            return False
        if int(words[0]) != _READ[platform.machine()]:
            return int(words[0]) in waits
        return os.readlink(f"/proc/{pid}/fd/{int(words[1], 16)}").startswith("pipe:")
    except OSError:
        return None
