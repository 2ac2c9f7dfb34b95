"""What building an image needs on this computer, and what to type where it is missing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# The one the manifests were read with; older ones lay out their board files in another way.
MICROPYTHON = "v1.29.0"
VERSION_MIN = (1, 29)
# What that version recommends (ports/esp32/README.md there).
IDF = "v5.5.2"
FILES = (
    "ports/esp32/boards/mpconfigboard_esp32s3_common.cmake",
    "ports/esp32/modules/flashbdev.py",
    "extmod/asyncio/manifest.py",
)


@dataclass(frozen=True)
class Missing:
    """One thing that is not there: why it is needed, and the commands that bring it."""

    why: str
    commands: tuple[str, ...]


def missing(micropython: Path | None, environment: Mapping[str, str]) -> list[Missing]:
    """Everything that is missing, in the order in which it is to be brought."""
    return [*_tools(environment), *_sources(micropython), *_idf(environment)]


def version(micropython: Path) -> tuple[int, int] | None:
    """(major, minor) of a checkout of MicroPython; None when it is none."""
    try:
        text = (micropython / "py" / "mpconfig.h").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = [re.search(rf"define MICROPY_VERSION_{part}\s+(\d+)", text) for part in ("MAJOR", "MINOR")]
    major, minor = (int(match[1]) if match else -1 for match in found)
    return (major, minor) if major >= 0 and minor >= 0 else None


def _tools(environment: Mapping[str, str]) -> Iterator[Missing]:
    absent = [name for name in ("git", "make", "cmake", "cc") if not shutil.which(name, path=environment.get("PATH"))]
    if absent:
        yield Missing(
            f"{', '.join(absent)}: building tools of this computer",
            ("sudo apt install git make cmake gcc        # on a Mac: xcode-select --install; brew install cmake",),
        )


def _sources(micropython: Path | None) -> Iterator[Missing]:
    clone = (
        f"git clone --branch {MICROPYTHON} --depth 1 https://github.com/micropython/micropython.git",
        "git -C micropython submodule update --init --depth 1 lib/micropython-lib",
    )
    if micropython is None:
        yield Missing("MicroPython's source: say where it is with MICROPYTHON=/path/to/micropython", clone)
        return
    found = version(micropython)
    if found is None:
        yield Missing(f"MicroPython's source: {micropython} is no checkout of it", clone)
        return
    if found < VERSION_MIN:
        yield Missing(
            f"a newer MicroPython: {micropython} is {found[0]}.{found[1]}, and the board files are for {MICROPYTHON}",
            (f"git -C {micropython} fetch --tags && git -C {micropython} checkout {MICROPYTHON}",),
        )
        return
    lacks = [name for name in FILES if not (micropython / name).is_file()]
    if lacks:
        yield Missing(
            f"MicroPython's source, whole: {micropython} has no {lacks[0]}", (f"git -C {micropython} checkout .",)
        )
    if not (micropython / "lib" / "micropython-lib" / "micropython").is_dir():
        yield Missing(
            "aioble, which is in MicroPython's submodule lib/micropython-lib",
            (f"git -C {micropython} submodule update --init --depth 1 lib/micropython-lib",),
        )


def _idf(environment: Mapping[str, str]) -> Iterator[Missing]:
    place = environment.get("IDF_PATH", "")
    if place and shutil.which("idf.py", path=environment.get("PATH")):
        return
    if place and (Path(place) / "export.sh").is_file():
        yield Missing(
            f"ESP-IDF's tools in this terminal: {place} is there, idf.py is not on PATH", (f". {place}/export.sh",)
        )
        return
    yield Missing(
        f"ESP-IDF {IDF}, Espressif's compiler and libraries (some 3 GB)",
        (
            f"git clone --branch {IDF} --depth 1 --recursive https://github.com/espressif/esp-idf.git",
            "./esp-idf/install.sh esp32s3",
            ". ./esp-idf/export.sh",
        ),
    )
