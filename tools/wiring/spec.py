"""A board's wiring as data: PINS of its board.py, read without running it, and its parts.toml."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOARDS = ROOT / "boards"
SIGNALS = (
    "button", "mic_sck", "mic_ws", "mic_sd", "i2c_sda", "i2c_scl", "i2c_power", "haptic_en", "motor", "pixel",
    "pixel_power", "led", "battery", "vbus",
)  # fmt: skip
# Names of pins that carry power, on the boards we know.
POWER = frozenset({"3V3", "3V", "5V", "GND", "BAT", "BAT+", "BAT-", "JST +", "JST -", "USB"})
# What the simulator has a model of; a cell is only a part to solder.
CHIPS = frozenset({"button", "i2s_mic", "drv2605l", "motor", "ws2812", "led", "divider", "max17048", "cell"})
UNSIMULATED = frozenset({"cell"})
# ESP32-S3 data sheet: strapping pins, the USB pins, RTC GPIOs (those wake the chip), pins of ADC1.
STRAPPING = frozenset({0, 3, 45, 46})
USB_PINS = frozenset({19, 20})
RTC_PINS = range(22)
ADC1_PINS = range(1, 11)
GPIOS = frozenset({*range(22), *range(26, 49)})


class WiringError(Exception):
    """A board's tables do not fit together; the text says where, and what to do."""


@dataclass(frozen=True)
class Part:
    """One thing to solder, or on the board already. `pins`: its pin -> a signal of PINS or a pin of power."""

    name: str
    chip: str
    pins: dict[str, str]
    onboard: bool = False
    note: str = ""
    # What other makers print beside a pin.
    printed: dict[str, str] | None = None

    def pin_names(self, pin: str) -> str:
        """All that may be printed beside a pin: "SCK / BCLK"."""
        other = (self.printed or {}).get(pin, "")
        return f"{pin} / {other}" if other else pin


@dataclass(frozen=True)
class Board:
    """Everything that board.py and parts.toml say of the pins."""

    name: str
    title: str
    chip: str
    micropython: str
    variant: str
    minimum: str
    pins: dict[str, int]
    labels: dict[int, str]
    memory_pins: range
    strapping: dict[int, str]
    left: tuple[str, ...]
    right: tuple[str, ...]
    pads: tuple[str, ...]
    pads_place: str
    usb: str
    parts: tuple[Part, ...]

    def label(self, target: str) -> str:
        """What is printed on the board where a part's pin goes."""
        return self.labels[self.pins[target]] if target in self.pins else target

    def simulated(self) -> list[dict[str, object]]:
        """The parts as the simulator takes them: chips and their GPIOs, power pins left out."""
        return [
            {"chip": part.chip, "pins": {pin: self.pins[to] for pin, to in part.pins.items() if to in self.pins}}
            for part in self.parts
            if part.chip not in UNSIMULATED
        ]


def names(folder: Path = BOARDS) -> list[str]:
    """The boards that have a parts.toml, by name."""
    return sorted(path.parent.name for path in folder.glob("*/parts.toml"))


def load(name: str, folder: Path = BOARDS) -> Board:
    """The board of that folder, checked. Raises WiringError with every mistake, a line each."""
    place = folder / name
    if not (place / "parts.toml").is_file():
        known = ", ".join(names(folder)) or "none"
        raise WiringError(f"{place / 'parts.toml'} is not there; boards with parts: {known}")
    board = _board(place, _toml(place / "parts.toml"), _pins(place / "board.py"))
    mistakes = list(_mistakes(board))
    if mistakes:
        raise WiringError("\n".join(f"boards/{name}: {mistake}" for mistake in mistakes))
    return board


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise WiringError(f"{path}: {error}") from error


def _pins(path: Path) -> dict[str, int]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as error:
        raise WiringError(f"{path}: {error}") from error
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["PINS"]:
            try:
                found = ast.literal_eval(node.value)
            except ValueError as error:
                raise WiringError(f"{path}: PINS must be a plain table of names and numbers") from error
            return {str(signal): int(gpio) for signal, gpio in found.items()}
    raise WiringError(f"{path}: there is no PINS = {{...}} at its top level")


def _board(place: Path, raw: dict[str, object], pins: dict[str, int]) -> Board:
    where = f"boards/{place.name}/parts.toml"

    def text(key: str, default: str | None = None) -> str:
        value = raw.get(key, default)
        if not isinstance(value, str):
            raise WiringError(f'{where}: {key} = "..." is missing')
        return value

    def table(key: str) -> dict[str, str]:
        value = raw.get(key, {})
        if not isinstance(value, dict):
            raise WiringError(f"{where}: [{key}] must be a table")
        return {str(k): str(v) for k, v in value.items()}

    def row(key: str) -> tuple[str, ...]:
        value = raw.get(key, [])
        if not isinstance(value, list):
            raise WiringError(f"{where}: {key} must be a list of labels")
        return tuple(map(str, value))

    memory = raw.get("memory_pins", [26, 37])
    if not (isinstance(memory, list) and len(memory) == 2 and all(isinstance(end, int) for end in memory)):
        raise WiringError(f"{where}: memory_pins must be [first, last]")
    parts = raw.get("part", [])
    if not isinstance(parts, list) or not parts:
        raise WiringError(f"{where}: there is no [[part]]")
    return Board(
        name=place.name,
        title=text("title"),
        chip=text("chip"),
        micropython=text("micropython"),
        variant=text("variant", ""),
        minimum=text("minimum"),
        pins=pins,
        labels={int(gpio): label for gpio, label in table("labels").items()},
        memory_pins=range(memory[0], memory[1] + 1),
        strapping={int(gpio): why for gpio, why in table("strapping").items()},
        left=row("left"),
        right=row("right"),
        pads=row("pads"),
        pads_place=text("pads_place", ""),
        usb=text("usb", "top"),
        parts=tuple(_part(where, number, one) for number, one in enumerate(parts, 1)),
    )


def _part(where: str, number: int, raw: object) -> Part:
    known = {"name", "chip", "pins", "onboard", "note", "printed"}
    if not isinstance(raw, dict) or not {"name", "chip", "pins"} <= raw.keys() <= known:
        raise WiringError(f"{where}: part {number} needs name, chip and pins, and may have onboard, note, printed")
    return Part(**raw)


def _mistakes(board: Board) -> Iterator[str]:
    for signal, gpio in board.pins.items():
        where = f"PINS: {signal} on GPIO {gpio}"
        others = [other for other, its in board.pins.items() if its == gpio and other != signal]
        if signal not in SIGNALS:
            yield f"PINS: {signal} is no signal; they are {', '.join(SIGNALS)}"
        if others:
            yield f"{where}: {others[0]} is there as well"
        if gpio not in GPIOS:
            yield f"{where}: the ESP32-S3 has no such GPIO"
        if gpio in board.memory_pins:
            yield f"{where}: the module's flash or PSRAM is there"
        if gpio in USB_PINS:
            yield f"{where}: the USB socket is there"
        if gpio in STRAPPING and (signal == "button" or gpio not in board.strapping):
            yield f"{where}: a strapping pin; take another, or say in [strapping] why it is no harm"
        if signal == "button" and gpio not in RTC_PINS:
            yield f"{where}: cannot wake the chip; take one of 1 to 21"
        if signal == "battery" and gpio not in ADC1_PINS:
            yield f"{where}: not on ADC1; take one of 1 to 10"
        label = board.labels.get(gpio)
        if label is None:
            yield f"{where}: what is printed there? Say it in [labels]"
        elif not label.startswith("(") and label not in (*board.left, *board.right):
            yield f"{where}: its label {label} is on neither edge (left, right)"
    used = {to for part in board.parts for to in part.pins.values()}
    for signal in board.pins.keys() - used:
        yield f"PINS: no part uses {signal}"
    for gpio in sorted(board.labels.keys() - set(board.pins.values())):
        yield f"[labels]: GPIO {gpio} is not in PINS"
    edges = {*board.left, *board.right, *board.pads}
    for part in board.parts:
        if part.chip not in CHIPS:
            yield f"{part.name}: no chip {part.chip}; there are {', '.join(sorted(CHIPS))}"
        for pin, to in part.pins.items():
            if to not in board.pins and to not in POWER:
                yield f"{part.name}: {pin} goes to {to}, which is neither a signal of PINS nor a pin of power"
            elif to in POWER and to not in edges:
                yield f"{part.name}: {pin} goes to {to}, which this board does not have (left, right, pads)"
        for pin in (part.printed or {}).keys() - part.pins.keys():
            yield f"{part.name}: printed names {pin}, which is not in pins"
    if board.usb not in ("top", "bottom"):
        yield 'usb must be "top" or "bottom"'
