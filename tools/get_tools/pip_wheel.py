"""pip as a wheel from the system's own archive: for Debian and Ubuntu without python3-venv."""

from __future__ import annotations

import shutil
from pathlib import Path

from get_tools import debian


def make(tools: Path) -> None:
    """Prints the path of a pip wheel under tools/. NotFetched where there is none."""
    folder = tools / "debian" / "pip"
    if not _wheels(folder):
        system = debian.this_system()
        suite = debian.Suite(system, system.codename, folder / "apt")
        suite.update()
        suite.unpack("python3-pip-whl", folder / "root", with_dependencies=False)
        shutil.rmtree(folder / "apt", ignore_errors=True)
    wheels = _wheels(folder)
    if not wheels:
        raise debian.NotFetched("the package python3-pip-whl holds no pip wheel")
    print(wheels[-1])


def _wheels(folder: Path) -> list[Path]:
    return sorted(folder.glob("root/usr/share/python-wheels/pip-*.whl"))
