"""The machine code of lib/noise with integers of 32 bits, as on a pin: the unit tests run with 64."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
UNIT = ROOT / "tests" / "unit"
TESTS = UNIT / "secrecy" / "test_device.py"
INTERPRETER = ROOT / ".tools" / "micropython32"
NAMES = [
    node.name
    for node in ast.parse(TESTS.read_text(encoding="utf-8")).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]


def runs() -> bool:
    try:
        return subprocess.run([INTERPRETER, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not runs(), reason="no 32-bit MicroPython: .venv/bin/python -m get_tools micropython32")
@pytest.mark.parametrize("name", NAMES)
def test_on_words_as_long_as_a_pins(name: str) -> None:
    done = subprocess.run(
        [INTERPRETER, UNIT / "mp_runner.py", TESTS.parent, TESTS.stem, name],
        env={**os.environ, "MICROPYPATH": f".frozen:{ROOT / 'lib'}:{UNIT / 'helpers'}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
