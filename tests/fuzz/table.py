"""Every target: what makes a short verdict of bytes, whether MicroPython runs it too, and how much work it may take."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.fuzz import paths


@dataclass(frozen=True)
class Target:
    """`run` raises nothing, whatever it is given: an exception is a finding. `lines` and `lines_a_byte` bound the
    lines of our own code that an input may make it run."""

    name: str
    run: Callable[[bytes], str]
    both: bool
    lines: int = 20_000
    lines_a_byte: int = 200

    def work_max(self, data: bytes) -> int:
        """Lines that this input may take."""
        return self.lines + self.lines_a_byte * len(data)


# Where a target takes more than usual: (lines, lines a byte).
WORK: Mapping[str, tuple[int, int]] = {
    "channel": (1_000_000, 500),
    "mad_pin": (1_000_000, 5_000),
    "marks": (60_000, 200),
    "phrases": (1_000_000, 200),
    "records": (1_000_000, 500),
}


def load() -> dict[str, Target]:
    """All targets by name."""
    paths.use()
    module = importlib.import_module("both")
    both = {name: module.target(name) for name in module.TARGETS}
    importlib.import_module("place").use(tempfile.mkdtemp(prefix="lapel-fuzz-", dir=paths.memory()))
    host = importlib.import_module("tests.fuzz.host_targets.table").TARGETS
    assert not both.keys() & host.keys()
    return {
        name: Target(name, run, name in both, *WORK.get(name, (20_000, 200))) for name, run in {**both, **host}.items()
    }
