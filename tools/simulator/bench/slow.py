"""The loop with Python about as slow as on the chip: the interpreter under valgrind (see README, Time of Python)."""

from __future__ import annotations

import subprocess

from simulator.compiled import ROOT
from simulator.pin import PinSpec

INTERPRETER = ROOT / ".tools" / "micropython-slow"
PLAIN = ROOT / ".tools" / "micropython"
SAMPLES = 3
# Loops, small ints, attributes of dictionaries and allocation, in the mix of ordinary code.
WORK = """
import time
def work(n):
    total = 0
    for i in range(n):
        total = total + i * 3 & 0xFFFF
        table = {"a": total}
        items = [total] * 3
    return total
t = time.ticks_us()
work(20000)
print(time.ticks_diff(time.ticks_us(), t))
"""


def available() -> bool:
    """Whether this computer runs it."""
    try:
        return subprocess.run([INTERPRETER, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def spec() -> PinSpec:
    """A pin whose Python is slow."""
    return PinSpec(interpreter=str(INTERPRETER))


def factors() -> list[float]:
    """How many times as long plain Python takes in it, a few times measured."""
    return [_work_us(INTERPRETER) / _work_us(PLAIN) for _ in range(SAMPLES)]


def _work_us(interpreter: object) -> int:
    done = subprocess.run([str(interpreter), "-c", WORK], capture_output=True, text=True, check=True)
    return int(done.stdout)
