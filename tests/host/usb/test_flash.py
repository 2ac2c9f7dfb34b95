"""Flashing: only what changed, back and forth, room, and what is refused."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel_usb import aioble, build, checks
from lapel_usb import flash as flashing
from lapel_usb.errors import Full, Refused, Unfit, UsbError
from lapel_usb.facts import Facts
from lapel_usb.flash import Request, Told, flash
from lapel_usb.link import open_pin
from simulator.serial_pin import SerialPin
from simulator.serial_process import Claim
from tests.host.usb.desks import Desk
from tests.host.usb.trees import APP, tree

S3 = "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3"
XTENSAWIN = 6 | 3 << 8 | 10 << 10
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
NOWHERE = "http://127.0.0.1:9"


def listing(desk: Desk, folder: str = "/") -> list[str]:
    """What lies in a folder of the pin."""
    with open_pin(desk.pin.port) as link:
        return sorted(link.run(f"import os\nfor name in os.listdir({folder!r}): print(name)").split())


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


# --- what does not fit


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


# --- aioble


class Index(http.server.BaseHTTPRequestHandler):
    """A package index in mip's format, as tools/build.py of micropython-lib lays it out."""

    files: dict[str, bytes] = {}
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        data = self.files.get(self.path)
        self.send_response(200 if data is not None else 404)
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def index(desk: Desk, tmp_path: Path) -> Iterator[str]:
    """The address of an index that has aioble."""
    package = aioble.from_folder(desk.aioble, "", tmp_path)
    hashes = [[path, build.sha256(data)[:8]] for path, data in package.items()]
    told = {"v": 1, "version": aioble.VERSION, "hashes": hashes, "deps": []}
    Index.files = {f"/file/{name[:2]}/{name}": package[path] for path, name in hashes}
    Index.files[f"/package/6/aioble/{aioble.VERSION}.json"] = json.dumps(told).encode()
    Index.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_aioble_is_fetched_once_by_mip_and_kept(desk: Desk, index: str, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    desk.flash("one", aioble_folder="", mip_index=index, cache=cache)
    assert f"Fetching aioble {aioble.VERSION} (once)." in desk.said
    assert len(Index.asked) == 4
    desk.flash("two", aioble_folder="", mip_index=NOWHERE, cache=cache)
    assert desk.restart() == "two"


def test_without_aioble_and_network_the_ways_on_are_told(desk: Desk, tmp_path: Path) -> None:
    wanted = {"aioble_folder": "", "mip_index": NOWHERE, "cache": tmp_path / "cache"}
    with pytest.raises(aioble.NoAioble, match="could not be fetched") as told:
        desk.flash("one", **wanted)
    for way in ("connect this computer", "AIOBLE=", "MIP_INDEX=", "make firmware"):
        assert way in told.value.way_on
    with pytest.raises(UsbError, match="holds no aioble"):
        desk.flash("one", aioble_folder=str(tmp_path))
    # the app that runs has one: it is taken over
    desk.flash("one")
    desk.flash("two", **wanted)
    assert any("Going on with the aioble of the app that runs" in sentence for sentence in desk.said)
    assert desk.restart() == "two"


def test_a_pin_with_an_aioble_of_its_own_goes_on_with_it(desk: Desk, tmp_path: Path) -> None:
    with open_pin(desk.pin.port) as link:
        link.run("import os\nos.mkdir('/lib')\nopen('/lib/aioble.py', 'w').close()")
    desk.flash("one", aioble_folder="", mip_index=NOWHERE, cache=tmp_path / "cache")
    assert any("Going on with the aioble that is on the pin" in sentence for sentence in desk.said)
    assert desk.restart() == "one"


def test_the_command_mip_installs_from_an_index(desk: Desk, index: str) -> None:
    import subprocess
    import sys

    mpremote = str(Path(sys.executable).with_name("mpremote"))
    command = [mpremote, "connect", desk.pin.port, "mip", "install", "--index", index, f"aioble@{aioble.VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert listing(desk, "/lib/aioble") == ["__init__.mpy", "core.mpy", "server.mpy"]


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
