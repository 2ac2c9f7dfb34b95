"""Puts the device's stubs together: PyPI's for the ESP32, less what the device lacks, and tools/typings."""

from __future__ import annotations

import ast
import hashlib
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from device_types import builtins_table as table

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "tools" / "typings" / "device"
PUBLISHED = ("micropython-stdlib-stubs", "micropython-esp32-stubs")
# Where the published stubs are wrong: module, what they say, what is right (extmod/modbluetooth.c).
CORRECTIONS = (
    ("builtins", "class bytearray(MutableSequence[int]):", "class bytearray(Sequence[int]):"),
    (
        "micropython",
        "def viper(_func: Callable[_Param, _Ret], /) -> Callable[_Param, _Ret]:",
        "def viper(_func: Callable[..., _Ret], /) -> Callable[..., _Ret]:",
    ),
    ("bluetooth", "_handle: memoryview", "_handle: int"),
    ("bluetooth", "tuple[memoryview, ...]", "tuple[Any, ...]"),
    (
        "bluetooth",
        "def gatts_notify(self, value_handle: int, data: bytes, /)",
        "def gatts_notify(self, conn_handle: int, value_handle: int, data: AnyReadableBuf | None = None, /)",
    ),
    (
        "bluetooth",
        "def gatts_write(self, value_handle: int, data: bytes,",
        "def gatts_write(self, value_handle: int, data: AnyReadableBuf,",
    ),
    (
        "bluetooth",
        "def gatts_set_buffer(self, conn_handle: int,",
        "def gatts_set_buffer(self, value_handle: int,",
    ),
)


def assemble(target: Path) -> Path:
    """Makes `target` a folder for mypy's --custom-typeshed-dir, unless it is up to date, and returns it."""
    key = _key()
    stamp = target / "made-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
        return target
    shutil.rmtree(target, ignore_errors=True)
    stdlib = target / "stdlib"
    for name in PUBLISHED:
        for entry in metadata.files(name) or ():
            if entry.suffix == ".pyi":
                parts = entry.parts
                inside = parts if parts[0] in ("stdlib", "stubs") else ("stdlib", *parts)
                goal = target.joinpath(*inside)
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(entry.locate()), goal)
    for own in OWN.rglob("*.pyi"):
        inside_own = own.relative_to(OWN)
        # A package of ours replaces the whole package, but for collections, whose abc the checker needs.
        if inside_own.name == "__init__.pyi" and inside_own.parts[0] != "collections":
            shutil.rmtree(stdlib / inside_own.parent, ignore_errors=True)
        if inside_own.name != "__init__.pyi":
            shutil.rmtree(stdlib / inside_own.stem, ignore_errors=True)
        (stdlib / inside_own).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(own, stdlib / inside_own)
    for module, wrong, right in CORRECTIONS:
        path = stdlib / f"{module}.pyi"
        text = path.read_text(encoding="utf-8")
        if wrong not in text:
            raise SystemExit(
                f"device_types: {module}.pyi no longer says {wrong!r}; look at CORRECTIONS in {__file__}"
            )
        path.write_text(text.replace(wrong, right), encoding="utf-8")
    builtins = stdlib / "builtins.pyi"
    builtins.write_text(trimmed(builtins.read_text(encoding="utf-8")) + table.VIPER, encoding="utf-8")
    modules = sorted({path.name.removesuffix(".pyi") for path in stdlib.iterdir()} - {"VERSIONS"})
    (stdlib / "VERSIONS").write_text("".join(f"{module}: 3.0-\n" for module in modules), encoding="utf-8")
    stamp.write_text(key, encoding="utf-8")
    return target


def trimmed(source: str) -> str:
    """`source` of builtins.pyi without the names and methods that the device lacks."""
    lines = source.splitlines(keepends=True)
    for first, last in sorted(_surplus(ast.parse(source).body), reverse=True):
        # `pass` keeps the block that would else be empty; its column is that of what it replaces.
        indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
        lines[first - 1 : last] = [f"{indent}pass\n"]
    return "".join(lines)


def _surplus(body: list[ast.stmt], of_class: str | None = None) -> Iterator[tuple[int, int]]:
    """First and last line of each definition to take out."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _surplus(node.body, of_class)
            yield from _surplus(node.orelse, of_class)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if _wanted(node.name, of_class):
                if isinstance(node, ast.ClassDef) and node.name in table.METHODS:
                    yield from _surplus(node.body, node.name)
            else:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                yield first, node.end_lineno or node.lineno
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and not _wanted(target.id, of_class):
                yield node.lineno, node.end_lineno or node.lineno


def _wanted(name: str, of_class: str | None) -> bool:
    if name.startswith("_"):
        return True
    if of_class is not None:
        return name in table.METHODS[of_class]
    return name in table.NAMES or name in table.CHECKER_NAMES


def _key() -> str:
    digest = hashlib.sha256()
    for path in [*sorted(Path(__file__).parent.glob("*.py")), *sorted(OWN.rglob("*.pyi"))]:
        digest.update(path.read_bytes())
    for name in PUBLISHED:
        digest.update(f"{name} {metadata.version(name)}".encode())
    return digest.hexdigest()
