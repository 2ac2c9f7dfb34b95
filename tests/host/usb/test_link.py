"""Opening a pin: what stands in the way, and what is waited for."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from lapel_usb import ports
from lapel_usb.errors import Busy, LinkLost, NoPermission, NoPort, NotMicroPython, PinError
from lapel_usb.link import open_pin
from simulator.serial_pin import WATCHDOG, SerialPin
from simulator.serial_pty import Manners, Socket

APP = b"import time\nprint('app runs')\nwhile True: time.sleep_ms(5)\n"


def found(device: str, product: str | None = None, serial: str | None = None) -> ports.Found:
    return SimpleNamespace(device=device, product=product, manufacturer=None, serial_number=serial, vid=0x303A)


def write_main(pin: SerialPin, text: bytes) -> None:
    """The pin runs this from now on."""
    with open_pin(pin.port) as link:
        link.write_file("main.py", text)


def test_code_runs_and_files_come_and_go(pin: SerialPin) -> None:
    data = os.urandom(10_000)
    with open_pin(pin.port) as link:
        lines: list[str] = []
        assert link.run("for i in range(3): print(i)", on_line=lines.append) == "0\n1\n2\n"
        assert lines == ["0", "1", "2"]
        assert link.evaluate("{'a': b'\\x00', 'b': [1, None]}") == {"a": b"\x00", "b": [1, None]}
        chunks: list[int] = []
        link.write_file("data.bin", data, chunks.append)
        assert sum(chunks) == len(data)
        assert link.read_file("data.bin") == data
        assert link.digest("data.bin") == hashlib.sha256(data).hexdigest()
        assert link.digest("none") == ""
        with pytest.raises(PinError) as told:
            link.run("open('none')")
        assert told.value.exception == "OSError: [Errno 2] ENOENT"
        assert link.run("print('still here')") == "still here\n"


def test_the_app_starts_again_at_the_end(pin: SerialPin) -> None:
    write_main(pin, APP)
    at = pin.wait_for(b"app runs")
    with open_pin(pin.port) as link:
        assert link.facts.mounted and link.facts.version >= (1, 25)
    pin.wait_for(b"app runs", since=at)


def test_a_watchdog_is_stretched_before_it_bites(pin: SerialPin) -> None:
    write_main(pin, b"import machine\nw = machine.WDT(timeout=900)\n" + APP.replace(b"5)", b"5); w.feed()"))
    pin.wait_for(b"app runs")
    with open_pin(pin.port) as link:
        link.run("import time\ntime.sleep(1.2)")
    assert pin.resets == []


def test_a_pin_that_records_is_waited_for(pin: SerialPin) -> None:
    holds = b"import micropython, sys, time\nmicropython.kbd_intr(-1)\nprint('app runs')\n"
    holds += b"t = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), t) < 4000: pass\nmicropython.kbd_intr(3)\n"
    write_main(pin, holds + b"while True: pass\n")
    pin.wait_for(b"app runs")
    said: list[str] = []
    with open_pin(pin.port, tell=said.append) as link:
        assert link.evaluate("1") == 1
    assert len(said) == 1 and "records" in said[0]


def test_a_port_that_goes_and_comes_back_is_opened_again(tmp_path: Path) -> None:
    with SerialPin(tmp_path / "pin", manners=Manners(away_s=0.6)) as pin:
        pin.wait_for(b">>> ")
        said: list[str] = []
        with open_pin(pin.port, tell=said.append) as link:
            timer = threading.Timer(0.2, pin.reset)
            timer.start()
            with pytest.raises(LinkLost, match="went away"):
                link.run("while True: pass")
            link.reopen()
            assert link.evaluate("2") == 2
        assert said and "waiting for it to come back" in said[0]


def test_a_new_board_that_is_interrupted_while_it_formats_is_started_once_more(tmp_path: Path) -> None:
    for number in range(5):
        with SerialPin(tmp_path / str(number)) as pin, open_pin(pin.port) as link:
            assert link.facts.mounted


def test_a_pulled_cable_ends_in_the_watchdog(pin: SerialPin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lapel_usb.link._STRETCH", "import machine\n_dog = machine.WDT(timeout=600)\n")
    write_main(pin, APP)
    at = pin.wait_for(b"app runs")
    with pytest.raises(LinkLost), open_pin(pin.port) as link:
        pin.unplug()
        link.run("print(1)")
    pin.wait_for(b"app runs", since=at)
    assert pin.resets == [WATCHDOG]


def test_no_port_and_several_are_a_sentence_each(tmp_path: Path) -> None:
    with pytest.raises(NoPort, match="No USB serial port") as told:
        ports.choose(None, list)
    assert "carries data" in told.value.way_on and "BOOT" in told.value.way_on
    two = [found("/dev/ttyACM0", "XIAO ESP32S3", "F412"), found("/dev/ttyACM1")]
    with pytest.raises(NoPort, match="2 USB serial ports") as told:
        ports.choose(None, lambda: two)
    assert "PORT=/dev/ttyACM0    XIAO ESP32S3, serial number F412" in told.value.way_on
    assert ports.choose(None, lambda: two[:1]) == "/dev/ttyACM0"
    absent = str(tmp_path / "ttyNONE")
    with pytest.raises(NoPort, match=r"no port .*ttyNONE") as told:
        ports.choose(absent, lambda: two)
    assert "PORT=/dev/ttyACM1" in told.value.way_on


def test_what_is_no_serial_port_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    for port in (str(tmp_path / "file"), "/dev/null"):
        with pytest.raises(NoPort, match="is no serial port"), open_pin(port):
            pass


def test_stopped_in_the_middle_of_a_paste_the_app_starts_all_the_same(pin: SerialPin) -> None:
    write_main(pin, APP)
    since = pin.wait_for(b"app runs")
    with pytest.raises(KeyboardInterrupt), open_pin(pin.port) as link:
        link.transport.serial.write(b"\x05A\x01print('half a")
        raise KeyboardInterrupt
    pin.wait_for(b"app runs", since=since)


def test_a_busy_port_names_who_holds_it(pin: SerialPin) -> None:
    other = os.open(pin.port, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(Busy, match="is busy") as told, open_pin(pin.port):
        pass
    assert "serial monitor" in told.value.way_on and "lsof" in told.value.way_on
    os.close(other)


def test_a_port_of_another_group_says_how_to_join_it(pin: SerialPin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr("lapel_usb.ports.grp.getgrgid", lambda gid: SimpleNamespace(gr_name="dialout", gr_mem=[]))
    monkeypatch.setenv("USER", "maker")
    problem = ports.why_not(pin.port)
    assert isinstance(problem, NoPermission)
    assert "sudo usermod -a -G dialout maker" in problem.way_on


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (b"", "Nothing answered"),
        (b"waiting for download\r\n", "ROM loader"),
        (b"Hello from Arduino\r\n", "no MicroPython"),
    ],
)
def test_what_is_no_micropython_is_told(tmp_path: Path, words: bytes, sentence: str) -> None:
    """A program that never listens, behind a real terminal."""
    socket = Socket(tmp_path / "ttyOTHER")
    socket.plug()
    os.write(socket.fd, b"")
    talk = threading.Timer(0.3, socket.write, (words,))
    talk.start()
    with pytest.raises(NotMicroPython, match=sentence), open_pin(str(socket.path), timeout_s=1.5):
        pass
    talk.join()
    socket.unplug()
