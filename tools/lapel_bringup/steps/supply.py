"""The battery now, and how it stands a load."""

from __future__ import annotations

import statistics

from lapel_bringup.desk import Desk, Step
from lapel_bringup.pin import Told
from lapel_bringup.result import Result

# What motor and LED draw together, for the estimate: an LRA at full drive 60 mA (its data sheets say 60 to 90), a
# NeoPixel on white 36 mA (WS2812B, 12 mA a colour).
_LOAD_MA = 96
_EMPTY_MV, _LOW_MV, _FULL_MV = 3300, 3600, 4250
_SAG_LOOK_MV, _SAG_BAD_MV = 120, 300


def run(desk: Desk) -> Result:
    """At rest, under motor and light, at rest."""
    result = Result()
    told = desk.bench.run("supply", load_ms=desk.plan.load_ms, timeout_s=30)
    charging = told.one("battery")["charging"]
    rest, load, after = (_mv(told, when) for when in ("rest", "load", "after"))
    result.series["mv"] = [[event["when"], event["mv"]] for event in told.all("mv")]
    if told.one("battery")["kind"] == "Silent" and not told.one("board")["faults"]:
        result.cannot_know("a battery: this board has none that it could measure")
        return result
    if not rest or not load or not after:
        result.look(
            "This pin does not know its battery's voltage.",
            "No divider and no fuel gauge answers; see the wiring table.",
        )
        return result
    rest_mv, load_mv, after_mv = (round(statistics.median(values)) for values in (rest, load, after))
    sag = max(0, round((rest_mv + after_mv) / 2) - load_mv)
    result.figures.update(
        battery_mv=rest_mv,
        battery_load_mv=load_mv,
        battery_after_mv=after_mv,
        sag_mv=sag,
        assumed_load_ma=_LOAD_MA,
        resistance_mohm=round(1000 * sag / _LOAD_MA),
        charging=charging,
    )
    result.cannot_know("the cell alone: on USB the charger holds it up, so that sag and resistance come out too small")
    result.cannot_know(f"the current itself: {_LOAD_MA} mA are taken from data sheets")
    if not _EMPTY_MV - 100 <= rest_mv <= _FULL_MV:
        result.bad(
            f"The battery reads {rest_mv} mV: no LiPo cell has that.",
            "No cell is connected, or the divider's ratio in board.py is not that of your resistors.",
        )
    elif rest_mv < _LOW_MV:
        result.look(f"The battery has {rest_mv} mV.", "Nearly empty: charge it before you judge anything else.")
    else:
        result.good(f"The battery has {rest_mv} mV.")
    if sag > _SAG_BAD_MV:
        result.bad(
            f"It drops by {sag} mV under motor and light.",
            "An old or tiny cell, or thin long wires: the pin may reset.",
        )
    elif sag > _SAG_LOOK_MV:
        result.look(f"It drops by {sag} mV under motor and light.", "A weak cell or thin wires.")
    else:
        result.good(f"It drops by {sag} mV under motor and light.")
    return result


def _mv(told: Told, when: str) -> list[int]:
    return [event["mv"] for event in told.all("mv") if event["when"] == when and event["mv"] is not None]


STEP = Step("battery", "Battery", "Reads the voltage at rest and with motor and light on.", run)
