"""The pin's memory in words as long as its own: the whole loop once, on a 32-bit MicroPython."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from pathlib import Path

from simulator.bench.figures import Figure
from simulator.compiled import ROOT, compiled
from simulator.pin import DEVICE_DMA_BYTES, DEVICE_HEAP_BYTES, DEVICE_NATIVE_BYTES, PinSpec, find_interpreter

INTERPRETER = ROOT / ".tools" / "micropython32"
# For Python on the chip, as in the simulator's README.
BUDGET_BYTES = DEVICE_HEAP_BYTES - DEVICE_DMA_BYTES - DEVICE_NATIVE_BYTES
# In the same heap only here, measured: the microphone's DMA ring, and in Python what is native on the chip.
FAKES_BYTES = 69_500
# So that a run ends with a figure, whatever it is.
ROOM_BYTES = 48_000
# Where a pin's modules are; each keeps its whole path.
PIN_FOLDER = "app/12345678"
LOADED = """
import sys, lapel.app, noise.device
print(*[module.__file__ for module in sys.modules.values() if hasattr(module, "__file__")])
"""
ALLOCATIONS = ROOT / "tests" / "device_bench" / "alloc_recorder.py"


def available() -> bool:
    """Whether this computer runs it."""
    try:
        return subprocess.run([INTERPRETER, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def spec() -> PinSpec:
    """A pin of 32-bit words with a device's heap."""
    return PinSpec(interpreter=str(INTERPRETER), heap_bytes=BUDGET_BYTES + FAKES_BYTES + ROOM_BYTES)


def heap(free_bytes: list[float]) -> list[Figure]:
    """`free_bytes` after collections, of a run with `spec()`. Raises RuntimeError as `allocations`."""
    longer = _longer_paths_bytes()
    used = [BUDGET_BYTES + ROOM_BYTES - free - longer for free in free_bytes]
    return [
        Figure("pin's heap in use after a collection", "B", used),
        Figure("left of what Python can have", "B", [BUDGET_BYTES - count for count in used]),
    ]


def _longer_paths_bytes() -> int:
    """What the paths of the app's modules are longer than on a pin."""
    folders = [str(folder) for folder in compiled([ROOT / "firmware", ROOT / "lib"], str(INTERPRETER))]
    files = _said(INTERPRETER, ["-c", LOADED], folders).split()
    return sum(len(folder) - len(PIN_FOLDER) for file in files for folder in folders if file.startswith(folder))


def allocations() -> list[Figure]:
    """Bytes a recorded block in 32-bit words, by the real recorder on a microphone in its own process.

    Measured on the 64-bit interpreter: the addresses of a 32-bit process on a desk are no small integers, so
    that each id() in asyncio allocates, which it does not on the chip. Raises RuntimeError with what the
    program said.
    """
    interpreter = find_interpreter()
    folders = [str(folder) for folder in compiled([ROOT / "firmware", ROOT / "lib"], interpreter)]
    found = json.loads(_said(interpreter, [str(ALLOCATIONS)], folders))
    all_bytes = found["all_bytes_per_block"] * 4 / found["word_bytes"]
    return [
        Figure("allocated in the audio path, a block", "B", [found["path_bytes_per_block"]], (0, None)),
        Figure("allocated a block, awaits included", "B", [all_bytes], (256, None)),
    ]


def _said(interpreter: str | Path, program: list[str], folders: list[str]) -> str:
    result = subprocess.run(
        [interpreter, *program],
        env={**os.environ, "MICROPYPATH": ":".join([*folders, ".frozen"])},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"{program[-1]}: {result.stdout}{result.stderr}")
    return result.stdout


def table() -> str:
    """The memory of the board, as its board.py tells it, one use a line."""
    text = (ROOT / "boards" / "sim" / "board.py").read_text(encoding="utf-8")
    found = re.search(r"memory = (\{.*?\})", text)
    assert found
    uses: dict[str, int] = ast.literal_eval(found[1])
    lines = [f"  {name.removesuffix('_bytes'):<52}{count:>10,}" for name, count in uses.items()]
    return "\n".join(["Memory of an ESP32-S3 without PSRAM, in bytes", *lines])

