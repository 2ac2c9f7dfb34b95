"""What a block of speech costs the processor."""

from __future__ import annotations

from lapel_bringup.desk import Desk, Step
from lapel_bringup.result import Result

_BLOCK_MS = 16.0
_SHARE_GOOD = 0.25
_SHARE_BAD = 0.8
_MHZ = 1_000_000


def run(desk: Desk) -> Result:
    """Conversion and ADPCM of 256 samples at 240 and 80 MHz."""
    result = Result()
    plan = desk.plan
    told = desk.bench.run("encoding", rounds=plan.encode_rounds, plain_rounds=plan.plain_rounds, timeout_s=90)
    rows = []
    clock: dict[str, int] = {"wanted_hz": 0, "hz": 0}
    for event in told.events:
        if event["event"] == "clock":
            clock = event
        elif event["event"] == "timed":
            us = event["convert_us"] + event["encode_us"]
            rows.append(
                {
                    "kind": event["kind"],
                    "wanted_mhz": clock["wanted_hz"] // _MHZ,
                    "mhz": clock["hz"] // _MHZ,
                    "convert_us": round(event["convert_us"], 1),
                    "encode_us": round(event["encode_us"], 1),
                    "share": round(us / 1000 / _BLOCK_MS, 4),
                }
            )
    result.series["blocks"] = rows
    for row in rows:
        name = f"{row['kind']}_{row['wanted_mhz']}_mhz"
        result.figures[f"{name}_convert_us"] = row["convert_us"]
        result.figures[f"{name}_encode_us"] = row["encode_us"]
        result.figures[f"{name}_share"] = row["share"]
    real = [row for row in rows if row["mhz"] == row["wanted_mhz"]]
    if len(real) < len(rows):
        result.cannot_know("the figures at a clock that this chip did not take: they stand for its own clock")
    real = real or rows[:2]
    used = [row for row in real if row["kind"] == "machine"]
    if not used:
        result.look(
            "No machine code could be loaded; recording runs on plain Python.",
            "The app was compiled for another architecture: make flash again, it compiles for xtensawin.",
        )
        used = real
    for row in used:
        says = (
            f"At {row['mhz']} MHz a block of 16 ms takes {row['convert_us'] + row['encode_us']:.0f} us "
            f"({100 * row['share']:.1f} % of real time)"
        )
        if row["share"] < _SHARE_GOOD:
            result.good(f"{says}.")
        elif row["share"] < _SHARE_BAD:
            result.look(f"{says}.", "Little is left for radio and flash at this clock.")
        else:
            result.bad(
                f"{says}: samples will be lost.", "Plain Python cannot keep up: flash the app with machine code."
            )
    return result


STEP = Step("encoding", "Encoding", "Times the conversion and compression of speech at both clocks.", run)
