"""strace, which kills a process at one of its system calls or lets the call fail, for `make torture`: the system's, or
unpacked from its archive."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from get_tools import debian, wrapper

# Syncs a file of its own and says whether that failed as it was told to.
_TRY = "import os, sys, tempfile\nf = tempfile.TemporaryFile()\ntry: os.fsync(f.fileno())\nexcept OSError: sys.exit(77)"
_WITHOUT = "The cases of `make torture` that cut the companion at its system calls are then shown as not run."


def make(tools: Path) -> None:
    """Writes tools/strace, a wrapper. NotFetched says what to type, or that there is no way."""
    target = tools / "strace"
    if target.exists() and problem([str(target)]) is None:
        target.touch()
        return
    if os.uname().sysname != "Linux":
        raise debian.NotFetched(f"strace is Linux's alone. {_WITHOUT}")
    on_path = shutil.which("strace")
    if on_path:
        why = problem([on_path])
        if why is None:
            wrapper.write(target, [on_path])
            return
        raise debian.NotFetched(
            f"{on_path} does not work here: {why}.\n  It needs ptrace: in a container start that with "
            f"--cap-add=SYS_PTRACE.\n  {_WITHOUT}"
        )
    command = debian.program("strace", tools / "debian" / "strace", 10, f"\n  {_WITHOUT}")
    why = problem(command)
    if why:
        raise debian.NotFetched(f"the strace unpacked in .tools does not work here: {why}.\n  {_WITHOUT}")
    wrapper.write(target, command)
    print("  strace is ready")


def problem(command: list[str]) -> str | None:
    """Why it cannot make a system call fail here; None when it can."""
    tried = [*command, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO"]
    try:
        done = subprocess.run(
            [*tried, sys.executable, "-I", "-S", "-c", _TRY], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 77:
        return None
    said = done.stderr.strip().splitlines()
    return said[-1] if said else "it injects nothing"
