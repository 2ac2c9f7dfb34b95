"""The battery's curve: a log that the pin writes by itself off the cable, fetched when it is back."""

from __future__ import annotations

from typing import Any

from lapel_bringup.desk import Desk
from lapel_bringup.pin import StepFailed
from lapel_bringup.report import DONE, Report, StepRecord
from lapel_bringup.result import Result
from lapel_usb.errors import LinkLost

_LEAST_LINES = 2
_EMPTY_MV = 3300


def curve(desk: Desk, report: Report, every_s: int) -> None:
    """Fetches the log of a discharge into the report, or starts one. Raises StepFailed, and what the link raises."""
    told = desk.bench.run("discharged", timeout_s=30)
    lines = parsed(told.data["log"][0].decode("ascii", "replace")) if "log" in told.data else []
    if len(lines) >= _LEAST_LINES:
        _into(report, lines)
        desk.person.tell(f"  A log of {lines[-1][0]:.0f} minutes was on the pin; it is in the report now.")
        if (
            desk.person.choose(
                "battery.again", "Begin a new one? It takes the old one's place", {"y": "yes", "n": "no"}
            )
            != "y"
        ):
            return
    desk.person.ready(
        "battery.full",
        "Charge the cell until it is full. When it says NOW, pull the cable and let the pin lie until it is empty, "
        "an hour or many; then plug it in and type the same command again.",
    )
    _begin(desk, every_s)


def parsed(text: str) -> list[tuple[float, int]]:
    """(minutes, mV) of each whole line."""
    found = []
    for line in text.splitlines():
        seconds, _, mv = line.partition(" ")
        if seconds.isdigit() and mv.isdigit():
            found.append((round(int(seconds) / 60, 2), int(mv)))
    return found


def _begin(desk: Desk, every_s: int) -> None:
    started = False

    def heard(event: dict[str, Any]) -> None:
        nonlocal started
        if event["event"] == "logging":
            started = True
            desk.person.now("unplug", "pull the cable")

    try:
        told = desk.bench.run("discharge", every_s=every_s, timeout_s=24 * 3600, on_event=heard)
    except LinkLost:
        if not started:
            raise
        desk.person.tell(
            "  The cable is out; the pin logs by itself. Type the same command when it is plugged in again."
        )
        return
    if told.all("no_voltage"):
        raise StepFailed("this pin does not know its battery's voltage", "See the battery's part of the wiring table.")
    raise StepFailed(
        f"the cell was at {_EMPTY_MV} mV before the cable was pulled", "Charge it, and type the same command again."
    )


def _into(report: Report, lines: list[tuple[float, int]]) -> None:
    record = report.step("battery") or StepRecord("battery", "Battery", DONE, result=Result())
    minutes, last_mv = lines[-1]
    record.result.series["curve"] = [list(line) for line in lines]
    record.result.figures.update(curve_minutes=minutes, curve_first_mv=lines[0][1], curve_last_mv=last_mv)
    if last_mv < _EMPTY_MV + 100:
        record.result.good(f"The cell lasted {minutes / 60:.1f} h with the microphone running.")
    else:
        record.result.look(
            f"The log ends after {minutes / 60:.1f} h at {last_mv} mV.",
            "The pin was plugged in, or lost its power, before.",
        )
    report.put(record)
