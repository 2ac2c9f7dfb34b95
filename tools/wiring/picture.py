"""The wiring as a picture: the board in the middle, its parts on both sides, a coloured wire for each signal.

Power is not drawn as wires: a flag at each pin names the board's pin, and all flags of one name belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pictures.svg import INK, PAPER, SOFT, Drawing

from wiring import sketch
from wiring.spec import Board, Part

WIDTH = 1200
MARGIN = 24
PART_W = 300
BOARD_W = 210
PITCH = 27
HEAD = 88
LINE = 15
GAP = 22
NOTE_CHARS = 48
# Between a part's edge and the first lane of wires: room for the flags.
FLAGS_W = 86
LANES_END = 16
# A wire that rises less than this goes straight.
STRAIGHT = 4
BOARD_FILL = "#eef2f7"
PART_FILL = "#fbfaf7"
GOLD = "#d4a72c"
FLAG_W = 46

COLOURS = {
    "button": "#7c3aed",
    "mic_sck": "#0f766e",
    "mic_ws": "#2563eb",
    "mic_sd": "#c026d3",
    "i2c_sda": "#0891b2",
    "i2c_scl": "#ca8a04",
    "haptic_en": "#4d7c0f",
    "motor": "#0891b2",
    "pixel": "#16a34a",
    "led": "#16a34a",
    "battery": "#ea580c",
    "vbus": "#9f1239",
}
GROUND = frozenset({"GND", "BAT-", "JST -"})
GROUND_COLOUR = "#111827"
CELL_COLOUR = "#b45309"
SUPPLY_COLOUR = "#dc2626"


@dataclass
class _Placed:
    """A part and where it is drawn: `x`, `y` of its box, `ports` the y of each of its pins."""

    part: Part
    left: bool
    x: float = 0
    y: float = 0
    height: float = 0
    notes: list[str] = field(default_factory=list)
    ports: dict[str, float] = field(default_factory=dict)


def draw(board: Board) -> str:
    """The SVG file's text."""
    sides = _sides(board)
    rows = max(len(board.left), len(board.right))
    pads = 60 if board.pads else 0
    board_h = rows * PITCH + 96 + pads
    height = int(max(board_h, *(_column_height(side) for side in sides)) + HEAD + MARGIN)
    drawing = Drawing(WIDTH, height)
    drawing.text(MARGIN, 36, board.title, size=21, bold=True)
    drawing.text(
        MARGIN, 60, "Seen from the front. Wires carry signals; all flags of one name meet at that pin of the board.",
        colour=SOFT,
    )  # fmt: skip
    top = HEAD + (height - HEAD - MARGIN - board_h) / 2
    x = (WIDTH - BOARD_W) / 2
    drawing.box(x, top, BOARD_W, board_h, fill=BOARD_FILL, radius=14)
    holes = _holes(board, x, top + 58)
    for side in sides:
        _place(side, height)
        _wires(drawing, board, side, holes)
        for placed in side:
            _part(drawing, board, placed)
    _board(drawing, board, top, board_h, holes)
    return drawing.source()


def _sides(board: Board) -> tuple[list[_Placed], list[_Placed]]:
    """The parts to solder, left and right, each from the top; those with no signal go where room is."""
    order = {label: i for rows in (board.left, board.right) for i, label in enumerate(rows)}
    sides: tuple[list[_Placed], list[_Placed]] = ([], [])
    idle = []
    for part in board.parts:
        labels = [board.label(to) for to in part.pins.values() if to in board.pins]
        if part.onboard:
            continue
        if not labels:
            idle.append(part)
            continue
        left = sum(label in board.left for label in labels) * 2 > len(labels)
        # pins in the order of the board's, so that wires do not cross; power below
        pins = sorted(
            part.pins,
            key=lambda pin: order[board.label(part.pins[pin])] if part.pins[pin] in board.pins else len(order),
        )
        sides[not left].append(_sized(part, left, pins))
    for side in sides:
        side.sort(
            key=lambda placed: _mean([order[board.label(to)] for to in placed.part.pins.values() if to in board.pins])
        )
    for part in idle:
        left = _column_height(sides[0]) <= _column_height(sides[1])
        sides[not left].append(_sized(part, left, list(part.pins)))
    return sides


def _sized(part: Part, left: bool, pins: Sequence[str]) -> _Placed:
    placed = _Placed(part, left, notes=_wrapped(part.note))
    pitch = PITCH
    if part.chip in sketch.CIRCUITS:
        pins, pitch = sketch.CIRCUITS[part.chip][0], sketch.PITCH
    head = 32 + LINE * len(placed.notes) + (8 if placed.notes else 0)
    for i, pin in enumerate(pins):
        placed.ports[pin] = head + pitch * (i + 0.5)
    placed.height = head + pitch * len(pins) + 8
    return placed


def _column_height(side: Sequence[_Placed]) -> float:
    return sum(placed.height for placed in side) + GAP * max(0, len(side) - 1)


def _place(side: Sequence[_Placed], height: int) -> None:
    y = HEAD + (height - HEAD - MARGIN - _column_height(side)) / 2
    for placed in side:
        placed.x = MARGIN if placed.left else WIDTH - MARGIN - PART_W
        placed.y = y
        y += placed.height + GAP


def _holes(board: Board, x: float, first: float) -> list[tuple[str, bool, float, float]]:
    """(label, whether left, x, y) of each hole of both rows."""
    rows = max(len(board.left), len(board.right))
    return [
        # a shorter row ends where the longer one ends
        (label, left, x + (0 if left else BOARD_W), first + PITCH * (i + rows - len(labels)))
        for left, labels in ((True, board.left), (False, board.right))
        for i, label in enumerate(labels)
    ]


def _board(
    drawing: Drawing, board: Board, top: float, height: float, holes: Sequence[tuple[str, bool, float, float]]
) -> None:
    usb_y = top - 8 if board.usb == "top" else top + height - 26
    drawing.box(WIDTH / 2 - 34, usb_y, 68, 34, fill="#cbd5e1", radius=6)
    drawing.text(WIDTH / 2, usb_y + 22, "USB", size=12, anchor="middle", colour=SOFT)
    used = {board.label(signal): COLOURS.get(signal, INK) for signal in board.pins}
    power = {to for part in board.parts for to in part.pins.values() if to not in board.pins}
    used |= {label: _power_colour(label) for label in power}
    for label, left, x, y in holes:
        colour = used.get(label)
        drawing.ring(x, y, 6.5, colour or GOLD)
        drawing.text(
            x + (16 if left else -16), y + 4.5, label, anchor="start" if left else "end",
            bold=colour is not None, colour=colour or SOFT,
        )  # fmt: skip
    _onboard(drawing, board, top + height / 2)
    if board.pads:
        _pads(drawing, board, (WIDTH - BOARD_W) / 2, top + height - (30 if board.usb == "top" else 64))


def _onboard(drawing: Drawing, board: Board, middle: float) -> None:
    """What the board has already, in its middle."""
    onboard = [part for part in board.parts if part.onboard]
    y = middle - 23 * len(onboard)
    for part in onboard:
        drawing.box(WIDTH / 2 - 52, y, 104, 40, radius=6)
        words = part.name.split(" ")
        lines = [" ".join(words[:-1]), words[-1]] if len(part.name) > 14 else [part.name, "on the board"]
        for i, line in enumerate(lines):
            drawing.text(
                WIDTH / 2, y + 17 + 15 * i, line, size=11, anchor="middle", bold=not i, colour=SOFT if i else INK
            )
        y += 46


def _pads(drawing: Drawing, board: Board, x: float, y: float) -> None:
    step = BOARD_W / len(board.pads)
    drawing.text(x + BOARD_W / 2, y - 21, board.pads_place, size=11, anchor="middle", colour=SOFT)
    for i, pad in enumerate(board.pads):
        middle = x + step * (i + 0.5)
        colour = _power_colour(pad)
        drawing.box(middle - 30, y - 13, 60, 26, fill=PAPER, stroke=colour, radius=4)
        drawing.text(middle, y + 5, pad, size=13, anchor="middle", bold=True, colour=colour)


def _part(drawing: Drawing, board: Board, placed: _Placed) -> None:
    part = placed.part
    drawing.box(placed.x, placed.y, PART_W, placed.height, fill=PART_FILL)
    drawing.text(placed.x + 14, placed.y + 23, part.name, size=14, bold=True)
    for i, line in enumerate(placed.notes):
        drawing.text(placed.x + 14, placed.y + 42 + LINE * i, line, size=11, colour=SOFT)
    edge = placed.x + (PART_W if placed.left else 0)
    inward = -1 if placed.left else 1
    if part.chip in sketch.CIRCUITS:
        ports = {pin: placed.y + offset for pin, offset in placed.ports.items()}
        sketch.CIRCUITS[part.chip][1](sketch.Place(drawing, edge, inward, ports))
    for pin, offset in placed.ports.items():
        y = placed.y + offset
        to = part.pins[pin]
        signal = to in board.pins
        colour = COLOURS.get(to, INK) if signal else _power_colour(to)
        anchor = "end" if placed.left else "start"
        drawing.text(edge + 14 * inward, y + 4.5, part.pin_names(pin), size=13, anchor=anchor)
        if not signal:
            _flag(drawing, edge, y, to, colour, placed.left)
        drawing.ring(edge, y, 5.5, colour)


def _flag(drawing: Drawing, edge: float, y: float, label: str, colour: str, left: bool) -> None:
    width = max(FLAG_W, 9 * len(label) + 14)
    x = edge + 16 if left else edge - 16 - width
    drawing.line(edge, y, x if left else x + width, y, colour=colour, width=2.6)
    drawing.box(x, y - 10, width, 20, fill=colour, stroke=colour, radius=4)
    drawing.text(x + width / 2, y + 4.5, label, size=12, anchor="middle", bold=True, colour=PAPER)


def _wires(
    drawing: Drawing, board: Board, side: Sequence[_Placed], holes: Sequence[tuple[str, bool, float, float]]
) -> None:
    """One lane each between parts and board, chosen so that wires of one side do not cross."""
    at = {label: (x, y) for label, _, x, y in reversed(holes)}
    ends = []
    for placed in side:
        edge = placed.x + (PART_W if placed.left else 0)
        for pin, offset in placed.ports.items():
            to = placed.part.pins[pin]
            if to in board.pins:
                ends.append((placed.y + offset, *at[board.label(to)], edge, to))
    down = [end for end in ends if end[2] > end[0]]
    up = [end for end in ends if end[2] <= end[0]]
    # of wires that go down, the highest turns nearest to the board; of those that go up, the lowest
    lanes = [*up, *reversed(down)]
    for i, (y, hole_x, hole_y, edge, signal) in enumerate(lanes):
        outward = 1 if hole_x > edge else -1
        room = abs(hole_x - edge) - FLAGS_W - LANES_END
        turn = edge + outward * (FLAGS_W + room * (i + 0.5) / len(lanes))
        bends = [] if abs(hole_y - y) < STRAIGHT else [(turn, y), (turn, hole_y)]
        colour = COLOURS.get(signal, INK)
        drawing.wire([(edge, y), *bends, (hole_x, hole_y)], colour=colour)
        drawing.text(
            edge + 12 * outward, y - 5, board.label(signal), size=12, bold=True, colour=colour,
            anchor="start" if outward > 0 else "end",
        )  # fmt: skip


def _power_colour(label: str) -> str:
    if label in GROUND:
        return GROUND_COLOUR
    return CELL_COLOUR if label.startswith(("BAT", "JST")) else SUPPLY_COLOUR


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= NOTE_CHARS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines if text else []
