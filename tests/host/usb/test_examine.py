"""`lapel doctor --usb` on a simulated pin."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from lapel_usb.link import open_pin
from lapel_wire.flight_log import FlightLog
from simulator.serial_pin import SerialPin


def doctor(port: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lapel_companion", "doctor", "--usb", port]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def put(pin: SerialPin, files: dict[str, str], log: FlightLog | None = None) -> None:
    with open_pin(pin.port, restart=False) as link:
        for path, text in files.items():
            for at in range(1, path.count("/")):
                folder = "/".join(path.split("/")[: at + 1])
                link.run(f"import os\ntry:\n os.mkdir({folder!r})\nexcept OSError: pass")
            link.write_file(path, text.encode())
        if log is not None:
            link.run(f"import machine\nmachine.RTC().memory({bytes(log.sealed())!r})")


def test_a_pin_without_an_app_is_told_how_to_get_one(pin: SerialPin) -> None:
    found = doctor(pin.port)
    assert found.returncode == 1
    assert "MicroPython 1." in found.stdout and "there is none on this pin" in found.stdout
    assert "type: make flash" in found.stdout


def test_what_went_wrong_last_is_read_over_the_cable(pin: SerialPin) -> None:
    log = FlightLog()
    log.begin_boot("power")
    log.event("late", "link", 60_000)
    log.begin_boot("watchdog")
    manifest = json.dumps({"board": "sim", "version": "0.3.0", "files": {}})
    files = {
        "/current": "app/1234abcd",
        "/app/1234abcd/manifest.json": manifest,
        "/boots": "2\nOSError: [Errno 19] ENODEV (board.py:44)\n",
    }
    put(pin, files, log)
    found = doctor(pin.port)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "version 0.3.0 for sim, in app/1234abcd" in found.stdout
    assert "failed to start 2 times in a row, the last time by: OSError: [Errno 19] ENODEV" in found.stdout
    assert "its watchdog reset the pin: the service 'link' had not reported" in found.stdout


def test_a_manifest_that_is_not_there_means_half_an_app(pin: SerialPin) -> None:
    put(pin, {"/current": "app/1234abcd"})
    found = doctor(pin.port)
    assert found.returncode == 1 and "app/1234abcd is not whole" in found.stdout
    # nothing was written yet since the power came
    assert "flight recorder: empty" in found.stdout


def test_no_such_port_is_a_sentence(tmp_path: Path) -> None:
    found = doctor(str(tmp_path / "ttyNONE"))
    assert found.returncode == 1 and "no port" in found.stdout and "Traceback" not in found.stderr
