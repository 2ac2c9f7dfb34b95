"""On which line a key of a TOML text stands; the standard parser does not say.

Only for texts that the standard parser has accepted, so it need not judge, only find.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_KEY = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*""")


def locate(text: str) -> dict[Path, int]:
    """Line (from 1) of every table header and key: ("speech", "engine") or ("phrase", 0, "say")."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line, start = lines[number], number + 1
        stripped = line.strip()
        if stripped.startswith("["):
            names = _dotted(stripped.lstrip("[").lstrip())[0]
            table = _resolve(names, counts)
            found.setdefault(table, start)
            if stripped.startswith("[["):
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, start)
            number += 1
            continue
        if not stripped or stripped.startswith("#"):
            number += 1
            continue
        names, rest = _dotted(line)
        for depth in range(1, len(names) + 1):
            found.setdefault((*table, *names[:depth]), start)
        number = _end_of_value(lines, number, len(line) - len(rest))
    return found


def _dotted(text: str) -> tuple[tuple[str, ...], str]:
    """The dotted key at the start of `text`, and what follows its `=` or `]`."""
    names: list[str] = []
    while match := _KEY.match(text):
        names.append(next(group for group in match.groups() if group is not None))
        text = text[match.end() :]
        if not text.startswith("."):
            break
        text = text[1:]
    return tuple(names), text[1:]


def _resolve(names: tuple[str, ...], counts: dict[Path, int]) -> Path:
    """A header below an array of tables belongs to the newest table of that array."""
    path: Path = ()
    for place, name in enumerate(names):
        path = (*path, name)
        if path in counts and place < len(names) - 1:
            path = (*path, counts[path])
    return path


def _end_of_value(lines: list[str], number: int, column: int) -> int:
    """The line after the value that starts at this line and column; values may span lines."""
    depth, closing = 0, ""
    while number < len(lines):
        line = lines[number]
        while column < len(line):
            if closing:
                column, closing = _inside_string(line, column, closing)
                continue
            character = line[column]
            if character == "#":
                break
            if character in "\"'":
                closing = character * 3 if line.startswith(character * 3, column) else character
                column += len(closing)
                continue
            depth += (character in "[{") - (character in "]}")
            column += 1
        number, column = number + 1, 0
        if depth <= 0 and len(closing) != 3:
            break
    return number


def _inside_string(line: str, column: int, closing: str) -> tuple[int, str]:
    if closing[0] == '"' and line[column] == "\\":
        return column + 2, closing
    if line.startswith(closing, column):
        # A multi-line string may end in up to two quotes of its own.
        while len(closing) == 3 and line.startswith(closing[0], column + 3):
            column += 1
        return column + len(closing), ""
    return column + 1, closing
