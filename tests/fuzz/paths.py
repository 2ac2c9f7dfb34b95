"""Where the code of the pin lies, for both Pythons."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "fuzz"
DEVICE = [ROOT / one for one in ("tests/fuzz/device", "firmware", "lib", "tests/unit/helpers")]
# CPython stands in for the device's own module.
SHIMS = ROOT / "tests" / "unit" / "shims"


def interpreter() -> str:
    """The MicroPython to use: LAPEL_MICROPYTHON, else the one `make` fetched."""
    return os.environ.get("LAPEL_MICROPYTHON") or str(ROOT / ".tools" / "micropython")


def use() -> None:
    """Makes the pin's modules importable here."""
    for folder in reversed([*DEVICE, SHIMS, ROOT]):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def memory() -> str:
    """Where folders are made that need no disk: thousands of files are written and synced."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
