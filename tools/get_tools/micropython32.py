"""A 32-bit MicroPython beside the other, for `make bench`: a word of its heap is as long as a pin's.

Debian builds the unix port for 32-bit x86 as well, and 64-bit kernels run it. Where that is not so, the bench
says that it did not measure.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from get_tools import debian, micropython, wrapper

SUITE = "trixie"
ARCHITECTURE = "i386"


def make(tools: Path) -> None:
    """Writes tools/micropython32, a wrapper. NotFetched says why there is none."""
    target = tools / "micropython32"
    if target.exists() and micropython.unusable([str(target)]) is None:
        target.touch()
        return
    system = debian.this_system()
    if system.id != "debian":
        raise debian.NotFetched("a 32-bit MicroPython is only known on Debian")
    folder = tools / "debian" / "micropython32"
    root = folder / "root"
    print("Fetching a 32-bit MicroPython into .tools (once)", flush=True)
    suite = debian.Suite(system, SUITE, folder / "apt", ARCHITECTURE)
    suite.update()
    suite.unpack("micropython", root)
    command = [*debian.loader(root), str(root / "usr" / "bin" / "micropython")]
    problem = micropython.unusable(command)
    if problem:
        raise debian.NotFetched(f"the 32-bit MicroPython cannot be used here: {problem}")
    shutil.rmtree(folder / "apt", ignore_errors=True)
    wrapper.write(target, command)
