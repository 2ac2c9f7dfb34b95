"""The computer's power goes: its processes end, and its disk is what a power cut may leave of it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.torture.dark.disk import Choice, Drawn, Everything, File, Stingy, Write, image
from tests.torture.dark.heard import Heard
from tests.torture.dark.tracer import Ear, Tracer

# Only what was synced; of the rest what a seed draws; and the sync that was the last of all has not come to its end.
STINGY, DRAWN, TORN = "power", "drawn", "torn"
HOWS = (STINGY, DRAWN, TORN)
# SQLite's index of a journal is written through memory, which no system call tells; it is made anew at each start.
_MAPPED = "-shm"
# Of a thread that is killed in the middle of a write strace may not tell that write: what was not synced may as well be
# lost. As much as one write has.
_UNTOLD_BYTES = 8192
# Of a file that was removed, and is there again.
_MODE = 0o600


@dataclass(frozen=True)
class Blackout:
    """What is left of the folder: `how`, by `seed`. `left_out`: names in it that are not on this computer's disk."""

    how: str
    seed: int
    left_out: tuple[str, ...]

    def come(self, tracer: Tracer, ear: Ear, folder: Path, pid: int, thread: int) -> None:
        """The process was killed, by its own `thread`.

        AssertionError when what was told does not explain the folder, NotUnderstood for a call without a model.
        """
        assert tracer.gone(pid), "strace does not tell that the companion is gone"
        tracer.settle(ear)
        tracer.ignore(ear)
        for program in ear.programs:
            if not tracer.gone(program, 0):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(program, signal.SIGKILL)
        heard = Heard(str(folder), self.left_out)
        heard.hear(ear.lines, thread if self.how == TORN else 0)
        now = image(heard.root, Everything())
        check(folder, now, heard.doubtful, _UNTOLD_BYTES)
        for path, node in _files(heard):
            if path.endswith(_MAPPED):
                node.do(Write(0, (folder / path).read_bytes()))
        choice: Choice = Stingy() if self.how == STINGY else Drawn(random.Random(self.seed))
        lay(folder, now, image(heard.root, choice))


def check(folder: Path, now: Mapping[str, bytes | None], doubtful: set[str], untold_bytes: int = 0) -> None:
    """What is in the folder is what was told, but for one write to a file of so many bytes. Raises AssertionError."""
    for path, data in now.items():
        if path in doubtful or path.endswith(_MAPPED):
            continue
        there = folder / path
        assert there.is_dir() if data is None else there.is_file(), f"{path} is not there, and nobody removed it"
        other = "" if data is None else differs(there.read_bytes(), data, untold_bytes)
        assert not other, f"{path} is not what was written: {other}"


def differs(there: bytes, told: bytes, untold_bytes: int = 0) -> str:
    """Where; "" when they are the same but for one write that was not told."""
    if there == told:
        return ""
    longer, shorter = max(len(there), len(told)), min(len(there), len(told))
    at = next((i for i in range(shorter) if there[i] != told[i]), shorter)
    same = next((i for i in range(longer - at) if len(there) != len(told) or there[-1 - i] != told[-1 - i]), 0)
    if len(there) >= len(told) and longer - at - same <= untold_bytes:
        return ""
    return f"byte {at} of {len(there)}, and {len(told)} were told"


def lay(folder: Path, now: Mapping[str, bytes | None], left: Mapping[str, bytes | None]) -> None:
    """Put what is left in the place of what is there; what nobody knows of (sockets) stays, with its folder."""
    modes = {path: (folder / path).stat().st_mode for path in now if (folder / path).exists()}
    for path in sorted(now, reverse=True):
        if now[path] is not None:
            (folder / path).unlink(missing_ok=True)
        elif path not in left:
            shutil.rmtree(folder / path)
    for path, data in left.items():
        if data is None:
            (folder / path).mkdir(mode=0o700, exist_ok=True)
        else:
            (folder / path).write_bytes(data)
            (folder / path).chmod(modes.get(path, _MODE))


def _files(heard: Heard) -> list[tuple[str, File]]:
    found: list[tuple[str, File]] = []
    folders = [("", heard.root)]
    while folders:
        above, folder = folders.pop()
        for name, node in folder.now.items():
            if isinstance(node, File):
                found.append((above + name, node))
            else:
                folders.append((f"{above}{name}/", node))
    return found
