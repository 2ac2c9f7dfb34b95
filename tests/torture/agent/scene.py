"""What the recordings of the torture say, the configuration that understands them, and what is left in a folder.

The hundreds of a recording's number are its kind, so that a press is named by one number everywhere: 7 is a task, 107
may be repeated, 207 is a note.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PHRASES = (
    "task number {number}",
    "repeat number {number}",
    "make a note number {number}",
    "remind me in one second to call number {number}",
    "broken number {number}",
    "endless number {number}",
    "parent number {number}",
    "nobody knows what number {number} is",
)
TASK, REPEAT, NOTE, REMINDER, BROKEN, ENDLESS, PARENT, UNKNOWN = (100 * i for i in range(len(PHRASES)))


def text(number: int) -> str:
    """The words of a recording."""
    return PHRASES[min(number // 100, len(PHRASES) - 1)].format(number=number)


def write_config(folder: Path, url: str) -> Path:
    """config.toml in `folder`, where ledger and notes will be; `url` is the recogniser's."""
    words = {"URL": url, "FOLDER": str(folder), "PYTHON": sys.executable, "LEDGER": str(HERE / "ledger.py")}
    filled = (HERE / "config.toml").read_text()
    for name, value in words.items():
        filled = filled.replace(f"@{name}@", value.replace("\\", "\\\\").replace('"', '\\"'))
    path = folder / "config.toml"
    path.write_text(filled)
    return path


@dataclass(frozen=True)
class Books:
    """What the agents wrote: how often each number was begun, ended, and noted."""

    begun: Counter[int]
    ended: Counter[int]
    noted: Counter[int]

    def invocations(self, number: int) -> int:
        """How often the agent of that recording acted."""
        return self.begun[number] + self.noted[number]


def read_books(folder: Path) -> Books:
    """Ledger and notes of `folder`; empty ones when nothing ran. ValueError for a line that no agent writes."""
    books = Books(Counter(), Counter(), Counter())
    for line in _lines(folder / "ledger"):
        word, _, number = line.split("\t")
        {"begin": books.begun, "end": books.ended}[word][int(number)] += 1
    for line in _lines(folder / "notes.md"):
        if " number " in f" {line}":
            books.noted[int(line.split()[-1])] += 1
    return books


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
