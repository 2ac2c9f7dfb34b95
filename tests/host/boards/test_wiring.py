"""Tables of a board that do not fit together are found, and what is drawn from them is up to date."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from wiring import __main__ as command
from wiring import picture, spec, table

HELPERS = Path(__file__).resolve().parents[2] / "unit" / "helpers"
PINS = 'PINS = {"button": 2, "battery": 1}\n'
PARTS = """
title = "Board"
chip = "ESP32-S3"
micropython = "ESP32_GENERIC_S3"
minimum = "1.25.0"
left = ["D0", "D1", "D2"]
right = ["3V3", "GND"]

[labels]
1 = "D0"
2 = "D1"

[[part]]
name = "Button"
chip = "button"
pins = { A = "button", B = "GND" }

[[part]]
name = "Divider"
chip = "divider"
pins = { TOP = "3V3", MID = "battery", BOTTOM = "GND" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "board.py").write_text(PINS)
    (tmp_path / "one" / "parts.toml").write_text(PARTS)
    return tmp_path


def refused(folder: Path, name: str = "one") -> str:
    with pytest.raises(spec.WiringError) as caught:
        spec.load(name, folder)
    return str(caught.value)


def test_there_are_three_boards() -> None:
    assert {"xiao_esp32s3", "esp32s3_devkitc", "feather_esp32s3"} <= set(spec.names())


@pytest.mark.parametrize("name", spec.names())
def test_picture_and_table_are_up_to_date(name: str) -> None:
    """make boards makes them anew."""
    assert command.stale(name) == []


def test_a_good_board_has_no_mistakes(folder: Path) -> None:
    board = spec.load("one", folder)
    assert board.label("button") == "D1"
    assert board.simulated() == [
        {"chip": "button", "pins": {"A": 2}},
        {"chip": "divider", "pins": {"MID": 1}},
    ]


@pytest.mark.parametrize(
    ("pins", "says"),
    [
        ('{"button": 2, "battery": 2}', "battery is there as well"),
        ('{"button": 2, "battery": 11}', "not on ADC1"),
        ('{"button": 3, "battery": 1}', "a strapping pin"),
        ('{"button": 0, "battery": 1}', "a strapping pin"),
        ('{"button": 38, "battery": 1}', "cannot wake the chip"),
        ('{"button": 30, "battery": 1}', "flash or PSRAM"),
        ('{"button": 19, "battery": 1}', "the USB socket"),
        ('{"button": 23, "battery": 1}', "no such GPIO"),
        ('{"button": 2, "battery": 1, "buzzer": 4}', "buzzer is no signal"),
        ('{"button": 2, "battery": 1, "led": 4}', "no part uses led"),
        ('{"button": 2, "battery": 1, "led": 4}', "Say it in [labels]"),
        ('{"button": 2}', "battery, which is neither a signal"),
        ('{"button": 2}', "GPIO 1 is not in PINS"),
        ("make_pins()", "a plain table"),
    ],
)
def test_a_wrong_pin_is_found(folder: Path, pins: str, says: str) -> None:
    (folder / "one" / "board.py").write_text(f"PINS = {pins}\n")
    assert says in refused(folder)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('chip = "button"', 'chip = "butter"', "no chip butter"),
        ('A = "button"', 'A = "motor"', "motor, which is neither a signal"),
        ('TOP = "3V3"', 'TOP = "5V"', "5V, which this board does not have"),
        ('2 = "D1"', '2 = "D9"', "its label D9 is on neither edge"),
        ('name = "Button"\n', "", "part 1 needs name"),
        ('title = "Board"\n', "", "title"),
        ('title = "Board"', "title = Board", "parts.toml"),
        ('minimum = "1.25.0"', 'minimum = "1.25.0"\nusb = "left"', 'usb must be "top" or "bottom"'),
        ('minimum = "1.25.0"', 'minimum = "1.25.0"\nmemory_pins = 3', "memory_pins"),
        ('B = "GND" }', 'B = "GND" }\nprinted = { C = "X" }', "printed names C"),
    ],
)
def test_a_wrong_part_is_found(folder: Path, before: str, after: str, says: str) -> None:
    path = folder / "one" / "parts.toml"
    assert before in PARTS
    path.write_text(PARTS.replace(before, after, 1))
    assert says in refused(folder)


def test_a_board_that_is_not_there_names_those_that_are(folder: Path) -> None:
    assert "boards with parts: one" in refused(folder, "two")


def test_a_reason_lets_a_strapping_pin_pass_but_never_for_the_button(folder: Path) -> None:
    (folder / "one" / "board.py").write_text('PINS = {"button": 3, "battery": 1}\n')
    text = PARTS.replace('2 = "D1"', '3 = "D2"\n\n[strapping]\n3 = "because"')
    (folder / "one" / "parts.toml").write_text(text)
    assert "a strapping pin" in refused(folder)
    (folder / "one" / "board.py").write_text('PINS = {"mic_sck": 3, "battery": 1}\n')
    (folder / "one" / "parts.toml").write_text(text.replace('A = "button"', 'A = "mic_sck"'))
    assert spec.load("one", folder).strapping == {3: "because"}


def test_a_readme_without_its_markers_is_said(folder: Path) -> None:
    (folder / "one" / "README.md").write_text("# One\n")
    with pytest.raises(spec.WiringError, match="two lines"):
        command.made("one", folder)


def test_a_change_of_a_pin_makes_picture_and_table_stale(folder: Path) -> None:
    readme = folder / "one" / "README.md"
    readme.write_text(f"# One\n\n{table.BEGIN}\nold\n{table.END}\n\nafter\n")
    for path, text in command.made("one", folder).items():
        path.write_text(text)
    assert command.stale("one", folder) == []
    assert readme.read_text().startswith("# One\n") and readme.read_text().endswith("\n\nafter\n")
    (folder / "one" / "board.py").write_text('PINS = {"button": 4, "battery": 1}\n')
    text = PARTS.replace('2 = "D1"', '4 = "D2"')
    (folder / "one" / "parts.toml").write_text(text)
    assert {path.name for path in command.stale("one", folder)} == {"README.md", "wiring.svg"}


@pytest.mark.parametrize("name", spec.names())
def test_the_table_has_every_wire(name: str) -> None:
    board = spec.load(name)
    made = table.markdown(board)
    for part in board.parts:
        for pin, to in part.pins.items():
            gpio = f" {board.pins[to]} " if to in board.pins else "  "
            assert re.search(rf"\| {re.escape(part.pin_names(pin))} \| {re.escape(board.label(to))} \|{gpio}\|", made)


def test_the_soldering_steps_name_the_pins_of_the_table() -> None:
    """hardware/README.md is written by hand, for the XIAO."""
    steps = (spec.ROOT / "hardware" / "README.md").read_text(encoding="utf-8")
    board = spec.load("xiao_esp32s3")
    for words, signals in (
        ("SCK {}, WS {}, SD {}", ("mic_sck", "mic_ws", "mic_sd")),
        ("SDA {}, SCL {}", ("i2c_sda", "i2c_scl")),
        ("Button between {} and GND", ("button",)),
        ("DIN to {}", ("pixel",)),
        ("220 kΩ from BAT+ to {}", ("battery",)),
    ):
        assert words.format(*map(board.label, signals)) in steps


@pytest.mark.parametrize("name", spec.names())
def test_the_picture_is_svg_inside_its_borders(name: str) -> None:
    root = ElementTree.fromstring(picture.draw(spec.load(name)))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for shape in root.iter():
        for key, limit in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(shape.attrib.get(key, 0)) <= limit
        for point in shape.attrib.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width and 0 <= y <= height


@pytest.mark.parametrize("name", spec.names())
def test_the_unit_tests_reader_sees_the_same_parts(name: str) -> None:
    """tests/unit/helpers/board_bench.py reads parts.toml without tomllib. Its modules stay out of this process."""
    board = spec.load(name)
    program = f"import board_bench, json; print(json.dumps(board_bench.parts({name!r}, {board.pins!r})))"
    path = os.pathsep.join(map(str, (HELPERS, spec.BOARDS / "sim")))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=spec.ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [part for _, part in json.loads(done.stdout)] == board.simulated()


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nothing"]) == 1
    assert "boards with parts" in capsys.readouterr().err
    assert command.main(["--wrong"]) == 2
    assert command.main(["--check"]) == 0
