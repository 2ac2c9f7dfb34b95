"""The same inputs on the real MicroPython, with a bounded heap."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fuzz import paths

# A third of it are the modules, compiled here, which also scatters the rest. Objects are 64-bit: half as much on a pin.
HEAP = "300k"
_LONGEST_S = 300


@dataclass(frozen=True)
class Replay:
    """Verdicts in order; bytes of heap in use after all inputs, and after all of them once more."""

    verdicts: list[str]
    once_bytes: int
    twice_bytes: int
    said: str


def replay(target: str, inputs: Sequence[bytes], heap: str = HEAP) -> Replay:
    """Runs them in one interpreter. Raises AssertionError where it does not come to its end."""
    path = ":".join([".frozen", *map(str, paths.DEVICE)])
    with tempfile.TemporaryDirectory(prefix="lapel-fuzz-", dir=paths.memory()) as folder:
        done = subprocess.run(
            [paths.interpreter(), "-X", f"heapsize={heap}", str(paths.DEVICE[0] / "replay.py"), target, folder],
            env={**os.environ, "MICROPYPATH": path},
            input=2 * ("".join(data.hex() + "\n" for data in inputs) + "alloc\n"),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
            check=False,
        )
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 2 * (len(inputs) + 1), (
        f"{target}: {done.stdout[-500:]}{done.stderr[-2000:]}"
    )
    return Replay(lines[: len(inputs)], int(lines[len(inputs)]), int(lines[-1]), done.stderr)
