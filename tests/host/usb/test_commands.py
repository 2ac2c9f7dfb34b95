"""The commands as a person types them: console, logs, backup, wipe, and their exit codes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import tty
from pathlib import Path

import pytest

from lapel_usb import backup, cli, logs, wipe
from lapel_usb.errors import Refused, UsbError
from lapel_usb.link import open_pin
from lapel_wire import flight_log
from simulator.serial_pty import Socket
from tests.host.usb.desks import Desk
from tests.host.usb.trees import APP, tree

CLIP = bytes(range(256)) * 40
SECRET = b"the key of this pin, and more of it"


def usb(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """`python -m lapel_usb ...`"""
    return subprocess.run(
        [sys.executable, "-m", "lapel_usb", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def fill(desk: Desk) -> None:
    """A recording, settings and a key on the pin."""
    with open_pin(desk.pin.port) as link:
        link.run("import os\nfor p in ('data', 'data/clips', 'data/state'): os.mkdir(p)")
        link.write_file("/data/clips/00000001", CLIP)
        link.write_file("/data/state/key", SECRET * 100)
        log = flight_log.FlightLog()
        log.put_text("last_error", "a word")
        link.run(f"import machine\nmachine.RTC().memory({bytes(log.sealed())!r})")


def test_a_backup_has_every_file_and_its_digest(desk: Desk, tmp_path: Path) -> None:
    desk.flash("one")
    fill(desk)
    done = usb("backup", "--port", desk.pin.port, "--to", str(tmp_path / "kept"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept" / "data" / "clips" / "00000001").read_bytes() == CLIP
    assert json.loads((tmp_path / "kept" / "flight-recorder.json").read_text())["last_error"] == "a word"
    check = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path / "kept", capture_output=True, check=False)
    assert check.returncode == 0 and check.stdout.count(b"OK") == 3
    # its key stays on the pin
    assert not any(SECRET in path.read_bytes() for path in (tmp_path / "kept").rglob("*") if path.is_file())
    again = usb("backup", "--port", desk.pin.port, "--to", str(tmp_path / "kept"))
    assert again.returncode == 1 and "is there already" in again.stderr and "TO=" in again.stderr
    assert desk.restart() == "one"


def test_the_raw_image_is_the_flash_also_when_it_does_not_mount(desk: Desk, tmp_path: Path) -> None:
    with desk.pin.off() as image:
        image.write_bytes(os.urandom(4096) + b"\x55" * (image.stat().st_size - 4096))
    with open_pin(desk.pin.port) as link:
        with pytest.raises(UsbError, match="does not mount") as told:
            backup.run(link, tmp_path / "files", False, desk.said.append)
        assert "RAW=1" in told.value.way_on
    with open_pin(desk.pin.port) as link:
        backup.run(link, tmp_path / "raw", True, desk.said.append)
    assert (tmp_path / "raw" / "flash.bin").read_bytes() == desk.pin.flash.image.read_bytes()


def test_a_wipe_leaves_nothing_to_read_and_the_app(desk: Desk) -> None:
    desk.flash("one")
    fill(desk)
    refused = usb("wipe", "--port", desk.pin.port, "--yes")
    assert refused.returncode == 1 and "1 recordings wait" in refused.stderr and "UNSENT=1" in refused.stderr
    no = usb("wipe", "--port", desk.pin.port, "--unsent", stdin="n\n")
    assert no.returncode == 0 and "Nothing was erased" in no.stdout
    assert SECRET in desk.pin.flash.image.read_bytes()
    done = usb("wipe", "--port", desk.pin.port, "--yes", "--unsent")
    assert done.returncode == 0, done.stderr
    image = desk.pin.flash.image.read_bytes()
    assert SECRET not in image and CLIP[:300] not in image
    assert desk.restart() == "one"


def test_a_wipe_that_is_unplugged_leaves_a_pin_that_goes_on_with_it(desk: Desk) -> None:
    desk.flash("one")
    fill(desk)

    class Unplugged(Exception):
        pass

    def unplug(done: int, whole: int) -> None:
        raise Unplugged

    with open_pin(desk.pin.port) as link, pytest.raises(Unplugged):
        wipe.run(link, wipe.Wanted(unsent=True), lambda question: True, desk.said.append, unplug)
    with open_pin(desk.pin.port) as link:
        assert link.evaluate("__import__('os').listdir('/data')") == ["forget"]
    # The pin looks for that name.
    firmware = Path(__file__).parents[3] / "firmware" / "lapel" / "services" / "store_files.py"
    assert '\nFORGET = "forget"\n' in firmware.read_text()


def test_a_wipe_of_everything_leaves_an_empty_flash(desk: Desk) -> None:
    desk.flash("one")
    fill(desk)
    since = len(desk.pin.output)
    with open_pin(desk.pin.port) as link:
        with pytest.raises(Refused):
            wipe.run(link, wipe.Wanted(everything=True), lambda question: True, desk.said.append)
        wipe.run(link, wipe.Wanted(everything=True, unsent=True), lambda question: True, desk.said.append)
    desk.pin.wait_for(b"Performing initial setup", since=since)
    assert SECRET not in desk.pin.flash.image.read_bytes()
    desk.flash("two")
    assert desk.restart() == "two"


def test_a_flash_that_does_not_mount_is_erased_and_starts_anew(desk: Desk) -> None:
    with desk.pin.off() as image:
        image.write_bytes(b"\x55" * image.stat().st_size)
    refused = usb("wipe", "--port", desk.pin.port, "--yes")
    assert refused.returncode == 1 and "ALL=1" in refused.stderr
    since = len(desk.pin.output)
    done = usb("wipe", "--port", desk.pin.port, "--yes", "--all")
    assert done.returncode == 0, done.stderr
    desk.pin.wait_for(b"Performing initial setup", since=since)
    desk.flash("one")
    assert desk.restart() == "one"


def test_logs_are_words_and_do_not_disturb(desk: Desk) -> None:
    talks = APP.replace("        time.sleep_ms(5)\n", "        time.sleep_ms(50)\n        board.trace('a_b', clip=3)\n")
    desk.flash("one", root=tree(desk.folder / "talks", "one", app=talks))
    heard: list[str] = []
    logs.follow(desk.pin.port, heard.append, timeout_s=2)
    assert "Ctrl-C leaves" in heard[0]
    assert len(heard) > 3 and all(line.endswith("a b, clip: 3") for line in heard[2:-1])
    assert b"KeyboardInterrupt" not in desk.pin.output


def test_the_console_is_the_prompt_and_starts_the_app_again_at_the_end(desk: Desk) -> None:
    desk.flash("one")
    keyboard, terminal = pty.openpty()
    seen = b""
    process = subprocess.Popen(
        [sys.executable, "-m", "lapel_usb", "console", "--port", desk.pin.port], stdin=terminal, stdout=terminal
    )
    os.close(terminal)
    end = threading.Timer(30, process.kill)
    end.start()
    while b">>> " not in seen:
        seen += os.read(keyboard, 100)
    assert b"Ctrl-]" in seen
    os.write(keyboard, b"6 * 7\r")
    while b"42" not in seen:
        seen += os.read(keyboard, 100)
    since = len(desk.pin.output)
    os.write(keyboard, b"\x1d")
    assert process.wait() == 0
    end.cancel()
    os.close(keyboard)
    assert desk.started(since) == "one"


def test_exit_codes_and_sentences_without_traceback(desk: Desk, tmp_path: Path) -> None:
    assert usb("flash", "--nonsense").returncode == 2
    assert usb().returncode == 2
    absent = usb("flash", "--board", "sim", "--port", str(tmp_path / "ttyNONE"))
    assert absent.returncode == 1 and "There is no port" in absent.stderr
    board = usb("flash", "--board", "nonesuch", "--port", desk.pin.port)
    assert board.returncode == 1 and "BOARD=xiao_esp32s3" in board.stderr
    console = usb("console", "--port", desk.pin.port)
    assert console.returncode == 1 and "needs a terminal" in console.stderr
    for done in (absent, board, console):
        assert "Traceback" not in done.stderr + done.stdout


def test_without_micropython_the_commands_to_put_it_there_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    socket = Socket(tmp_path / "ttyOTHER")
    socket.plug()
    monkeypatch.setattr(cli, "PATIENCE_S", 1.0)
    assert cli.run(["flash", "--board", "xiao_esp32s3", "--port", str(socket.path)]) == 1
    socket.unplug()
    said = capsys.readouterr().err
    assert "Nothing answered" in said and "pip install esptool" in said
    assert f"--chip esp32s3 --port {socket.path} write-flash 0x0 ESP32_GENERIC_S3-SPIRAM_OCT" in said


def test_who_need_not_wait_for_a_silent_board_is_told_at_once() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    command = [sys.executable, "-m", "lapel_usb", "flash", "--board", "xiao_esp32s3", "--port", os.ttyname(slave)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout
    while "Ctrl-C" not in (line := running.stdout.readline()):
        assert line, "it ended without a word about Ctrl-C"
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=20)
    os.close(master)
    os.close(slave)
    assert running.returncode == 1
    assert "nothing on it was changed" in errors
    assert "erase-flash" in errors and "ESP32_GENERIC_S3-SPIRAM_OCT-" in errors
    assert "Traceback" not in errors


def test_make_hands_its_words_on(desk: Desk, tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        ["make", "-C", str(root), "flash", "BOARD=nonesuch", f"PORT={desk.pin.port}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "MAKEFLAGS": ""},
    )
    assert done.returncode == 2 and "no board 'nonesuch'" in done.stderr
