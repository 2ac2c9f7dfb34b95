"""Process groups of jobs: who is in one, when each began, and how one is ended.

A process is named by its id and its start time, because ids are used again. Who left the group of its job
(a daemon) is known by a mark in its environment, where the system shows that.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lapel_companion import durable

TERM_GRACE_S = 2.0
KILL_GRACE_S = 5.0
# The variable that marks every process of one attempt.
MARK = "LAPEL_ATTEMPT"
# Ours is of no use to anybody else; a command gets one by its phrase's `env`.
TOKEN_VARIABLE = "LAPEL_TOKEN"
_POLL_S = 0.04
_PROC = Path("/proc")
_PS_LIMIT_S = 10.0


class StillThere(Exception):
    """A process did not end, not even when it was killed."""


@dataclass(frozen=True)
class Process:
    """One living process. `started` names its start and is only good for comparing."""

    pid: int
    pgid: int
    session: int
    started: str


def look(pid: int) -> Process | None:
    """The living process `pid`; None when there is none (a zombie is none). Raises OSError."""
    if _PROC.joinpath("self", "stat").exists():
        return _from_proc(pid)
    found = _from_ps(["-p", str(pid)])
    return found[0] if found else None


def members(pgid: int) -> list[Process]:
    """The living processes of a group. Raises OSError."""
    if not _PROC.joinpath("self", "stat").exists():
        return [process for process in _from_ps(["-ax"]) if process.pgid == pgid]
    found = []
    for entry in os.listdir(_PROC):
        if entry.isdigit():
            process = _from_proc(int(entry))
            if process is not None and process.pgid == pgid:
                found.append(process)
    return found


def signal_group(pgid: int, number: signal.Signals) -> bool:
    """Send a signal to a group; False when it is gone already."""
    try:
        os.killpg(pgid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Somebody else's process, or (macOS) only zombies: who is left is for the caller to see.
        return True
    return True


async def end_group(
    pgid: int, what: str, mark: str = "", *, term_s: float = TERM_GRACE_S, kill_s: float = KILL_GRACE_S
) -> None:
    """Ask a group to end, and who carries the mark; make them end, and wait until nobody is left.

    `what` names the step. Raises StillThere, OSError.
    """
    with durable.step(f"{what}.end"):
        await _end_group(pgid, mark, term_s, kill_s)


async def _end_group(pgid: int, mark: str, term_s: float, kill_s: float) -> None:
    for number, grace_s in ((signal.SIGTERM, term_s), (signal.SIGKILL, kill_s)):
        deadline = asyncio.get_running_loop().time() + grace_s
        again = True
        while asyncio.get_running_loop().time() < deadline:
            # Told once to end; killed as often as somebody new is found.
            left = await asyncio.to_thread(_left, pgid, mark, number if again else None)
            if not left:
                return
            again = number == signal.SIGKILL
            await asyncio.sleep(_POLL_S)
    left = await asyncio.to_thread(_left, pgid, mark, None)
    if left:
        raise StillThere(f"{_named(left)} cannot be ended")


async def end_leftover(attempt: Mapping[str, object]) -> bool:
    """End what is left of an attempt of an earlier run (its `attempt` event's body), and wait for it.

    True when something was left. A group that only has the attempt's number by chance is left alone.
    Raises StillThere, OSError.
    """
    pgid, started, mark = attempt.get("pgid"), attempt.get("started"), attempt.get("mark")
    if not isinstance(pgid, int) or pgid <= 1 or not isinstance(started, str):
        return False
    group = pgid if _is_ours(members(pgid), pgid, started) else 0
    mark = mark if isinstance(mark, str) else ""
    if not await asyncio.to_thread(_left, group, mark, None):
        return False
    await end_group(group, "leftover", mark)
    return True


def marked(mark: str) -> list[Process]:
    """The living processes that carry the mark of an attempt, in whatever group or session they are now.

    Only Linux shows it, and only of processes of ours that kept their environment. Raises OSError.
    """
    if not mark or not _PROC.joinpath("self", "environ").exists():
        return []
    wanted, found = f"{MARK}={mark}".encode(), []
    for entry in os.listdir(_PROC):
        if not entry.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            if wanted in _PROC.joinpath(entry, "environ").read_bytes().split(b"\0"):
                process = _from_proc(int(entry))
                found += [process] if process is not None else []
    return found


def _left(pgid: int, mark: str, number: signal.Signals | None) -> list[Process]:
    """Who is left of a group (0 for none) and of a mark, each sent the signal, if one is given."""
    group = members(pgid) if pgid and _exists(pgid) else []
    left = {process.pid: process for process in marked(mark) + group}
    if number is not None:
        if pgid and any(process.pgid == pgid for process in left.values()):
            signal_group(pgid, number)
        for process in left.values():
            if process.pgid != pgid:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process.pid, number)
        # A stopped process does not hear TERM before it goes on.
        for process in left.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGCONT)
    return list(left.values())


def _exists(pgid: int) -> bool:
    """Whether there may be a group of that number: much cheaper than to look for its members."""
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _named(processes: list[Process]) -> str:
    pids = sorted(process.pid for process in processes)
    return f"the process{'es' if len(pids) > 1 else ''} {', '.join(str(pid) for pid in pids[:5])}"


def _is_ours(group: Iterable[Process], pgid: int, started: str) -> bool:
    living = list(group)
    if not living:
        return False
    for process in living:
        if process.pid == pgid:
            return process.started == started
    # The leader is gone, its children are not: as long as they live, the system gives its number to nobody
    # else. They must still be in the session that it began, and in the same boot.
    boot = started.split("/")[0]
    return all(process.session in (pgid, 0) and process.started.split("/")[0] == boot for process in living)


def _from_proc(pid: int) -> Process | None:
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold anything, also brackets.
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in "ZXx":
        return None
    # Fields 3 (state), 5 (pgrp), 6 (session) and 22 (start in ticks since boot) of proc_pid_stat(5).
    return Process(pid, int(fields[2]), int(fields[3]), f"{_boot_id()}/{fields[19]}")


def _boot_id() -> str:
    return _PROC.joinpath("sys", "kernel", "random", "boot_id").read_text().strip()


def _from_ps(which: list[str]) -> list[Process]:
    """For systems without /proc (macOS): the start has whole seconds there, and the session stays unknown."""
    command = ["ps", *which, "-o", "pid=,pgid=,stat=,lstart="]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    ran = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=_PS_LIMIT_S, check=False
    )
    found = []
    for line in ran.stdout.splitlines():
        pid, pgid, state, *started = line.split()
        if not state.startswith("Z"):
            found.append(Process(int(pid), int(pgid), 0, "/".join(["", *started])))
    return found


def clean_environment(allowed: Iterable[str] = ()) -> dict[str, str]:
    """What a command sees of the companion's environment: where programs, home and zone are, and what its
    owner allows."""
    names = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", *allowed}
    found = {name: os.environ[name] for name in sorted(names) if name in os.environ}
    found.setdefault("PATH", os.defpath)
    found.setdefault("HOME", str(Path.home()))
    return found


def own_environment(*without: str | None) -> dict[str, str]:
    """What a helper process of our own sees: our environment, without what it has no need of."""
    return {name: value for name, value in os.environ.items() if name not in (TOKEN_VARIABLE, *without)}


def gate_command(channel: int, argv: Iterable[str]) -> list[str]:
    """The command line that waits at the gate with the socket `channel`, then becomes `argv`."""
    gate = str(Path(__file__).with_name("gate.py"))
    # Isolated and without site: it starts in 10 ms, and no module of the user's stands in between.
    return [sys.executable, "-I", "-S", gate, str(channel), *argv]
