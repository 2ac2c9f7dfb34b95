"""Erase and program times of the flash."""

from __future__ import annotations

from lapel_bringup.desk import Desk, Step
from lapel_bringup.pin import StepFailed
from lapel_bringup.result import Result
from lapel_bringup.sound import percentile

# the microphone's ring holds this much (19 DMA blocks of 16 ms)
_RING_MS = 304
_SLOW_MS = 400
# what counts as slow beside the median
_SLOW_TIMES = 2.0


def run(desk: Desk) -> Result:
    """Erases blocks of a scratch file, as often as the plan says."""
    result = Result()
    plan = desk.plan
    told = desk.bench.run("erases", blocks=plan.erase_blocks, erases=plan.erases, timeout_s=60 + plan.erases * 0.5)
    for full in told.all("full"):
        raise StepFailed(
            f"the flash has only {full['free_bytes'] // 1024} kB free; this wants {full['wanted_bytes'] // 1024} kB",
            "Let the companion fetch the recordings, or make backup and make wipe; then repeat the step.",
        )
    if told.all("no_partition"):
        raise StepFailed("this pin's file system is not on a partition named vfs", "Use a stock MicroPython image.")
    erases_us = [event["us"] for event in told.all("erase")]
    programs_us = [us for event in told.all("erase") for us in event["program_us"]]
    wrong = sum(event["wrong"] for event in told.all("erase"))
    if not erases_us:
        raise StepFailed(
            "the blocks of the scratch file were not found on the flash",
            "The file system is not LittleFS on a plain partition: see boards/README.md.",
        )
    median = percentile(erases_us, 0.5)
    slow = sum(us > _SLOW_TIMES * median for us in erases_us)
    result.series.update(erase_us=erases_us, program_128_bytes_us=programs_us)
    result.figures.update(
        erases=len(erases_us),
        erase_median_us=median,
        erase_p95_us=percentile(erases_us, 0.95),
        erase_worst_us=max(erases_us),
        slow_erases=slow,
        program_128_bytes_median_us=percentile(programs_us, 0.5),
        program_128_bytes_worst_us=max(programs_us),
        wrong_pieces=wrong,
        blocks=told.one("blocks")["found"],
    )
    result.cannot_know("how it ages: erases become slower over 10,000s of cycles, and a worn chip was not measured")
    worst_ms = max(erases_us) / 1000
    says = f"An erase takes {median / 1000:.0f} ms at the median, {worst_ms:.0f} ms at worst"
    if wrong:
        result.bad(
            f"{wrong} pieces did not hold what was written.",
            "A damaged flash, or a supply that dips: try another cable.",
        )
    if worst_ms > _SLOW_MS:
        result.bad(f"{says}: more than NOR data sheets allow.", "A worn or wrong chip; recordings will have gaps.")
    elif worst_ms > _RING_MS:
        result.look(
            f"{says}; the microphone's ring holds {_RING_MS} ms.", "A larger ibuf in board.py, if memory allows."
        )
    else:
        result.good(f"{says}; the microphone's ring ({_RING_MS} ms) rides that out.")
    share = f"1 in {round(len(erases_us) / slow)}" if slow else "none"
    result.good(f"Slow erases (over twice the median): {share}.")
    return result


STEP = Step(
    "flash",
    "Flash",
    "Erases and writes blocks of a scratch file, to see how long the pin stands still meanwhile. No data is touched.",
    run,
)
