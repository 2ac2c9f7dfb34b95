"""Checks TOML values against the tables of config_keys, and words what is wrong for a person."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion.config_keys import Key
from lapel_companion.toml_lines import Path as KeyPath

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WANTED = {
    "text": 'text in quotes, like "this"',
    "flag": "true or false",
    "whole": "a whole number",
    "number": "a number",
    "texts": 'a list of texts, like ["this", "that"]',
    "file": 'a path in quotes that starts with / or ~/, like "~/notes.md"',
    "variable": 'the name of an environment variable, like "OPENAI_API_KEY", never the key itself',
    "clock": 'a time of day in quotes, like "22:30"',
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file."""

    file: Path
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        return (
            f"{self.file}, line {self.line}: {self.key}: {self.text}"
            if self.key
            else f"{self.file}: {self.text}"
        )

    def order(self) -> tuple[int, str]:
        return self.line, self.key


class Checker:
    """Collects the problems of one file, so that a person can mend all of them at once."""

    def __init__(self, file: Path, lines: Mapping[KeyPath, int]) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = lines

    def line(self, path: KeyPath) -> int:
        """The line of a key, or of the table it should stand in."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def wrong(self, path: KeyPath, text: str) -> None:
        """Note a problem with the key (or table) at `path`."""
        self.problems.append(Problem(self._file, self.line(path), _name(path), text))

    def sections(
        self, document: Mapping[str, Any], known: Mapping[str, Mapping[str, Key]], arrays: tuple[str, ...]
    ) -> dict[str, dict[str, Any]]:
        """The values of every known section, with defaults; `arrays` are checked elsewhere."""
        for name, value in document.items():
            if name in arrays:
                continue
            if name not in known:
                self.wrong((name,), self._unknown(name, [*known, *arrays], known, "section"))
            elif not isinstance(value, dict):
                self.wrong((name,), f"this is a section: write [{name}] on a line of its own.")
        given = {name: document.get(name) for name in known}
        return {
            name: self.table((name,), table if isinstance(table, dict) else {}, known[name])
            for name, table in given.items()
        }

    def table(self, path: KeyPath, table: Mapping[str, Any], known: Mapping[str, Key]) -> dict[str, Any]:
        """The values of one section, checked; wrong and missing ones are their defaults."""
        for name in table:
            if name not in known:
                self.wrong((*path, name), self._unknown(name, list(known), {}, "key"))
        return {
            name: self._value((*path, name), table[name], key) if name in table else key.default
            for name, key in known.items()
        }

    def _unknown(
        self, name: str, known: list[str], sections: Mapping[str, Mapping[str, Key]], what: str
    ) -> str:
        for section, keys in sections.items():
            if name in keys:
                return f"there is no such section; the key {name} belongs under [{section}]."
        near = difflib.get_close_matches(name, known, 1, 0.6)
        if near:
            return f"there is no such {what}; did you mean {near[0]}?"
        return f"there is no such {what}; known here: {', '.join(known)}."

    def _value(self, path: KeyPath, value: Any, key: Key) -> Any:
        taken, value = _typed(value, key.kind)
        if not taken:
            self.wrong(path, f"this must be {_WANTED[key.kind]}.")
            return key.default
        fault = _fault(value, key)
        if fault:
            self.wrong(path, fault)
            return key.default
        return value


def _typed(value: Any, kind: str) -> tuple[bool, Any]:
    if kind == "flag":
        return isinstance(value, bool), value
    if isinstance(value, bool):
        return False, None
    if kind == "whole":
        return isinstance(value, int), value
    if kind == "number":
        return isinstance(value, (int, float)), float(value) if isinstance(value, (int, float)) else None
    if kind == "texts":
        if isinstance(value, str):
            value = [value]
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return good, tuple(value) if good else None
    if not isinstance(value, str):
        return False, None
    if kind == "clock":
        return bool(_CLOCK.fullmatch(value)), value
    if kind == "variable":
        return bool(_VARIABLE.fullmatch(value)), value
    if kind == "file":
        good = value.startswith(("/", "~/")) or value == "~"
        return good, Path(value).expanduser() if good else None
    return True, value


def _fault(value: Any, key: Key) -> str | None:
    texts = value if isinstance(value, tuple) else (value,) if isinstance(value, str) else ()
    for text in texts:
        if _CONTROL.search(text):
            return "control characters have no place here; write one plain line."
        if not text.strip():
            return "this is empty; write something between the quotes, or remove the key."
    if key.choices and value not in key.choices:
        near = difflib.get_close_matches(value, key.choices, 1, 0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f'"{value}" is not known; choose one of {", ".join(key.choices)}.{hint}'
    size = (
        value if isinstance(value, (int, float)) else len(value) if isinstance(value, (str, tuple)) else None
    )
    if size is None or isinstance(value, bool) or key.low is None or key.high is None:
        return None
    if not key.low <= size <= key.high:
        what = {"text": "characters", "texts": "texts"}.get(key.kind)
        bounds = f"between {key.low:g} and {key.high:g}"
        return f"this must have {bounds} {what}." if what else f"this must be {bounds}."
    return None


def _name(path: KeyPath) -> str:
    """How a person finds the key: "[speech] engine", "[[phrase]] 2 say"."""
    if not path:
        return ""
    section = f"[{path[0]}]"
    rest = path[1:]
    if rest and isinstance(rest[0], int):
        section, rest = f"[[{path[0]}]] {rest[0] + 1}", rest[1:]
    return " ".join([section, *(str(part) for part in rest)])
