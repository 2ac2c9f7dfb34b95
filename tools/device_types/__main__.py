"""python -m device_types [FILE ...]: checks the named files, or all that runs on the device.

Exit 1: something is wrong.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from device_types import stubs
from lapel_usb import build

ROOT = stubs.ROOT
# boards/sim is left out: it stands on the unix port's modules, and on fakes of its own.
NOT_DEVICE = ("sim",)
# What the self-test sends to the pin, what pairs it, and what runs its encoders on a desk.
SENT = [ROOT / "tools" / name / "device" for name in ("lapel_bringup", "lapel_codec", "lapel_usb")]
FLAGS = (
    "--config-file=",
    "--no-site-packages",
    "--platform=esp32",
    "--python-version=3.12",
    "--no-error-summary",
    "--explicit-package-bases",
    "--cache-dir=.mypy_cache/device",
    "--show-error-codes",
    "--pretty",
    "--no-color-output",
    "--strict",
    # Devices, services and sessions arrive as arguments, and the device has no typing module to name their
    # shapes: unannotated parameters and bare containers are allowed; the bodies are checked all the same.
    "--allow-untyped-defs",
    "--allow-incomplete-defs",
    "--allow-untyped-calls",
    "--allow-any-generics",
    "--enable-error-code=unused-awaitable",
    "--no-warn-return-any",
    "--implicit-reexport",
    "--disable-error-code=var-annotated",
    # What is there only in some states (an open clip, a link) is not proven to be there at each use.
    "--no-strict-optional",
    # In compat.py: this is the device's half.
    "--always-true=ON_DEVICE",
)


def sources() -> list[Path]:
    """Everything that is put on a device, but for the boards' own modules."""
    found = [path for folder in ("firmware", "lib") for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if f"{path.parent.name}/{path.stem}" not in build.HOST_ONLY)


def modules(board: Path) -> list[Path]:
    """What of a board's folder is put on a device; its manifest is read by MicroPython's build."""
    return sorted(path for path in board.glob("*.py") if path.name != "manifest.py")


def boards() -> Iterator[Path]:
    """The folder of each hardware board, and of what a frozen image starts with."""
    for board in sorted((ROOT / "boards").glob("*/board.py")):
        if board.parent.name not in NOT_DEVICE:
            yield board.parent
    yield ROOT / "boards" / "frozen"


def check(files: Sequence[Path], path: Sequence[Path] = ()) -> tuple[int, str]:
    """Exit code and report of mypy over `files`, with `path` ahead of the usual module search path."""
    typeshed = stubs.assemble(ROOT / ".tools" / "device-types")
    search = [*path, ROOT / "firmware", ROOT / "lib", ROOT / "tools" / "typings" / "lib"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *FLAGS, f"--custom-typeshed-dir={typeshed}", *map(str, files)],
        cwd=ROOT,
        env={"MYPYPATH": ":".join(map(str, search)), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def main(arguments: list[str]) -> int:
    if arguments:
        jobs: list[tuple[list[Path], list[Path]]] = [([Path(name).resolve() for name in arguments], [])]
    else:
        jobs = [(sources(), [])]
        jobs += [(sorted(folder.glob("*.py")), [folder]) for folder in SENT]
        jobs += [(modules(board), [board]) for board in boards()]
    worst = 0
    for files, path in jobs:
        code, report = check(files, path)
        print(report, end="")
        worst = max(worst, code)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
