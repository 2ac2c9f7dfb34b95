"""`python -m firmware_image [BOARD] [--micropython DIR]`: `make firmware BOARD=... MICROPYTHON=...`.

Builds the image where everything is there; says what is missing, and what to type, where it is not. Exit 0: built.
1: something is missing, or the build failed. 2: used wrongly.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from firmware_image import needs

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "boards"


def boards() -> list[str]:
    """Boards for which an image can be built, by name."""
    return sorted(path.parent.name for path in BOARDS.glob("*/mpconfigboard.cmake"))


def commands(board: str, micropython: Path, build: Path) -> list[list[str]]:
    """What is run, one after the other."""
    port = str(micropython / "ports" / "esp32")
    options = [f"BOARD_DIR={BOARDS / board}", f"BUILD={build}"]
    return [
        ["make", "-C", str(micropython / "mpy-cross")],
        ["make", "-C", port, *options, "submodules"],
        ["make", "-C", port, *options],
    ]


@click.command()
@click.argument("board", default="")
@click.option("--micropython", default="", help="A checkout of MicroPython.")
def main(board: str, micropython: str) -> None:
    """Builds a MicroPython image for BOARD with the app frozen into it."""
    if board not in boards():
        wrong = f"there is no image for a board {board!r}" if board else "for which board?"
        click.echo(f"make firmware: {wrong}\nBOARD=... is one of: {', '.join(boards())}", err=True)
        sys.exit(2)
    place = Path(micropython).expanduser().resolve() if micropython else None
    build = ROOT / "build" / "firmware" / board
    click.echo(
        f"An image for {board}: MicroPython with the whole app in it, run from flash instead of loaded into the heap.\n"
        "Nobody needs one to use Lapel: make flash puts the app onto MicroPython as it is downloaded. It is worth its\n"
        "while on a board without PSRAM, and where a damaged file system must not keep the pin from starting.\n"
    )
    lacking = needs.missing(place, os.environ)
    if lacking or place is None:
        click.echo(_steps(board, lacking))
        sys.exit(1)
    for command in commands(board, place, build):
        click.echo(" ".join(command))
        code = subprocess.run(command, check=False).returncode
        if code:
            click.echo(f"make firmware: {command[0]} ended with {code}; what it says is above", err=True)
            sys.exit(1)
    click.echo(_done(build))


def _steps(board: str, lacking: list[needs.Missing]) -> str:
    """What to bring, one step after the other."""
    lines = ["Not here yet:"]
    for number, one in enumerate(lacking, 1):
        lines += ["", f"{number}. {one.why}", *(f"     {command}" for command in one.commands)]
    again = f"make firmware BOARD={board} MICROPYTHON=/path/to/micropython"
    return "\n".join([*lines, "", "Then, in the same terminal:", f"     {again}"])


def _done(build: Path) -> str:
    image = build / "firmware.bin"
    return (
        f"\nBuilt: {image}\n"
        "To put it on the board (everything on its flash is lost; make backup first where there is something):\n"
        "hold BOOT, press and let go RESET, let go BOOT, then\n"
        "     .venv/bin/pip install esptool\n"
        "     .venv/bin/esptool --chip esp32s3 erase-flash\n"
        f"     .venv/bin/esptool --chip esp32s3 write-flash 0 {image}\n"
        "and press RESET. The pin starts with the frozen app. An app that make flash puts on it later goes first;\n"
        "writing `frozen` into the file `current` on the pin goes back to the frozen one."
    )


if __name__ == "__main__":
    main()
