"""Mistakes as somebody might make them. Each is one place in the source, and the cases that must catch it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """`wrong` stands where `right` stood in `file`; `cases` are beginnings of names of cases, tried in turn."""

    name: str
    file: str
    right: str
    wrong: str
    cases: tuple[str, ...]
    n: int = 400


DEFECTS: tuple[Defect, ...] = ()
