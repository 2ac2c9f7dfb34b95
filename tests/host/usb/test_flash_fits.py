"""Whether an app fits a pin: what the pin is, and what is on it already."""

from __future__ import annotations

from pathlib import Path

import pytest

from lapel_usb import build, checks
from lapel_usb.errors import Refused, Unfit, UsbError
from lapel_usb.facts import Facts
from lapel_usb.flash import Request, Told, flash
from lapel_usb.link import open_pin
from simulator.serial_pin import SerialPin
from simulator.serial_process import Claim
from tests.host.usb.desks import Desk
from tests.host.usb.trees import tree

S3 = "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3"
XTENSAWIN = 6 | 3 << 8 | 10 << 10


def facts(**changes: object) -> Facts:
    """Of a pin that fits."""
    told: dict[str, object] = {
        "name": "micropython", "version": (1, 26, 1), "machine": S3, "platform": "esp32", "mpy": XTENSAWIN,
        "psram_bytes": 8 << 20, "flash_bytes": 8 << 20, "unique_id": "00", "room_bytes": 6 << 20,
        "free_bytes": 6 << 20, "mounted": True, "bluetooth": True,
    }  # fmt: skip
    return Facts(**(told | changes))  # type: ignore[arg-type]


def test_a_simulated_pin_may_stand_for_a_board() -> None:
    there = facts(machine="Simulated pin as xiao_esp32s3", psram_bytes=0, mpy=6 | 2 << 10 | 3 << 8)
    checks.check(there, checks.wanted("xiao_esp32s3"), "/dev/pts/1")
    with pytest.raises(Unfit, match=r"is no .*Feather") as told:
        checks.check(there, checks.wanted("feather_esp32s3"), "/dev/pts/1")
    assert "BOARD=xiao_esp32s3" in told.value.way_on


@pytest.mark.parametrize(
    ("changes", "sentence", "way_on"),
    [
        ({"version": (1, 24, 1)}, "micropython 1.24.1; MicroPython 1.25 is the least", "write-flash 0x0"),
        ({"name": "circuitpython", "version": (9, 2, 1)}, "circuitpython 9.2.1", "erase-flash"),
        ({"mpy": 7}, "loads bytecode of version 7.0", "1.25 to 1.29"),
        ({"mpy": 6 | 3 << 8}, "no machine code for this chip", "write-flash"),
        ({"machine": "Generic ESP32C3 module with ESP32C3"}, "no ESP32-S3", "right port"),
        ({"machine": "Simulated pin with Lapel"}, "is no Seeed XIAO ESP32S3", "BOARD=sim"),
        ({"psram_bytes": 0}, "does not see the PSRAM", "ESP32_GENERIC_S3-SPIRAM_OCT-"),
        ({"bluetooth": False}, "without Bluetooth", "write-flash"),
        ({"flash_bytes": 2 << 20}, "has 2 MB", "another board"),
        ({"mounted": False}, "does not mount", "FORMAT=1"),
    ],
)
def test_what_a_board_cannot_use_is_a_sentence_and_a_way_on(
    changes: dict[str, object], sentence: str, way_on: str
) -> None:
    want = checks.wanted("xiao_esp32s3")
    checks.check(facts(), want, "/dev/ttyACM0")
    with pytest.raises(Unfit) as told:
        checks.check(facts(**changes), want, "/dev/ttyACM0")
    assert sentence in told.value.sentence
    assert way_on in told.value.way_on


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (Claim(S3, (1, 24, 1), XTENSAWIN, psram_bytes=8 << 20), "MicroPython 1.25 is the least"),
        (Claim(S3, (1, 30, 0), 7, psram_bytes=8 << 20), "loads bytecode of version 7.0"),
        (Claim("Generic ESP32C3 module with ESP32C3"), "is no ESP32-S3"),
        (Claim("Generic ESP32S3 module with ESP32S3", mpy=XTENSAWIN), "does not see the PSRAM"),
        (Claim(S3, mpy=XTENSAWIN, psram_bytes=8 << 20, without=("bluetooth",)), "without Bluetooth"),
        (Claim(S3, mpy=XTENSAWIN, psram_bytes=8 << 20, flash_bytes=2 << 20), "has 2 MB"),
    ],
)
def test_a_pin_that_says_so_itself_is_left_as_it_is(tmp_path: Path, claim: Claim, sentence: str) -> None:
    with SerialPin(tmp_path, claim=claim) as pin:
        pin.wait_for(b">>> ")
        operations = pin.flash.operations
        with pytest.raises(Unfit) as told, open_pin(pin.port) as link:
            flash(link, Request("xiao_esp32s3"), Told())
        assert sentence in told.value.sentence
        assert pin.flash.operations == operations


def test_a_board_without_psram_is_told_how_tight_it_is() -> None:
    feather = checks.wanted("feather_esp32s3")
    checks.check(facts(psram_bytes=0), feather, "p")
    assert "make firmware BOARD=feather_esp32s3" in (checks.tight(facts(psram_bytes=0), feather) or "")
    assert checks.tight(facts(psram_bytes=2 << 20), feather) is None
    assert checks.tight(facts(psram_bytes=0, machine="Simulated pin with Lapel"), checks.wanted("sim")) is None


def test_the_simulated_pin_is_no_place_for_another_board_and_the_other_way_round(desk: Desk) -> None:
    with pytest.raises(Unfit, match="it says it is 'Simulated pin") as told:
        desk.flash("one", board="xiao_esp32s3", root=build.ROOT)
    assert told.value.way_on == "For this simulated pin the board is BOARD=sim."
    checks.check(facts(machine="Simulated pin as xiao_esp32s3"), checks.wanted("xiao_esp32s3"), "p")
    with pytest.raises(Unfit, match="For a real pin"):
        checks.check(facts(), checks.wanted("sim"), "p")


def test_no_board_and_an_unknown_one_list_all(desk: Desk) -> None:
    for board, sentence in (("", "Which board is it?"), ("nonesuch", "no board 'nonesuch'")):
        with pytest.raises(UsbError, match=sentence.replace("?", r"\?")) as told:
            checks.wanted(board)
        assert "BOARD=xiao_esp32s3" in told.value.way_on


def test_a_pin_with_another_boards_app_is_not_taken_for_this_one(desk: Desk) -> None:
    desk.flash("one")
    root = tree(desk.folder / "other", "other", board="bench")
    with pytest.raises(Refused, match="runs the app for sim, and you say BOARD=bench") as told:
        desk.flash("other", root=root, board="bench")
    assert "OTHER_BOARD=1" in told.value.way_on
    desk.flash("other", root=root, board="bench", other_board=True)
    assert desk.restart() == "other"


def test_a_filesystem_that_does_not_mount_is_formatted_only_when_asked(desk: Desk) -> None:
    with desk.pin.off() as image:
        image.write_bytes(b"\x55" * image.stat().st_size)
    with pytest.raises(Unfit, match="does not mount") as told:
        desk.flash("one")
    assert "RAW=1" in told.value.way_on
    assert desk.pin.flash.image.read_bytes()[:4] == b"\x55" * 4
    desk.flash("one", format=True)
    assert desk.restart() == "one"
