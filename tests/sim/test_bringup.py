"""`lapel bringup` whole: mpremote's own protocol over a pty, the routines on MicroPython, parts and radio around the
pin, and a person who does what is asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lapel_bringup import report
from lapel_bringup.desk import QUICK, Desk
from lapel_bringup.pin import Bench
from lapel_bringup.result import BAD, GOOD, LOOK, Result
from lapel_bringup.simulated import SimulatedPerson
from lapel_bringup.steps import STEPS
from lapel_usb.flash import Request, Told, flash
from lapel_usb.link import open_pin
from simulator.serial_pin import SerialPin
from simulator.usb_desk import usb_desk

COMMAND = [sys.executable, "-m", "lapel_companion", "bringup"]
LIMIT_S = 150
README = (Path(report.__file__).parent / "README.md").read_text(encoding="utf-8")


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env={**os.environ, **env},
    )


def one_step(name: str, folder: Path, board: str, **desk_options: Any) -> Result:
    """That step over USB, on a pin with something soldered wrong."""
    step = next(step for step in STEPS if step.name == name)
    with usb_desk(folder, board, **desk_options) as desk, open_pin(desk.pin.port, timeout_s=20) as link:
        return step.run(Desk(Bench(link), SimulatedPerson(desk.simulation, desk.loop), QUICK))


def said(result: Result, level: str) -> str:
    return " ".join(f"{found.says} {found.likely}" for found in result.findings if found.level == level)


@pytest.mark.slow
def test_a_whole_run_finds_the_simulators_constants(tmp_path: Path) -> None:
    board = "xiao_esp32s3"
    done = run("--sim", board, "--quick", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    made = report.load(tmp_path)
    assert made.complete
    assert made.pin["board"] == board
    assert {step.name for step in made.steps} == {step.name for step in STEPS}
    assert all(step.state == report.DONE and step.verdict in (GOOD, LOOK) for step in made.steps), done.stdout
    figures = {step.name: step.result.figures for step in made.steps}
    assert figures["flash"]["erase_median_us"] == pytest.approx(45_000, rel=0.1)
    assert figures["flash"]["erase_worst_us"] == pytest.approx(200_000, rel=0.1)
    assert figures["microphone"]["noise_24"] == pytest.approx(300, rel=0.03)
    assert figures["microphone"]["dc_24"] == pytest.approx(41_000, abs=20)
    assert figures["startup"]["startup_ms"] == pytest.approx(256, abs=16)
    assert figures["button"]["presses"] == QUICK.presses
    assert figures["haptic"]["heard_hz"] == pytest.approx(235, abs=5)
    assert figures["radio"]["kbit_s"] == pytest.approx(255, rel=0.15)
    assert figures["radio"]["interval_ms"] == 30
    assert figures["clock"]["lost_samples"] == 0
    assert figures["battery"]["battery_mv"] == pytest.approx(3900, abs=40)
    assert figures["haptic"]["resonance_hz"] == pytest.approx(235, abs=2)
    named = {name for step in made.steps for name in (*step.result.figures, *step.result.series)}
    others = ("python_", "machine_80")
    assert [name for name in sorted(named) if f"`{name}" not in README and not name.startswith(others)] == []
    # what the simulator then takes
    script = tmp_path / "x.script"
    script.write_text("wait boot\n")
    sim = [sys.executable, "-m", "lapel_companion", "sim", "--json", "--device", str(tmp_path), "--script", str(script)]
    again = subprocess.run(sim, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    notes = [line["text"] for line in map(json.loads, again.stdout.splitlines()) if line["event"] == "note"]
    assert again.returncode == 0, again.stderr
    assert any(note.startswith("flash: 100 erase times as measured (median 45") for note in notes), notes


def test_the_resonance_is_that_of_the_actuator_which_is_soldered(tmp_path: Path) -> None:
    lra = {"drv2605l": {"resonance_hz": 210}}
    result = one_step("haptic", tmp_path, "xiao_esp32s3", solder=lra)
    assert result.figures["resonance_hz"] == pytest.approx(210, abs=3)


def test_an_actuator_that_is_off_is_named(tmp_path: Path) -> None:
    result = one_step("haptic", tmp_path, "xiao_esp32s3", solder={"drv2605l": {"motor": None}})
    assert result.verdict == BAD
    assert "no actuator found at OUT+ and OUT-" in said(result, BAD)
    assert "Solder the actuator's two wires anew" in said(result, BAD)


def test_a_driver_that_does_not_answer_is_named(tmp_path: Path) -> None:
    result = one_step("chip", tmp_path, "xiao_esp32s3", without=["drv2605l"])
    assert "no DRV2605L answers at 0x5A" in said(result, BAD)


def test_a_plain_motor_is_told_as_what_it_is(tmp_path: Path) -> None:
    result = one_step("haptic", tmp_path, "esp32s3_devkitc")
    assert result.verdict == GOOD
    assert "cannot measure it" in " ".join(result.unknown)


def test_a_pin_without_the_app_is_a_sentence_and_a_way_on(tmp_path: Path) -> None:
    with SerialPin(tmp_path / "usb") as pin:
        done = run("--port", pin.port, "--yes", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "There is no app on this pin" in done.stderr
    assert "make flash BOARD=" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_port_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    done = run("--port", str(tmp_path / "none"), "--yes", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert str(tmp_path / "none") in done.stderr
    assert "Traceback" not in done.stderr


def test_no_such_board_is_a_sentence(tmp_path: Path) -> None:
    done = run("--sim", "toaster", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "toaster" in done.stderr
    assert "xiao_esp32s3" in done.stderr


def test_a_script_with_a_bad_line_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("led.red = r\nwhat\n")
    done = run("--port", "x", "--script", str(tmp_path / "answers"))
    assert done.returncode == 2
    assert "line 2: write  question = answer" in done.stderr


def test_ctrl_c_leaves_a_partial_report_and_a_pin_that_runs_its_app(tmp_path: Path) -> None:
    with usb_desk(tmp_path / "desk") as desk:
        with open_pin(desk.pin.port, timeout_s=20) as link:
            link.write_file("/main.py", b"print('the app runs')\n")
        out = tmp_path / "out"
        command = [*COMMAND, "--port", desk.pin.port, "--yes", "--out", str(out), "--step", "chip", "--step", "clock"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout
        heard = ""
        for line in process.stdout:
            heard += line
            if "Counting samples" in line:
                break
        runs = desk.pin.output.count(b"the app runs")
        process.send_signal(signal.SIGINT)
        heard += process.stdout.read()
        assert process.wait(30) == 130, heard
        assert "Traceback" not in heard
        assert desk.pin.output.count(b"the app runs") == runs + 1
    made = report.load(out)
    assert not made.complete
    assert [(step.name, step.state) for step in made.steps] == [("chip", report.DONE), ("clock", report.STOPPED)]


@pytest.mark.slow
def test_the_app_that_was_flashed_is_tested_and_runs_again(tmp_path: Path) -> None:
    heard: list[str] = []
    with usb_desk(tmp_path / "pin", frozen=False, hear=lambda event: heard.append(event.name)) as desk:
        with open_pin(desk.pin.port, timeout_s=20) as link:
            flash(link, Request("sim", mip_index="http://127.0.0.1:9", cache=tmp_path / "no aioble kept"), Told())
        boots = heard.count("boot")
        assert boots
        out = tmp_path / "out"
        steps = ("--step", "chip", "--step", "startup", "--step", "flash", "--quick", "--yes")
        done = run("--port", desk.pin.port, "--out", str(out), *steps)
        assert done.returncode == 0, done.stdout + done.stderr
        assert [step.verdict for step in report.load(out).steps] == [GOOD, GOOD, GOOD]
        # the app starts again
        end_s = time.monotonic() + LIMIT_S
        while heard.count("boot") == boots:
            assert time.monotonic() < end_s
            time.sleep(0.05)


def test_answers_come_from_a_script(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("led.red = g   # exchanged\nled.green = r\n")
    out = tmp_path / "out"
    done = run("--sim", "sim", "--quick", "--step", "led", "--script", str(tmp_path / "answers"), "--out", str(out))
    assert done.returncode == 1
    assert "Red and green are exchanged" in done.stdout
    # a single step goes into the report that is there
    done = run("--sim", "sim", "--quick", "--step", "chip", "--out", str(out))
    assert [step.name for step in report.load(out).steps] == ["led", "chip"]
