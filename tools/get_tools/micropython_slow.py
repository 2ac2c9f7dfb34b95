"""MicroPython about as slow as on the chip: the fetched one under valgrind, for `make bench`.

callgrind with its model of branches runs the interpreter some hundred times slower, evenly, which is what an
ESP32-S3 is behind a server's core (see tools/simulator/README.md, "Time of Python").
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from get_tools import debian, micropython, wrapper

OPTIONS = ("--tool=callgrind", "--branch-sim=yes", "--callgrind-out-file=/dev/null", "--log-file=/dev/null")


def make(tools: Path) -> None:
    """Writes tools/micropython-slow, a wrapper around tools/micropython. NotFetched says why there is none."""
    target = tools / "micropython-slow"
    if target.exists() and micropython.unusable([str(target)]) is None:
        target.touch()
        return
    found = shutil.which("valgrind")
    valgrind = [found] if found else _unpacked(tools / "debian" / "valgrind")
    # The wrapper of the other interpreter is a shell's script: what it starts is meant.
    command = [*valgrind, *OPTIONS, "--trace-children=yes", str(tools / "micropython")]
    problem = micropython.unusable(command)
    if problem:
        raise debian.NotFetched(f"MicroPython does not run under valgrind here: {problem}")
    wrapper.write(target, command)


def _unpacked(folder: Path) -> list[str]:
    if os.uname().sysname == "Darwin":
        raise debian.NotFetched("valgrind is not to be had on this system")
    system = debian.this_system()
    print("Fetching valgrind into .tools (once; about 25 MB)", flush=True)
    suite = debian.Suite(system, system.codename, folder / "apt")
    suite.update()
    suite.unpack("valgrind", folder / "root", with_dependencies=False)
    shutil.rmtree(folder / "apt", ignore_errors=True)
    root = folder / "root" / "usr"
    library = next(
        (path for path in (root / "libexec" / "valgrind", *root.glob("lib/*/valgrind")) if path.is_dir()), None
    )
    if library is None:
        raise debian.NotFetched(f"the valgrind unpacked in {folder} has not the folders that are known")
    return ["/usr/bin/env", f"VALGRIND_LIB={library}", str(root / "bin" / "valgrind")]
