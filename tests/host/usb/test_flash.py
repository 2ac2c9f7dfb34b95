"""Flashing: only what changed, back and forth, room, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lapel_usb import build
from lapel_usb import flash as flashing
from lapel_usb.errors import Full, UsbError
from lapel_usb.flash import Request, Told, flash
from lapel_usb.link import open_pin
from simulator.serial_pin import SerialPin
from tests.host.usb.desks import Desk, listing
from tests.host.usb.trees import APP, tree

# Another file for each block, so that no room is left at the end.
FILL = """
n = 0
try:
    while True:
        with open("/big%d" % n, "wb") as f:
            f.write(bytes(4000))
        n += 1
except OSError:
    pass
"""


def test_an_app_is_flashed_and_boots(desk: Desk) -> None:
    identity = desk.flash("one")
    assert desk.said[-1] == "The app runs, and is well."
    assert desk.restart() == "one"
    with open_pin(desk.pin.port) as link:
        assert link.read_file("current").decode() == f"app/{identity}\n"
        manifest = json.loads(link.read_file(f"app/{identity}/manifest.json"))
    assert (manifest["board"], manifest["version"], manifest["micropython"]) == ("sim", "0.1.0", "1.25.0")
    files = manifest["files"]
    assert {"board.mpy", "lapel/app.mpy", "aioble/core.mpy", "drivers/kernel.mpy"} <= set(files)
    assert "unused.mpy" not in files
    listed = "".join(f"{path} {digest}\n" for path, digest in sorted(files.items()))
    assert identity == hashlib.sha256(listed.encode()).hexdigest()[:8]
    assert listing(desk) == ["app", "boot.py", "current", "main.py"]


def test_an_app_that_is_not_paired_says_what_is_next(desk: Desk) -> None:
    told = APP.replace('    well()\n', "    board.trace('pairing', paired=False, generation=0)\n    well()\n")
    desk.flash("one", root=tree(desk.folder / "unpaired", "one", app=told))
    assert desk.said[-2:] == ["The app runs, and is well.", "It is not paired yet. Now:  lapel pair"]


def test_only_what_changed_is_sent_and_older_apps_go(desk: Desk) -> None:
    one = desk.flash("one")
    before = desk.pin.received_bytes
    assert desk.flash("one") == one
    nothing = desk.pin.received_bytes - before
    assert "0 files sent (0 B), 0 taken over on the pin, 14 were there" in desk.said[-3]
    before = desk.pin.received_bytes
    two = desk.flash("two")
    assert "1 files sent" in desk.said[-3] and "13 taken over on the pin" in desk.said[-3]
    # the same questions, one small file and the manifest
    assert desk.pin.received_bytes - before < nothing + 9_000
    three = desk.flash("three")
    assert listing(desk, "/app") == sorted([two, three])
    with open_pin(desk.pin.port) as link:
        flash(link, Request("", previous=True), Told(desk.said.append))
    assert desk.restart() == "two"
    with open_pin(desk.pin.port) as link:
        flash(link, Request("", previous=True), Told(desk.said.append))
    assert desk.restart() == "three"


def test_leftovers_of_another_flash_are_removed_and_own_ones_reused(desk: Desk) -> None:
    desk.flash("one")
    app = build.build("sim", "x64", root=desk.request("two").root)
    with open_pin(desk.pin.port) as link:
        link.run("import os\nos.mkdir('/app/0badc0de')\nopen('/app/0badc0de/board.mpy', 'w').close()")
    two = desk.flash("two")
    assert listing(desk, "/app") == sorted([two, *(name for name in listing(desk, "/app") if name != two)])
    assert "0badc0de" not in listing(desk, "/app") and len(listing(desk, "/app")) == 2
    # a file of the app that runs is damaged: it alone is sent again
    with open_pin(desk.pin.port) as link:
        link.write_file(f"/app/{two}/board.mpy", b"damaged")
    assert desk.flash("two") == two
    assert "board.mpy" in app.files
    assert desk.restart() == "two"


def test_the_same_sources_give_the_same_app(tmp_path: Path) -> None:
    first = build.build("sim", "xtensawin", root=tree(tmp_path / "a", "x"))
    second = build.build("sim", "xtensawin", root=tree(tmp_path / "b", "x"))
    assert first.files == second.files and first.id == second.id
    assert build.build("sim", "", root=tmp_path / "a").id != first.id
    assert "drivers/kernel.mpy" not in build.build("sim", "", root=tmp_path / "a").files


@pytest.mark.parametrize("board", [name for name in build.boards() if name != "sim"])
def test_every_board_compiles_for_its_chip_within_the_flash(board: str) -> None:
    app = build.build(board, "xtensawin")
    assert {"board.mpy", "lapel/app.mpy", "lapel_audio/kernels.mpy"} <= set(app.files)
    assert not [path for path in app.files if path.startswith(("sim", "chips"))]
    assert {path for path in app.files if path.startswith("noise/")} >= {"noise/nnpsk0.mpy", "noise/device.mpy"}
    assert not {"noise/host.mpy", "noise/initiator.mpy", "noise/plain.mpy"} & app.files.keys()


def test_without_machine_code_the_arithmetic_is_plain() -> None:
    files = build.build("sim", "").files
    assert "noise/plain.mpy" in files and "noise/host.mpy" not in files


def test_a_file_that_does_not_compile_is_named(desk: Desk) -> None:
    root = desk.request("one").root
    (root / "lib" / "lapel_wire" / "bad.py").write_text("def (:\n")
    with pytest.raises(UsbError, match=r"bad\.py does not compile") as told:
        desk.flash("one")
    assert "SyntaxError" in told.value.way_on


def test_an_app_that_is_not_well_says_how_to_go_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.flash("good")
    bad = tree(desk.folder / "bad", "bad", app=APP.replace("    well()\n", "    raise ValueError('broken here')\n"))
    monkeypatch.setattr(flashing, "WELL_S", 8.0)
    with pytest.raises(UsbError, match="is not well") as told:
        desk.flash("bad", root=bad)
    assert "ValueError: broken here" in told.value.sentence and "PREVIOUS=1" in told.value.way_on
    with open_pin(desk.pin.port) as link:
        flash(link, Request("", previous=True), Told(desk.said.append))
    assert desk.restart() == "good"


def test_a_main_program_of_somebody_else_is_kept(desk: Desk) -> None:
    with open_pin(desk.pin.port) as link:
        link.write_file("/main.py", b"print('mine')\n")
    desk.flash("one")
    assert any("kept as main-before-lapel.py" in sentence for sentence in desk.said)
    with open_pin(desk.pin.port) as link:
        assert link.read_file("/main-before-lapel.py") == b"print('mine')\n"
    assert desk.restart() == "one"


def test_an_app_whose_words_are_lost_is_looked_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flashing, "WELL_S", 1.0)
    desk.flash("quiet", root=tree(desk.folder / "quiet", "quiet", app=APP.replace('trace("well")', 'trace("x")')))
    assert desk.said[-1] == "The app runs, and is well."


# --- room


def test_a_full_flash_says_what_takes_the_room_and_changes_nothing(tmp_path: Path) -> None:
    with SerialPin(tmp_path / "pin", blocks=96) as pin:
        desk = Desk(pin, tmp_path)
        one = desk.flash("one")
        with open_pin(pin.port) as link:
            link.run("import os\nos.mkdir('/data')\nos.mkdir('/data/clips')")
            for number in range(2):
                link.write_file(f"/data/clips/{number:08d}", bytes(60_000))
        with pytest.raises(Full, match=r"kB are free") as told:
            desk.flash("two")
        assert "120 kB  2 recordings that wait" in told.value.sentence
        assert f"the app that runs (app/{one})" in told.value.sentence
        assert "make backup" in told.value.way_on and "lapel run" in told.value.way_on
        assert desk.restart() == "one"
        assert listing(desk, "/app") == [one]


def test_a_flash_that_gets_full_on_the_way_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapel_usb.copying.blocks_needed", lambda app, held: 1)
    with SerialPin(tmp_path / "pin", blocks=72) as pin:
        desk = Desk(pin, tmp_path)
        desk.flash("one")
        with open_pin(pin.port) as link:
            link.run(FILL, timeout_s=30)
        with pytest.raises(Full, match=r"kB are free"):
            desk.flash("two")
        assert desk.restart() == "one"


def test_the_version_before_goes_first_when_room_is_short(tmp_path: Path) -> None:
    with SerialPin(tmp_path / "pin", blocks=104) as pin:
        desk = Desk(pin, tmp_path)
        desk.flash("one")
        desk.flash("two")
        three = desk.flash("three")
        assert any("Making room" in sentence for sentence in desk.said)
        assert three in listing(desk, "/app") and desk.restart() == "three"


# --- what the app is doing meanwhile


def test_code_is_not_written_while_the_pin_records(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapel_usb.waking.SAY_S", 0.3)
    records = APP.replace(
        '    board.trace("well")\n',
        '    import micropython\n    micropython.kbd_intr(-1)\n    board.trace("well")\n'
        "    end = time.ticks_add(time.ticks_ms(), 6000)\n"
        "    while time.ticks_diff(end, time.ticks_ms()) > 0: time.sleep_ms(5)\n"
        '    micropython.kbd_intr(3)\n    board.trace("recorded")\n',
    )
    desk.flash("one", root=tree(desk.folder / "records", "one", app=records))
    since = len(desk.pin.output)
    operations = desk.pin.flash.operations
    desk.flash("two")
    assert any("records" in sentence for sentence in desk.said)
    at = desk.pin.wait_for(b'"recorded"', since=since)
    assert at < desk.pin.output.index(b"soft reboot", since)
    assert desk.pin.flash.operations > operations
