"""`python -m wiring [--check] [BOARD ...]`: writes wiring.svg and the wiring table of each board's README.

With --check nothing is written; exit 1 says that something is not as it would be made. Exit 2: used wrongly.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wiring import picture, spec, table


def made(name: str, folder: Path = spec.BOARDS) -> dict[Path, str]:
    """What the board's two files should be. Raises WiringError."""
    board = spec.load(name, folder)
    readme = folder / name / "README.md"
    try:
        text = table.replaced(readme.read_text(encoding="utf-8"), table.markdown(board))
    except (OSError, ValueError) as error:
        raise spec.WiringError(f"boards/{name}/README.md: {error}") from error
    return {readme: text, folder / name / "wiring.svg": picture.draw(board)}


def stale(name: str, folder: Path = spec.BOARDS) -> list[Path]:
    """Files that are not what would be made. Raises WiringError."""
    files = made(name, folder)
    return [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    chosen = [argument for argument in arguments if argument != "--check"]
    if any(argument.startswith("-") for argument in chosen):
        print("usage: python -m wiring [--check] [BOARD ...]", file=sys.stderr)
        return 2
    worst = 0
    for name in chosen or spec.names():
        try:
            if not check:
                for path, text in made(name).items():
                    path.write_text(text, encoding="utf-8")
            for path in stale(name):
                print(
                    f"{path.relative_to(spec.ROOT)} is not what board.py and parts.toml say: make boards",
                    file=sys.stderr,
                )
                worst = 1
        except spec.WiringError as error:
            print(error, file=sys.stderr)
            worst = 1
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
