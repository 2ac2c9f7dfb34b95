"""qemu's user mode for the processor of the ESP32-S3, which runs machine code of the pin (tools/device_code): the
system's, or unpacked from its archive.

The archive's package is that of this system's release, its signature checked by apt; what was found or unpacked must
be new enough, and must run a program of three instructions, before anything relies on it.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from get_tools import debian, wrapper

NAME = "qemu-xtensa"
PACKAGE = "qemu-user"
# The oldest whose log of executed blocks is known.
WANTED = (7, 2)
_WITHOUT = "Machine code of the pin is then not run, and its tests are skipped."
_STATUS = 77
# movi a2, 118 (exit); movi a6, 77; syscall
_EXIT = bytes((0x22, 0xA0, 118, 0x62, 0xA0, _STATUS, 0x00, 0x50, 0x00))
_BASE, _HEADER_BYTES, _XTENSA = 0x400000, 84, 94


def make(tools: Path) -> None:
    """Writes tools/qemu-xtensa, a wrapper. NotFetched says what to type, or that there is no way."""
    target = tools / NAME
    if target.exists() and problem([str(target)]) is None:
        target.touch()
        return
    if os.uname().sysname != "Linux":
        raise debian.NotFetched(f"qemu runs single programs on Linux alone. {_WITHOUT}")
    on_path = shutil.which(NAME)
    if on_path and problem([on_path]) is None:
        wrapper.write(target, [on_path])
        return
    folder = tools / "debian" / NAME
    command = debian.program(NAME, folder, 25, f"\n  {_WITHOUT}", package=PACKAGE)
    why = problem(command)
    if why:
        raise debian.NotFetched(f"the {NAME} unpacked in {folder} cannot be used: {why}. {_WITHOUT}")
    # The package has 40 other processors, 6 MB each.
    for path in (folder / "root" / "usr" / "bin").glob("qemu-*"):
        if path.name != NAME:
            path.unlink()
    shutil.rmtree(folder / "root" / "usr" / "share", ignore_errors=True)
    wrapper.write(target, command)
    print(f"  {NAME} is ready")


def problem(command: list[str]) -> str | None:
    """Why this qemu will not do, as half a sentence; None when it will."""
    try:
        said = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20, check=False)
        version = re.search(r"version (\d+)\.(\d+)", said.stdout)
        if version is None:
            return "it does not run, or is no qemu"
        if (int(version[1]), int(version[2])) < WANTED:
            return f"it is {version[1]}.{version[2]}, older than {WANTED[0]}.{WANTED[1]}"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "exit.elf"
            path.write_bytes(_program())
            path.chmod(0o700)
            done = subprocess.run([*command, str(path)], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == _STATUS else "it does not run a program of three instructions"


def _program() -> bytes:
    """An ELF program that ends with _STATUS."""
    size = _HEADER_BYTES + len(_EXIT)
    head = b"\x7fELF\x01\x01\x01" + bytes(9)
    head += struct.pack("<HHIIIIIHHHHHH", 2, _XTENSA, 1, _BASE + _HEADER_BYTES, 52, 0, 0x300, 52, 32, 1, 0, 0, 0)
    return head + struct.pack("<8I", 1, 0, _BASE, _BASE, size, size, 5, 4096) + _EXIT
