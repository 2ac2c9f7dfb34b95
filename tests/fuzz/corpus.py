"""The inputs that every run begins with: corpus/TARGET.txt, a line each: a name that says what it is, and its bytes
in hex."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "corpus"


def read(target: str) -> dict[str, bytes]:
    """Inputs by name; none where there is no file yet."""
    path = FOLDER / f"{target}.txt"
    lines = path.read_text("ascii").splitlines() if path.exists() else []
    return {name: bytes.fromhex(data) for name, _, data in (line.partition(": ") for line in lines)}


def write(target: str, inputs: dict[str, bytes]) -> None:
    """Puts these in place of what was there."""
    lines = [f"{name}: {data.hex()}\n" for name, data in sorted(inputs.items())]
    (FOLDER / f"{target}.txt").write_text("".join(lines), "ascii")


def add(target: str, name: str, data: bytes) -> bool:
    """Adds one input; False where there is one of that name."""
    inputs = read(target)
    if name in inputs:
        return False
    write(target, {**inputs, name: data})
    return True
