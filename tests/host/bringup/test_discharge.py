"""The battery's curve: logged by the pin off the cable, fetched when it is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lapel_bringup import discharge
from lapel_bringup.desk import QUICK, Desk
from lapel_bringup.person import Nobody
from lapel_bringup.pin import Bench, StepFailed
from lapel_bringup.report import Report
from lapel_usb.link import open_pin
from simulator.usb_desk import UsbDesk, usb_desk

LIMIT_S = 30


class Hand(Nobody):
    """Pulls the cable when told to."""

    def __init__(self, desk: UsbDesk) -> None:
        super().__init__({"battery.again": "n"})
        self._desk = desk

    def now(self, act: str, text: str) -> None:
        super().now(act, text)
        if act == "unplug":
            threading.Timer(0.2, self._desk.pin.unplug).start()


def until(done: Callable[[], bool]) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not done():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_log_is_begun_and_goes_on_without_the_cable_and_is_fetched(tmp_path: Path) -> None:
    with usb_desk(tmp_path) as desk:
        report = Report.begun()
        with open_pin(desk.pin.port, timeout_s=20) as link:
            discharge.curve(Desk(Bench(link), Hand(desk), QUICK), report, 1)
        assert report.steps == []
        written = desk.simulation.flash.programs
        until(lambda: desk.simulation.flash.programs > written + 1)
        desk.do(desk.simulation.battery(3200))
        # an empty cell ends the log, and the microphone
        until(lambda: not [event for event in desk.simulation.timeline.events if event.name == "mic"][-1].fields["on"])
        desk.pin.plug()
        with open_pin(desk.pin.port, timeout_s=20) as link:
            discharge.curve(Desk(Bench(link), Hand(desk), QUICK), report, 1)
    battery = report.step("battery")
    assert battery
    assert battery.result.series["curve"][0][1] == 3900
    assert battery.result.figures["curve_last_mv"] == 3200
    assert "The cell lasted" in battery.result.findings[0].says


def test_a_pin_that_knows_no_voltage_says_so(tmp_path: Path) -> None:
    with usb_desk(tmp_path) as desk:
        desk.do(desk.simulation.battery(0))
        with open_pin(desk.pin.port, timeout_s=20) as link:
            with pytest.raises(StepFailed, match="does not know its battery's voltage"):
                discharge.curve(Desk(Bench(link), Nobody(), QUICK), Report.begun(), 1)


def test_a_line_that_was_cut_short_is_left_out() -> None:
    assert discharge.parsed("0 4100\n60 4000\n12") == [(0.0, 4100), (1.0, 4000)]
