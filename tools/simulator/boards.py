"""Real boards on the simulator: the modules of their folder, and the parts that hang on their pins."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path

from simulator.pin import (
    CLASSIC,
    DEVICE_DMA_BYTES,
    DEVICE_NATIVE_BYTES,
    FAKES_BYTES,
    HEAP_BYTES,
    WORDS_ARE_TWICE,
    PinSpec,
)
from wiring import spec

# A heap in PSRAM has nothing to do with DMA memory and machine code, which lie in internal RAM.
PSRAM_BYTES = 1 << 20
# Measured: models of chips and their wires, beside what every stand-in keeps.
CHIPS_BYTES = 22_000


class BoardError(Exception):
    """There is no such board, or not such a part on it; the text says which there are."""


def names() -> list[str]:
    """All that can be simulated."""
    return [CLASSIC, *spec.names()]


def pin_spec(
    name: str, without: Sequence[str] = (), paths: Sequence[Path] = (), virtual_radio: bool = True, heap_bytes: int = 0
) -> PinSpec:
    """The board `name`, its chips named in `without` left out. `heap_bytes` 0: as its memory table says.

    Raises BoardError.
    """
    if name not in names():
        raise BoardError(f"no board {name!r} with parts; there are {', '.join(names())}")
    if name == CLASSIC:
        if without:
            raise BoardError(f"the board {CLASSIC} has no chips to leave out; those are on {', '.join(spec.names())}")
        return PinSpec(paths=paths, virtual_radio=virtual_radio, heap_bytes=heap_bytes or HEAP_BYTES)
    try:
        parts = spec.load(name).simulated()
    except spec.WiringError as error:
        raise BoardError(str(error)) from error
    chips = sorted({str(part["chip"]) for part in parts})
    unknown = [chip for chip in without if chip not in chips]
    if unknown:
        raise BoardError(f"{name} has no {unknown[0]!r}; it has {', '.join(chips)}")
    listed = json.dumps([part for part in parts if part["chip"] not in without])
    return PinSpec(
        paths=paths,
        virtual_radio=virtual_radio,
        heap_bytes=heap_bytes or _heap_bytes(name),
        board=name,
        env={"LAPEL_SIM_PARTS": listed},
    )


def _heap_bytes(name: str) -> int:
    memory = _memory(spec.BOARDS / name / "board.py")
    heap_bytes = memory["heap_bytes"]
    if heap_bytes < PSRAM_BYTES:
        heap_bytes -= DEVICE_DMA_BYTES + DEVICE_NATIVE_BYTES
    return WORDS_ARE_TWICE * heap_bytes + FAKES_BYTES + CHIPS_BYTES


def _memory(path: Path) -> dict[str, int]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["memory"]:
            return {str(use): int(count) for use, count in ast.literal_eval(node.value).items()}
    raise BoardError(f"{path}: its Board has no memory = {{...}}")
