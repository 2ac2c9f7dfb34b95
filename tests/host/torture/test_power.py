"""The disk of a power cut: what was synced stays, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# In a process of its own, whose os.fsync may be another.
SCRIPT = """
import os, sys, threading
from pathlib import Path
from lapel_companion import durable
from tests.torture.crash.power import watched

top = Path(sys.argv[1])
disk = watched(top, ("state",), threading.RLock())
state = top / "state"
(state / "new").mkdir()
durable.write_atomic(state / "whole", b"all of it", "x")
handle = os.open(state / "part", os.O_RDWR | os.O_CREAT)
os.write(handle, b"synced")
durable.sync_file(handle, "x")
durable.sync_dir(state, "x")
os.write(handle, b", and more")
(state / "nameless").write_bytes(b"x")
os.rename(state / "old", state / "renamed")
os.unlink(state / "gone")
(state / "new" / "inside").write_bytes(b"x")
(state / "events.db").write_bytes(b"sqlite")
disk.cut()
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it knows Linux only")
def test_what_was_synced_stays_and_nothing_else(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "old").write_bytes(b"old")
    (state / "gone").write_bytes(b"still here")
    paths = os.pathsep.join([str(ROOT), *sys.path[1:]])
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], check=True, env={**os.environ, "PYTHONPATH": paths})
    left = {str(path.relative_to(state)): path.read_bytes() for path in state.rglob("*") if path.is_file()}
    assert left == {
        "whole": b"all of it",
        "part": b"synced",
        "old": b"old",
        "gone": b"still here",
        "events.db": b"sqlite",
    }
    assert (state / "new").is_dir()
