"""Finds every viper function of the project by reading its source, and what the device's compiler gets wrong in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from device_code.instrument import is_viper
from device_code.meaning import ROOT

FOLDERS = (ROOT / "lib", ROOT / "firmware", ROOT / "boards")
# mpy-cross 1.29 for xtensawin loads from a wrong address there: the index overwrites the pointer.
CONSTANT_INDEX_END = 256


@dataclass(frozen=True)
class Found:
    """A viper function: its module, its dotted name with that, and where it begins."""

    module: str
    name: str
    path: Path
    line: int


@dataclass(frozen=True)
class Mistake:
    """Code that is right and whose machine code is not."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def kernels(folders: Sequence[Path] = FOLDERS) -> list[Found]:
    """Every viper function, sorted by name."""
    return sorted((found for found, _ in _all(folders)), key=lambda found: found.name)


def miscompiled(folders: Sequence[Path] = FOLDERS) -> list[Mistake]:
    """Pointers with a constant index that the device's compiler has no room for in the instruction."""
    mistakes = []
    for found, (function, constants) in _all(folders):
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript):
                index = _constant(node.slice, constants)
                if index is not None and not 0 <= index < CONSTANT_INDEX_END:
                    text = f"the constant index {index} is miscompiled for the device: keep it in a variable"
                    mistakes.append(Mistake(found.path, node.lineno, text))
    return mistakes


def _all(folders: Sequence[Path]) -> Iterator[tuple[Found, tuple[ast.FunctionDef, dict[str, int]]]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if "viper" not in text:
                continue
            tree = ast.parse(text, str(path))
            module = path.relative_to(folder).with_suffix("").as_posix().removesuffix("/__init__").replace("/", ".")
            constants = _constants(tree)
            for name, function in functions(tree):
                yield Found(module, f"{module}.{name}", path, function.lineno), (function, constants)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """The viper functions of a module, in the order in which they stand there, with their dotted names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if is_viper(node):
                assert isinstance(node, ast.FunctionDef)
                yield prefix + node.name, node
            yield from functions(node, f"{prefix}{node.name}.")
        else:
            yield from functions(node, prefix)


def _constants(tree: ast.Module) -> dict[str, int]:
    """Names that the compiler replaces by their number: X = const(...)."""
    constants: dict[str, int] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=function, args=[value])):
                number = _constant(value, constants)
                if ast.unparse(function) in ("const", "micropython.const") and number is not None:
                    constants[name] = number
    return constants


def _constant(node: ast.expr, constants: dict[str, int]) -> int | None:
    """The number that an expression of constants is, or None."""
    match node:
        case ast.Constant(value=int() as value):
            return value
        case ast.Name(id=name):
            return constants.get(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value_ = _constant(operand, constants)
            return None if value_ is None else -value_
        case ast.BinOp(left=left, op=op, right=right):
            one, other = _constant(left, constants), _constant(right, constants)
            if one is None or other is None:
                return None
            if isinstance(op, ast.LShift | ast.RShift) and not 0 <= other < 64:
                return None
            match op:
                case ast.Add():
                    return one + other
                case ast.Sub():
                    return one - other
                case ast.Mult():
                    return one * other
                case ast.LShift():
                    return one << other
                case ast.RShift():
                    return one >> other
    return None
