"""libopus, the reference, as judge of our own Opus encoder: the system's, or unpacked from its archive."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import shutil
from pathlib import Path

from get_tools import debian

NAME = "libopus.so.0"


def make(tools: Path) -> None:
    """Writes tools/libopus: a line with what to load, below tools/ or by its name. NotFetched says what to type."""
    target = tools / "libopus"
    if target.exists() and usable(named(target)):
        target.touch()
        return
    found = ctypes.util.find_library("opus")
    if found and usable(found):
        _write(target, found)
        return
    if os.uname().sysname == "Darwin":
        raise debian.NotFetched("needs libopus to judge our encoder. Type:  brew install opus\n  then run make again.")
    folder = tools / "debian" / "libopus"
    try:
        system = debian.this_system()
        print("Fetching libopus into .tools (once; under 1 MB and the package lists)", flush=True)
        suite = debian.Suite(system, system.codename, folder / "apt")
        suite.update()
        # Of this very release: the C library that it needs is the one that runs us.
        suite.unpack("libopus0", folder / "root", with_dependencies=False)
    except debian.NotFetched as error:
        raise debian.NotFetched(
            f"found no libopus: {error}.\n  Install it by hand (Debian: sudo apt install libopus0)."
        ) from error
    shutil.rmtree(folder / "apt", ignore_errors=True)
    unpacked = next((folder / "root").glob(f"**/{NAME}"), None)
    if unpacked is None or not usable(str(unpacked)):
        raise debian.NotFetched(f"the libopus unpacked in {folder} cannot be loaded; install it by hand (libopus0).")
    _write(target, str(unpacked.relative_to(tools)))
    print("  libopus is ready")


def named(target: Path) -> str:
    """What ctypes loads, of the file that `make` wrote. Raises OSError."""
    name = target.read_text(encoding="utf-8").strip()
    return str(target.parent / name) if os.sep in name and not name.startswith(os.sep) else name


def usable(name: str) -> bool:
    """Whether it can be loaded, and is Opus."""
    try:
        return hasattr(ctypes.CDLL(name), "opus_get_version_string")
    except OSError:
        return False


def _write(target: Path, name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(name + "\n", encoding="utf-8")
