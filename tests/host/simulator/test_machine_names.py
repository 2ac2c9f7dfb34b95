"""The simulated `machine` and `esp32` have nothing that the device's lack: names and arguments, by the stubs."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable
from pathlib import Path

import pytest

SIM = Path(__file__).parents[3] / "boards" / "sim"
# For the simulator itself.
OUR_OWN = {
    "machine": {"reserve_dma", "number"},
    "I2S": {"slot", "filled", "ioctl"},
    "Timer": {"due"},
    "Partition": {"__init__"},
}
# The stubs leave these out; the ESP32 port has them (machine_pwm.c, machine_i2c.c, machine_pin.c, esp32_partition.c).
NOT_IN_STUBS = {"duty", "timeout", "hold", "block_size"}

Names = dict[str, set[str]]


def stub(module: str) -> ast.Module:
    """What the device has."""
    packages = importlib.util.find_spec("pytest")
    assert packages
    assert packages.origin
    folder = Path(packages.origin).parents[1]
    for name in (folder / f"{module}.pyi", folder / module / "__init__.pyi"):
        if name.is_file():
            return ast.parse(name.read_text(encoding="utf-8"))
    raise AssertionError(f"no stubs of {module} are installed; type: make tools")


def names(body: Iterable[ast.stmt]) -> Names:
    """What is defined there, and the arguments of functions, of all overloads."""
    found: Names = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            a = node.args
            given = {arg.arg for arg in [*a.posonlyargs, *a.args, *a.kwonlyargs]}
            found.setdefault(node.name, set()).update(given | ({"**"} if a.kwarg or a.vararg else set()))
        elif isinstance(node, ast.ClassDef):
            found[node.name] = set()
        elif isinstance(node, ast.AnnAssign):
            found[ast.unparse(node.target)] = set()
        elif isinstance(node, ast.Assign):
            found |= {ast.unparse(target): set() for target in node.targets}
    return found


def classes(tree: ast.Module) -> dict[str, Names]:
    """Each class with what it has from its bases."""
    found: dict[str, Names] = {}
    for node in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        found[node.name] = names(node.body)
    for node in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        for base in node.bases:
            found[node.name] = found.get(ast.unparse(base), {}) | found[node.name]
    return found


def strangers(ours: Names, theirs: Names, own: set[str], where: str) -> list[str]:
    """What ours have and theirs have not. Arguments that are given by place alone may have any name."""
    found = []
    for name, given in ours.items():
        if (name.startswith("_") and name != "__init__") or name in own:
            continue
        if name not in theirs:
            found.append(f"{where}{name}")
            continue
        known = theirs[name]
        if "**" in known or "**" in given:
            continue
        more = given - known - NOT_IN_STUBS
        found += [f"{where}{name}({argument})" for argument in sorted(more)]
    return found


@pytest.mark.parametrize("module", ["machine", "esp32"])
def test_nothing_is_made_up(module: str) -> None:
    device = stub(module)
    their_classes, their_names = classes(device), names(device.body)
    found = []
    files = sorted((SIM / module).glob("*.py")) or [SIM / f"{module}.py"]
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        found += strangers(names(functions), their_names, OUR_OWN["machine"], "")
        for name, ours in classes(tree).items():
            if name.startswith("_"):
                continue
            if name not in their_classes:
                found.append(name)
            elif name != "Signal":
                found += strangers(ours, their_classes[name], OUR_OWN.get(name, set()), f"{name}.")
    assert found == []


def test_a_made_up_name_would_be_found() -> None:
    theirs: Names = {"value": {"self", "x"}}
    assert strangers({"value": {"self", "level"}, "blink": {"self"}}, theirs, set(), "Pin.") == [
        "Pin.value(level)", "Pin.blink",
    ]  # fmt: skip
