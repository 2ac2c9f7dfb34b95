"""Ctrl-C reaches an interpreter while it waits, and one that never waits all the same."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from simulator import interrupting
from simulator.pin import find_interpreter

# Says for each interrupt whether it came between two lines that only wait.
ALLOCATES = """
import time
print("begun")
waits = False
while True:
    try:
        kept = [bytearray(n) for n in range(60)]
        waits = True
        time.sleep_ms(1)
        waits = False
    except KeyboardInterrupt:
        print("waited" if waits else "computed")
        waits = False
"""
BUSY = """
print("begun")
try:
    while True:
        pass
except KeyboardInterrupt:
    print("interrupted")
"""

pytestmark = pytest.mark.skipif(interrupting.computed_s(1) is None, reason="this system does not tell what waits")


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([find_interpreter(""), "-c", program], stdout=subprocess.PIPE)
    try:
        assert child.stdout and child.stdout.readline() == b"begun\n"
        yield child
    finally:
        child.kill()
        child.communicate()


def test_it_comes_while_the_process_waits() -> None:
    with running(ALLOCATES) as child:
        assert child.stdout
        for _ in range(100):
            while not interrupting.interrupt(child.pid):
                pass
            assert child.stdout.readline() == b"waited\n"


def test_who_never_waits_is_interrupted_when_that_is_said() -> None:
    with running(BUSY) as child:
        assert child.stdout
        begun_s = interrupting.computed_s(child.pid)
        while (interrupting.computed_s(child.pid) or 0) < (begun_s or 0) + 0.01:
            assert not interrupting.interrupt(child.pid)
        assert interrupting.interrupt(child.pid, anyway=True)
        assert child.stdout.readline() == b"interrupted\n"
