"""A case in a process of its own: a copy of this one, made in the middle of a run.

What a case would need copied (flash, tasks, the companion, the clock) is copied by the system, exactly, and a case
that hangs or dies takes nothing with it.
"""

import json
import sys

import ffi

# Seconds of a case. Virtual time goes a hundred times faster: such a case hangs.
LIMIT_S = 60

_libc = ffi.open(None)
_fork = _libc.func("i", "fork", "")
_exit = _libc.func("v", "_exit", "i")
_waitpid = _libc.func("i", "waitpid", "ipi")
_alarm = _libc.func("I", "alarm", "I")


def emit(verdict: dict) -> None:
    """One line of JSON for the host's half, whole or not at all."""
    sys.stdout.write(json.dumps(verdict) + "\n")


def branch(case: str, kind: str = "") -> bool:
    """True in a copy of this process, which ends with leave(); False here, once the copy has ended.

    A copy that ends otherwise has its verdict given here.
    """
    child = _fork()
    if child == 0:
        _alarm(LIMIT_S)
        return True
    if child < 0:
        emit({"case": case, "kind": kind, "broken": "no process could be made for it"})
        return False
    status = bytearray(4)
    _waitpid(child, status, 0)
    if status != b"\0\0\0\0":
        reason = "it hangs" if status[0] == 14 else "its process died (status %d, %d)" % (status[1], status[0])
        emit({"case": case, "kind": kind, "broken": reason})
    return False


def leave() -> None:
    """The end of a copy."""
    _exit(0)
