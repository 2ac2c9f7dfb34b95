"""The points that the daemon's code names, as its sources say: each must be passed by some scene."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lapel_companion.link import wishes
from lapel_wire import messages

SOURCES = Path(wishes.__file__).parents[1]
# The seam itself, and those of which a person sees at once that they failed (pairing has a sweep of its own).
_NOT_HERE = ("durable.py", "keys.py", "pairing.py", "setup.py", "service.py", "tokens.py")
_STEPS = {
    "sync_dir": ("folder",),
    "sync_file": ("sync",),
    "write_atomic": ("sync", "rename", "folder"),
    "rename": ("rename", "folder"),
    "remove": ("remove",),
    "end_group": ("end",),
}
# Steps whose names are made where they are passed; what they may be called is found below.
_MADE = ("events.commit[", "link.send[", "channel.show[", "")


def named() -> set[str]:
    """Names of steps, without `.before` and `.after`; an event's kind is named `events.commit[kind]`."""
    found = {f"link.send[{messages.TABLE[kind][0]}]" for rank in wishes._ORDER for kind in rank}
    for path in sorted(SOURCES.rglob("*.py")):
        if path.name not in _NOT_HERE:
            found |= set(_in_module(ast.parse(path.read_text()), path))
    return found


def passed(trail: Iterable[str]) -> set[str]:
    """The steps of a trail by the names that `named` gives; those with both their points only."""
    reached = set(trail)
    steps = {point.removesuffix(".after") for point in reached if point.endswith(".after")}
    whole = {step for step in steps if f"{step}.before" in reached}
    found = set()
    for step in whole:
        start, bracket, kinds = step.partition("[")
        many = kinds.rstrip("]").split("+") if bracket and start == "events.commit" else [""]
        found |= {f"{start}[{kind}]" for kind in many} if many != [""] else {step}
    return found


def _in_module(tree: ast.Module, path: Path) -> Iterator[str]:
    words = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        texts = [_text(argument, words) for argument in node.args]
        either = [one for argument in node.args for one in _either(argument)]
        known = [text for one in either if (text := _text(one, words)) is not None]
        if called in _STEPS and known and (called == "end_group" or _of_durable(node.func)):
            yield from (f"{what}.{step}" for what in known for step in _STEPS[called])
        elif called == "step" and _of_durable(node.func):
            if texts[0] is not None:
                yield texts[0]
            else:
                assert _made(node.args[0]), f"{path}:{node.lineno}: what can this step be called?"
        elif (kind := _kind(called, node, texts)) is not None:
            yield f"events.commit[{kind}]"


def _kind(called: str, node: ast.Call, texts: list[str | None]) -> str | None:
    """The kind of the event that a call appends."""
    if called == "to_thread":
        return texts[1] if getattr(node.args[0], "attr", "") == "append" else None
    by_somebody = any(word.arg == "principal" for word in node.keywords)
    return texts[0] if called == "_note" or (called == "append" and by_somebody) else None


def _of_durable(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "durable"


def _either(node: ast.expr) -> list[ast.expr]:
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _text(node: ast.expr, words: Mapping[str, object]) -> str | None:
    value = words.get(node.id) if isinstance(node, ast.Name) else getattr(node, "value", None)
    return value if isinstance(value, str) else None


def _made(node: ast.expr) -> bool:
    first = node.values[0] if isinstance(node, ast.JoinedStr) else None
    start = first.value if isinstance(first, ast.Constant) else ""
    return isinstance(node, ast.JoinedStr) and start in _MADE
