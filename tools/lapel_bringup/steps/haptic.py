"""Haptic: the driver's own tests, then every pattern, as heard by the pin's microphone and felt by the person."""

from __future__ import annotations

from typing import Any

from lapel_bringup import rhythms
from lapel_bringup.desk import Desk, Step
from lapel_bringup.pin import Told
from lapel_bringup.result import Result

_FAINT_DB = 6.0
_BLURRED_DB = 3.0
_RESONANCE_HZ = (125, 300)
_OFF_BY = 0.15
_DRIVE_MS = 600
_BEFORE_MS, _AFTER_MS = 400, 200
_YES_NO = {"y": "yes", "n": "no", "f": "faintly"}
_FELT = {"y": "yes", "n": "no", "f": "faintly"}


def run(desk: Desk) -> Result:
    """Lying on the table."""
    result = Result()
    desk.person.ready(
        "haptic.table", "Lay the pin flat on the table with two fingers on it, and keep quiet: it will buzz."
    )
    told = desk.bench.run("motor", drive_ms=_DRIVE_MS, timeout_s=30)
    _driver(result, told)
    patterns: dict[str, str] = told.one("patterns")["rhythms"]
    desk.person.now("feel", "feel each rhythm")
    rows: list[dict[str, Any]] = []
    for name, rhythm in sorted(patterns.items()):
        if desk.plan.patterns and name not in desk.plan.patterns:
            continue
        told = desk.bench.run(
            "rhythm", rhythm=rhythm, strength=255, before_ms=_BEFORE_MS, after_ms=_AFTER_MS, timeout_s=30
        )
        played = told.one("played")
        heard = rhythms.heard(
            told.data["adpcm"][0], played["begun_sample"], played["pulses"], rhythm, played["rate_hz"]
        )
        answer = desk.person.choose(f"felt.{name}", f"{name} ({rhythm}): did you feel it?", _YES_NO)
        rows.append({"pattern": name, "rhythm": rhythm, **heard, "felt": _FELT[answer] if answer else None})
    result.series["patterns"] = rows
    _patterns(result, rows)
    return result


def _driver(result: Result, told: Told) -> None:
    haptic = told.one("haptic")
    result.figures["haptic_kind"] = haptic["kind"]
    if not haptic["tests"]:
        result.cannot_know(
            f"the motor's own state: this board's driver ({haptic['kind']}) cannot measure it, so that only sound and "
            "feeling count"
        )
        if haptic["kind"] == "Silent":
            result.bad("The haptic driver does not answer.", "See what the board reports, and its wires and power.")
        return
    for event in told.all("diagnosis"):
        if event["fault"]:
            result.bad(
                f"The driver's diagnosis: {event['fault']}.",
                "Solder the actuator's two wires anew; measure it: 6 to 30 Ω.",
            )
    calibration = told.one("calibration")
    if calibration["fault"]:
        result.bad(
            f"{_capital(calibration['fault'])}.",
            "The pin must lie firmly; is it an LRA, and are its figures those in board.py?",
        )
        return
    result.figures["calibration_registers"] = calibration["registers"]
    result.good("The driver calibrated itself to the actuator, and the pin keeps that for every later boot.")
    driven = told.all("driven")
    resonance = driven[-1]["resonance_hz"] if driven else None
    result.figures.update(resonance_hz=resonance, motor_supply_mv=driven[-1]["supply_mv"] if driven else None)
    if resonance is None:
        result.cannot_know("the resonance: the driver measured none while it drove")
    elif not _RESONANCE_HZ[0] <= resonance <= _RESONANCE_HZ[1]:
        result.look(f"The actuator resonates at {resonance} Hz.", "An LRA has 125 to 300 Hz: is it one?")
    else:
        result.good(f"The actuator resonates at {resonance} Hz.")


def _patterns(result: Result, rows: list[dict[str, Any]]) -> None:
    levels = [row["over_quiet_db"] for row in rows]
    result.figures.update(
        patterns=len(rows),
        pattern_loudest_db=max(levels),
        pattern_faintest_db=min(levels),
        heard_hz=next((row["heard_hz"] for row in rows if row["heard_hz"]), None),
    )
    result.cannot_know("how strong it is on you: sound on a table only compares the patterns with each other")
    unfelt = [row["pattern"] for row in rows if row["felt"] == "no"]
    asked = [row for row in rows if row["felt"]]
    silent = [row["pattern"] for row in rows if row["over_quiet_db"] < _FAINT_DB]
    if asked and len(unfelt) == len(asked):
        result.bad("Nothing was felt.", "The actuator is not wired, or not fixed: it must be glued flat to the case.")
    elif unfelt:
        result.look(
            f"Not felt: {', '.join(unfelt)}.", "Press the pin firmly on the table; glue the actuator flat to the case."
        )
    elif asked:
        result.good(f"All {len(asked)} patterns were felt.")
    else:
        result.cannot_know("what was felt: nobody answered")
    if len(silent) == len(rows):
        says = "The microphone heard none of the patterns"
        if asked and not unfelt:
            result.look(f"{says}.", "The table was soft or the room loud; you felt them, so they are there.")
        else:
            result.bad(f"{says}.", "The motor does not move: its wires, its driver's power, or it is glued fast.")
        return
    if silent:
        result.look(
            f"Hardly heard: {', '.join(silent)}.",
            "Short pulses need an actuator that starts quickly: an LRA with its driver.",
        )
    blurred = [row["pattern"] for row in rows if row["contrast_db"] is not None and row["contrast_db"] < _BLURRED_DB]
    if blurred:
        result.look(
            f"The pauses are not quiet in: {', '.join(blurred)}.",
            "The motor runs on: an ERM without brake, or an LRA off its resonance; calibrate it mounted.",
        )
    elif not silent:
        result.good("Pulses and pauses of every pattern can be told apart.")
    _compare(result)


def _compare(result: Result) -> None:
    heard, measured = result.figures["heard_hz"], result.figures.get("resonance_hz")
    if (
        heard
        and measured
        and abs(heard - measured) > _OFF_BY * measured
        and abs(heard / 2 - measured) > _OFF_BY * measured
    ):
        result.look(
            f"The microphone hears {heard:.0f} Hz, the driver measured {measured} Hz.",
            "Something rattles with it: the case, a wire or the table.",
        )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


STEP = Step(
    "haptic",
    "Haptic",
    "Calibrates the actuator, then plays every pattern; the microphone listens, and you say what you felt.",
    run,
)
