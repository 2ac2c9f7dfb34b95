"""One target under atheris, in a process of its own: python -m tests.fuzz.guided TARGET SECONDS FOLDER

FOLDER/corpus is what it begins with, and grows; FOLDER/found gets an input for each place at which an exception comes
out. Ends by itself, and leaves what it counted in FOLDER/result.json.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

import atheris

from tests.fuzz import names, paths
from tests.fuzz.growth import grown

# What is instrumented: our own code, and what parses for it in Python.
OURS = ("lapel", "lapel_wire", "lapel_companion", "lapel_usb", "simulator", "noise", "tomllib", "wave")
INPUT_MAX_BYTES = 4096
# One input must be done within this time; counting is for the tests, where a computer is busy with others too.
HANG_S = 20
# Growth is measured within the last input's time: of what runs in so many seconds, and at most so many.
_GROWTH_S, _GROWTH_INPUTS = 4, 200


class Watched:
    """A target that never dies: what comes out of it is kept, once for each place."""

    def __init__(self, name: str, seconds: float, folder: Path) -> None:
        paths.use()
        with atheris.instrument_imports(include=list(OURS)):
            from tests.fuzz import table

            self._run = table.load()[name].run
        self._folder = folder
        self._until_s = time.monotonic() + seconds
        self._found: set[str] = set()
        self._runs = 0
        self._slowest = (0.0, b"")

    def one(self, data: bytes) -> None:
        """Runs one input; ends the process when the time is over."""
        self._runs += 1
        began_s = time.thread_time()
        try:
            self._run(data)
        except Exception as error:
            self._keep(error, data)
        took_s = time.thread_time() - began_s
        if took_s > self._slowest[0]:
            self._slowest = (took_s, data)
        if time.monotonic() > self._until_s:
            self._end()

    def _keep(self, error: Exception, data: bytes) -> None:
        name = names.of(error)
        if name not in self._found:
            self._found.add(name)
            (self._folder / "found" / name).write_bytes(data)
            (self._folder / "found" / f"{name}.trace").write_text("".join(traceback.format_exception(error)))

    def _end(self) -> NoReturn:
        result = {
            "runs": self._runs,
            "slowest_ms": round(self._slowest[0] * 1000, 1),
            "growth": self._growth(),
        }
        (self._folder / "slowest").write_bytes(self._slowest[1])
        (self._folder / "result.json").write_text(json.dumps(result))
        sys.stderr.flush()
        os._exit(0)

    def _growth(self) -> int:
        """What is kept of inputs that ran before."""
        inputs: list[bytes] = []
        until_s = time.monotonic() + _GROWTH_S
        for path in sorted((self._folder / "corpus").iterdir())[:_GROWTH_INPUTS]:
            if time.monotonic() > until_s:
                break
            inputs.append(path.read_bytes())
            # Once before it is measured, so that caches are full.
            with contextlib.suppress(Exception):
                self._run(inputs[-1])
        return grown(self._run, inputs)


def main(name: str, seconds: str, folder: str) -> None:
    """Runs until the time is over."""
    at = Path(folder)
    watched = Watched(name, float(seconds), at)
    options = [f"-max_len={INPUT_MAX_BYTES}", f"-timeout={HANG_S}", "-rss_limit_mb=2048", "-len_control=20"]
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "little")
    options += [f"-seed={seed}", f"-artifact_prefix={at}/found/", str(at / "corpus")]
    atheris.Setup([sys.argv[0], *options], watched.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
