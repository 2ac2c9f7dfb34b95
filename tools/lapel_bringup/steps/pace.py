"""Clock and lost samples: the microphone's count against the pin's clock, and that against the computer's."""

from __future__ import annotations

from collections.abc import Sequence

from lapel_bringup.desk import Desk, Step
from lapel_bringup.pin import StepFailed
from lapel_bringup.result import Result

_EVERY_MS = 250
_BLOCK_SAMPLES = 256
_LOST_US = 10_000
_PPM_GOOD = 200
_PPM_BAD = 2000
_LEAST_MARKS = 9


def run(desk: Desk) -> Result:
    """Listens without a word for half a minute."""
    result = Result()
    seconds = desk.plan.clock_s
    desk.person.tell(f"  Counting samples for {seconds} s; nothing to do.")
    told = desk.bench.run("pace", seconds=seconds, every_ms=_EVERY_MS, timeout_s=seconds + 30)
    marks = [
        (event["us"], event["samples"], heard)
        for event, heard in zip(told.events, told.heard_s, strict=True)
        if event["event"] == "mark"
    ]
    if len(marks) < _LEAST_MARKS:
        raise StepFailed(f"the pin gave only {len(marks)} marks in {seconds} s", "Repeat the step.")
    rate_hz = 16000
    behind_us = [us - samples * 1_000_000 / rate_hz for us, samples, _ in marks]
    pin_us = [us for us, _, _ in marks]
    computer_us = [heard * 1_000_000 - us for us, _, heard in marks]
    lag_us, lag_in_us = growth(pin_us, behind_us)
    drift_us, drift_in_us = growth(pin_us, computer_us)
    length_us = pin_us[-1] - pin_us[0]
    lost = max(0, round(lag_us * rate_hz / 1_000_000 / _BLOCK_SAMPLES) * _BLOCK_SAMPLES) if lag_us > _LOST_US else 0
    result.figures.update(
        listened_s=round(length_us / 1_000_000, 1),
        samples=marks[-1][1],
        lost_samples=lost,
        mic_ppm=round(-1_000_000 * lag_us / lag_in_us, 1) if not lost else None,
        pin_clock_ppm=round(-1_000_000 * drift_us / drift_in_us, 1),
        ppm_uncertain=round(1_000_000 * _jitter_us(computer_us) / length_us, 1),
    )
    result.series.update(
        mark_s=[round(us / 1_000_000, 3) for us in pin_us],
        samples_behind_us=[round(x) for x in behind_us],
        computer_ahead_us=[round(x - computer_us[0]) for x in computer_us],
    )
    result.cannot_know(
        "which of the two clocks is right: the computer's is taken for it (set by NTP it is, within a few ppm)"
    )
    _judge(result, seconds)
    return result


def growth(at_us: Sequence[float], late_us: Sequence[float]) -> tuple[float, float]:
    """How much `late_us` grew from the first to the last third, by the least of each, and in which time: what is late
    by chance is only ever later."""
    third = len(late_us) // 3
    first = min(range(third), key=late_us.__getitem__)
    last = min(range(len(late_us) - third, len(late_us)), key=late_us.__getitem__)
    return late_us[last] - late_us[first], at_us[last] - at_us[first]


def _jitter_us(late_us: Sequence[float]) -> float:
    ordered = sorted(late_us)
    return ordered[len(ordered) // 3] - ordered[0]


def _judge(result: Result, seconds: int) -> None:
    figures = result.figures
    if figures["lost_samples"]:
        result.bad(
            f"{figures['lost_samples']} samples were lost in {seconds} s, with nothing else running.",
            "The interpreter stood still for longer than the microphone's ring holds: another program on the pin, or "
            "a slow flash; see the flash step.",
        )
    else:
        result.good(f"No sample was lost in {seconds} s.")
    ppm, uncertain = figures["pin_clock_ppm"], figures["ppm_uncertain"]
    says = f"The pin's clock is {ppm:+.0f} ppm off the computer's (+-{uncertain:.0f})"
    if abs(ppm) <= max(_PPM_GOOD, uncertain):
        result.good(f"{says}.")
    elif abs(ppm) <= _PPM_BAD:
        result.look(f"{says}.", "More than a crystal should be; repeat it with nothing else on the computer.")
    else:
        result.bad(f"{says}.", "Its crystal is not 40 MHz, or the image is for another board.")


STEP = Step("clock", "Clock and lost samples", "Counts the microphone's samples against two clocks.", run)
