"""The wiring as Markdown, into a README between two markers."""

from __future__ import annotations

from pathlib import Path

from wiring.spec import Board, Part

BEGIN = "<!-- wiring: made from board.py and parts.toml by `make boards` -->"
END = "<!-- wiring ends -->"


def markdown(board: Board) -> str:
    """Picture and table of one board, between the markers."""
    lines = [
        BEGIN,
        f"![{board.title} in the middle, its parts around it, a wire for each signal](wiring.svg)",
        "",
        "| part | its pin | goes to | GPIO | signal |",
        "|---|---|---|---|---|",
    ]
    for part in board.parts:
        lines += _rows(board, part)
    notes = [f"- {part.name}: {part.note}." for part in board.parts if part.note]
    return "\n".join([*lines, "", *notes, END])


def _rows(board: Board, part: Part) -> list[str]:
    rows = []
    title = f"{part.name}, on the board" if part.onboard else part.name
    for pin, to in part.pins.items():
        gpio, signal = (str(board.pins[to]), f"`{to}`") if to in board.pins else ("", "")
        rows.append(f"| {title} | {part.pin_names(pin)} | {board.label(to)} | {gpio} | {signal} |")
        # named once, at the first of its pins
        title = ""
    return rows


def replaced(text: str, made: str) -> str:
    """`text` with what stands between the markers replaced. Raises ValueError where they are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no place for the wiring: put two lines there, {BEGIN} and {END}")
    return before + made + after


def write(board: Board, readme: Path) -> None:
    """Puts the table into that README."""
    text = readme.read_text(encoding="utf-8")
    readme.write_text(replaced(text, markdown(board)), encoding="utf-8")
