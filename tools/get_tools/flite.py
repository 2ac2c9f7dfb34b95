"""flite, the small synthesiser that speaks test recordings: the system's, or unpacked from its archive."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from get_tools import debian, wrapper

VOICES = ("rms", "slt", "awb", "kal16")


def make(tools: Path) -> None:
    """Writes tools/flite, a wrapper. NotFetched says what to type."""
    target = tools / "flite"
    if target.exists() and usable([str(target)]):
        target.touch()
        return
    on_path = shutil.which("flite")
    if on_path and usable([on_path]):
        wrapper.write(target, [on_path])
        return
    if os.uname().sysname == "Darwin":
        raise debian.NotFetched(
            "needs flite to make new recordings. Type:  brew install flite\n  then run make again."
        )
    folder = tools / "debian" / "flite"
    command = debian.program("flite", folder, 15)
    if not usable(command):
        raise debian.NotFetched(
            f"the flite unpacked in {folder} does not run; install it by hand (sudo apt install flite)."
        )
    wrapper.write(target, command)
    print("  flite is ready")


def usable(command: list[str]) -> bool:
    """Whether it runs and has the voices that the recordings use."""
    try:
        done = subprocess.run([*command, "-lv"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return all(voice in done.stdout.split() for voice in VOICES)
