"""The simulated pin on USB, asked by mpremote itself and by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mpremote.transport import TransportExecError
from mpremote.transport_serial import SerialTransport

from simulator.serial_pin import HARD_RESET, WATCHDOG, SerialPin
from simulator.serial_process import Claim
from simulator.serial_pty import Manners

MPREMOTE = str(Path(sys.executable).with_name("mpremote"))
LOOP = b"print('begun')\nwhile True: pass\n"


def raw(pin: SerialPin) -> SerialTransport:
    """mpremote's transport, in the raw REPL."""
    transport = SerialTransport(pin.port, baudrate=115200)
    transport.enter_raw_repl(soft_reset=False)
    return transport


def mpremote(pin: SerialPin, *arguments: str) -> str:
    """What the unmodified command prints."""
    done = subprocess.run(
        [MPREMOTE, "connect", pin.port, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_command_mpremote_runs_code_and_copies_files(pin: SerialPin, tmp_path: Path) -> None:
    assert mpremote(pin, "exec", "print(6 * 7)") == "42\n"
    (tmp_path / "a.txt").write_bytes(bytes(range(256)) * 9)
    mpremote(pin, "fs", "cp", str(tmp_path / "a.txt"), ":b.txt")
    assert "2304 b.txt" in mpremote(pin, "fs", "ls")
    mpremote(pin, "fs", "cp", ":b.txt", str(tmp_path / "c.txt"))
    assert (tmp_path / "c.txt").read_bytes() == (tmp_path / "a.txt").read_bytes()
    assert "sha256" in mpremote(pin, "fs", "sha256sum", ":b.txt")


def test_a_soft_reset_runs_boot_but_not_main_and_keeps_the_raw_prompt(pin: SerialPin) -> None:
    transport = raw(pin)
    transport.fs_writefile("boot.py", b"print('booting')\n")
    transport.fs_writefile("main.py", b"print('main runs')\n")
    transport.exec("x = 1")
    since = len(pin.output)
    transport.enter_raw_repl(soft_reset=True)
    assert b"booting" in pin.output[since:] and b"main runs" not in pin.output[since:]
    with pytest.raises(TransportExecError, match="NameError"):
        transport.exec("x")
    transport.exit_raw_repl()
    transport.serial.write(b"\x04")
    pin.wait_for(b"MPY: soft reboot\r\nbooting\r\nmain runs\r\nMicroPython v", since=since)
    transport.close()


def test_ctrl_c_interrupts_unless_it_is_held(pin: SerialPin) -> None:
    transport = raw(pin)
    transport.exec_raw_no_follow(LOOP)
    pin.wait_for(b"begun")
    transport.serial.write(b"\x03")
    _, error = transport.follow(5)
    assert b"KeyboardInterrupt" in error
    transport.exec_raw_no_follow(
        "import micropython, sys\nmicropython.kbd_intr(-1)\nprint('held')\nprint(sys.stdin.buffer.read(1))\n"
        "micropython.kbd_intr(3)\nprint('free')\nwhile True: pass\n"
    )
    pin.wait_for(b"held")
    transport.serial.write(b"\x03")
    pin.wait_for(b"b'\\x03'\r\nfree")
    transport.serial.write(b"\x03")
    assert b"KeyboardInterrupt" in transport.follow(5)[1]
    transport.close()


def test_an_error_and_a_wrong_program_are_told_as_the_port_tells_them(pin: SerialPin) -> None:
    transport = raw(pin)
    with pytest.raises(TransportExecError) as told:
        transport.exec("def f():\n 1/0\nf()")
    lines = told.value.error_output.replace("\r\n", "\n")
    assert lines == (
        'Traceback (most recent call last):\n  File "<stdin>", line 3, in <module>\n  File "<stdin>", line 2, in f\n'
        "ZeroDivisionError: divide by zero\n"
    )
    with pytest.raises(TransportExecError, match="SyntaxError"):
        transport.exec("def")
    transport.close()


def test_the_friendly_prompt_echoes_and_knows_blocks(pin: SerialPin) -> None:
    port = os.open(pin.port, os.O_RDWR | os.O_NOCTTY)
    os.write(port, b"1 + 1\rfor i in range(3):\rprint(i * 11)\r\r")
    pin.wait_for(b">>> 1 + 1\r\n2\r\n>>> for i in range(3):\r\n... print")
    os.write(port, b"\x05a = 7\rprint('paste', a)\r\x04")
    pin.wait_for(b"paste 7")
    os.close(port)


def test_a_watchdog_that_is_not_fed_resets_and_survives_a_soft_reset(pin: SerialPin) -> None:
    transport = raw(pin)
    transport.exec("import machine\nmachine.RTC().memory(b'kept')\nmachine.WDT(timeout=400)")
    transport.enter_raw_repl(soft_reset=True)
    pin.wait(lambda: bool(pin.resets), "reset")
    assert pin.resets == [WATCHDOG]
    transport.close()
    transport = raw(pin)
    assert transport.eval("__import__('machine').reset_cause()") == WATCHDOG
    assert transport.eval("__import__('machine').RTC().memory()") == b"kept"
    transport.close()


def test_the_port_goes_and_comes_back_with_a_reset(tmp_path: Path) -> None:
    with SerialPin(tmp_path, manners=Manners(away_s=0.2, greeting=b"\xff\x00rubbish\r\n")) as pin:
        pin.wait_for(b">>> ")
        transport = raw(pin)
        with pytest.raises(OSError):
            transport.exec("import machine\nmachine.reset()")
        transport.serial.close()
        pin.wait(lambda: bool(pin.resets) and pin.socket.plugged, "port back")
        assert pin.resets == [HARD_RESET]
        transport = raw(pin)
        assert transport.eval("1 + 1") == 2
        transport.close()


def test_a_power_cut_in_the_middle_of_a_write_leaves_a_filesystem(pin: SerialPin) -> None:
    transport = raw(pin)
    transport.fs_writefile("kept", b"old" * 1000)
    pin.flash.cut_at_operation(9, torn=True)
    with pytest.raises(OSError):
        transport.fs_writefile("kept", b"new" * 30000)
    transport.serial.close()
    pin.wait(lambda: not pin.socket.plugged, "power cut")
    at = len(pin.output)
    pin.power_on()
    # A Ctrl-C before the prompt would come in place of the mount.
    pin.wait_for(b">>> ", since=at)
    transport = raw(pin)
    assert transport.fs_readfile("kept") == b"old" * 1000
    transport.close()


def test_a_filesystem_that_does_not_mount_prints_for_ever_and_takes_ctrl_c(pin: SerialPin) -> None:
    with pin.off() as image:
        image.write_bytes(b"\x55" * image.stat().st_size)
    at = pin.wait_for(b"factory reprogramming", since=len(pin.output))
    transport = raw(pin)
    pin.wait_for(b"KeyboardInterrupt", since=at)
    with pytest.raises(TransportExecError, match="ENODEV"):
        transport.exec("open('/main.py')")
    transport.close()


def test_a_slow_wire_in_small_pieces_is_a_wire(tmp_path: Path) -> None:
    with SerialPin(tmp_path, manners=Manners(chunk_bytes=3, chunk_s=0.001)) as pin:
        pin.wait_for(b">>> ")
        transport = raw(pin)
        transport.fs_writefile("a", bytes(600))
        assert transport.fs_stat("a").st_size == 600
        transport.close()


def test_a_claim_makes_it_another_chip(tmp_path: Path) -> None:
    claim = Claim(machine="Generic ESP32S3 module with ESP32S3", version=(1, 22, 1), without=("bluetooth",))
    with SerialPin(tmp_path, claim=claim) as pin:
        pin.wait_for(b"MicroPython v1.22.1 on 2025-04-15; Generic ESP32S3 module with ESP32S3")
        transport = raw(pin)
        with pytest.raises(TransportExecError, match="ImportError"):
            transport.exec("import bluetooth")
        transport.close()
