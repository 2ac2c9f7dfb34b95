"""tests/unit/conftest.py really runs every test on both Pythons, and a failure on either is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MICROPYTHON = os.environ.get("LAPEL_MICROPYTHON") or str(ROOT / ".tools" / "micropython")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a test file of the given text in a small checkout of its own."""
    unit = tmp_path / "tests" / "unit"
    unit.mkdir(parents=True)
    for name in ("conftest.py", "mp_runner.py"):
        shutil.copy(ROOT / "tests" / "unit" / name, unit)
    shutil.copytree(ROOT / "tests" / "unit" / "shims", unit / "shims")

    def runner(text: str, *options: str, interpreter: str = MICROPYTHON) -> subprocess.CompletedProcess[str]:
        (unit / "test_it.py").write_text(textwrap.dedent(text), encoding="utf-8")
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--import-mode=importlib",
                *options,
                ".",
            ],
            cwd=tmp_path,
            env={**os.environ, "LAPEL_MICROPYTHON": interpreter},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return runner


def test_each_function_runs_twice(run: Run) -> None:
    done = run(
        """
        import sys

        def test_plain():
            print("ran on", sys.implementation.name)

        async def test_async():
            print("awaited on", sys.implementation.name)
        """,
        "-rP",
    )
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    for line in ("ran on cpython", "ran on micropython", "awaited on cpython", "awaited on micropython"):
        assert line in done.stdout


def test_a_failure_on_micropython_alone_fails_and_shows_its_traceback(run: Run) -> None:
    done = run(
        """
        import sys

        def deep():
            assert sys.implementation.name == "cpython"

        def test_it():
            deep()

        async def test_async():
            deep()
        """
    )
    assert done.returncode == 1
    assert "2 failed, 2 passed" in done.stdout
    assert "test_it.py::test_it[micropython]" in done.stdout
    assert 'in deep\n    assert sys.implementation.name == "cpython"\nAssertionError' in done.stdout


def test_a_failure_on_cpython_alone_fails(run: Run) -> None:
    done = run(
        """
        import sys

        async def test_it():
            assert sys.implementation.name == "micropython"
        """
    )
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout


def test_a_file_that_micropython_cannot_compile_fails(run: Run) -> None:
    done = run(
        """
        def test_it():
            match 3:
                case 3:
                    pass
        """
    )
    assert done.returncode == 1
    assert "SyntaxError" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_file_keeps_functions_for_one_python(run: Run) -> None:
    done = run(
        """
        import sys
        ONLY_MICROPYTHON = ("test_a",)
        ONLY_CPYTHON = ("test_b",)

        def test_a():
            assert sys.implementation.name == "micropython"

        def test_b():
            assert sys.implementation.name == "cpython"
        """
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_file_bounds_its_heap(run: Run) -> None:
    text = """
        MICROPYTHON_HEAP = "{heap}"

        def test_it():
            assert len(bytearray(100_000)) == 100_000
        """
    assert run(text.format(heap="300k")).returncode == 0
    done = run(text.format(heap="64k"))
    assert done.returncode == 1
    assert "MemoryError" in done.stdout


def test_a_test_that_hangs_is_ended(run: Run) -> None:
    done = run(
        """
        MICROPYTHON_TIMEOUT_S = 0.5
        ONLY_MICROPYTHON = ("test_it",)

        def test_it():
            while True:
                pass
        """
    )
    assert done.returncode == 1
    assert "did not end within" in done.stdout


def test_without_an_interpreter_it_says_what_to_type(run: Run, tmp_path: Path) -> None:
    done = run("def test_it():\n    pass\n", interpreter=str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert "type: make tools" in done.stdout


def test_pointers_of_the_shim_keep_their_borders(run: Run) -> None:
    done = run(
        """
        import micropython
        ONLY_CPYTHON = ("test_it",)

        @micropython.viper
        def fill(buffer: ptr16, at: int, value: int):
            buffer[at] = value
            return buffer[at]

        def test_it():
            memory = bytearray(4)
            assert fill(ptr16(memory), 1, -2) == 0xFFFE
            assert memory == b"\\0\\0\\xfe\\xff"
            try:
                fill(ptr16(memory), 2, 0)
            except IndexError:
                return
            raise AssertionError("wrote past the end")
        """
    )
    assert done.returncode == 0, done.stdout
