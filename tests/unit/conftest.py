"""Every test function of tests/unit runs twice: here, and as `name[micropython]` in the real interpreter.

A test file is plain: `def test_x():` or `async def test_x():`, bare asserts, modules that both Pythons have,
no pytest.
A file may say, at its top level:
    ONLY_MICROPYTHON = ("test_a",)    functions that CPython does not run (what viper or the heap does)
    ONLY_CPYTHON = ("test_b",)        functions that MicroPython does not run
    MICROPYTHON_HEAP = "200k"         heap of its interpreter (objects are 64-bit there: twice the device's)
    MICROPYTHON_TIMEOUT_S = 120       longest time of one function (60)
Modules shared by test files live in tests/unit/helpers.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parent
ROOT = UNIT.parents[1]
# boards/sim and the torture last: their models of chips and of a companion are for tests of those alone.
DEVICE_PATH = [ROOT / "firmware", ROOT / "lib", UNIT / "helpers", ROOT / "boards" / "sim"]
DEVICE_PATH += [ROOT / "tests" / "torture" / "device", ROOT / "tools" / "lapel_usb" / "device"]
SETTINGS = ("ONLY_MICROPYTHON", "ONLY_CPYTHON", "MICROPYTHON_HEAP", "MICROPYTHON_TIMEOUT_S")
NO_VIPER = "SyntaxError: invalid micropython decorator"

for folder in reversed([UNIT / "shims", *DEVICE_PATH]):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def interpreter() -> str:
    """The MicroPython to use: LAPEL_MICROPYTHON, else the one `make` fetched."""
    return os.environ.get("LAPEL_MICROPYTHON") or str(ROOT / ".tools" / "micropython")


def settings_of(tree: ast.Module) -> dict[str, object]:
    """The top-level constants of SETTINGS, read without running the file."""
    found: dict[str, object] = {}
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in SETTINGS
        ):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


class MicroPythonFile(pytest.File):
    """The functions of one test file, found by reading it: CPython need not be able to import it."""

    def collect(self) -> Iterator[pytest.Item]:
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        settings = settings_of(tree)
        skipped = settings.get("ONLY_CPYTHON", ())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                if node.name not in skipped:  # type: ignore[operator]
                    yield MicroPythonItem.from_parent(
                        self,
                        name=f"{node.name}[micropython]",
                        function=node.name,
                        line=node.lineno,
                        settings=settings,
                    )


class MicroPythonItem(pytest.Item):
    """One function in a fresh interpreter."""

    def __init__(self, *, function: str, line: int, settings: dict[str, object], **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.function_name = function
        self.line = line
        self.settings = settings

    def runtest(self) -> None:
        program = interpreter()
        timeout_s = float(self.settings.get("MICROPYTHON_TIMEOUT_S", 60))  # type: ignore[arg-type]
        heap = self.settings.get("MICROPYTHON_HEAP")
        options = ["-X", f"heapsize={heap}"] if heap else []
        command = [program, *options, str(UNIT / "mp_runner.py"), str(self.path.parent), self.path.stem]
        environment = {**os.environ, "MICROPYPATH": ":".join([".frozen", *map(str, DEVICE_PATH)])}
        try:
            done = subprocess.run(
                [*command, self.function_name],
                env=environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
                errors="replace",
            )
        except FileNotFoundError as error:
            raise MicroPythonFailure(f"there is no MicroPython at {program}; type: make tools") from error
        except subprocess.TimeoutExpired as error:
            raise MicroPythonFailure(f"did not end within {timeout_s:.0f} s") from error
        if done.returncode == 0:
            self.add_report_section("call", "stdout", done.stdout)
        elif NO_VIPER in done.stdout and os.uname().machine in ("aarch64", "arm64"):
            pytest.skip("MicroPython makes no machine code for 64-bit ARM, so it has no viper")
        else:
            raise MicroPythonFailure((done.stdout + done.stderr).strip() or f"ended with {done.returncode}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if not isinstance(excinfo.value, MicroPythonFailure):
            return str(super().repr_failure(excinfo))
        return with_source(str(excinfo.value))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, self.name


class MicroPythonFailure(Exception):
    """What the interpreter printed before it ended badly."""


def with_source(text: str) -> str:
    """MicroPython's tracebacks have no source lines: add them, as CPython would."""
    lines = []
    for line in text.splitlines():
        lines.append(line)
        place = re.match(r'\s+File "(.+)", line (\d+)', line)
        if place and Path(place[1]).is_file():
            source = Path(place[1]).read_text(encoding="utf-8").splitlines()
            lines += [f"    {source[int(place[2]) - 1].strip()}"] if int(place[2]) <= len(source) else []
    return "\n".join(lines)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".py" and file_path.name.startswith("test_") and UNIT in file_path.parents:
        return MicroPythonFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Drops from CPython's half what a file keeps for MicroPython."""
    for item in list(items):
        if isinstance(item, pytest.Function) and UNIT in item.path.parents:
            if item.originalname in getattr(item.module, "ONLY_MICROPYTHON", ()):
                items.remove(item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs `async def` tests in a loop of their own, as the MicroPython half does."""
    if UNIT in pyfuncitem.path.parents and inspect.iscoroutinefunction(pyfuncitem.obj):
        asyncio.run(pyfuncitem.obj())
        return True
    return None
