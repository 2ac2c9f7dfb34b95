"""How long the microphone takes from its clock's start to good samples."""

from __future__ import annotations

import statistics

from lapel_bringup import sound
from lapel_bringup.desk import Desk, Step
from lapel_bringup.result import Result

_FRAME = 64
_PIECE_BYTES = 40960
_SETTLED_FRAMES = 20
_SPREAD = 6.0
_LEAST_24 = 64.0
_LATE_MS = 300


def run(desk: Desk) -> Result:
    """From the very first sample on."""
    result = Result()
    desk.person.ready("startup.quiet", "Keep quiet for a second once more.")
    desk.person.now("quiet", "keep quiet")
    told = desk.bench.run("listen", pieces=1, piece_bytes=_PIECE_BYTES, from_open=True, timeout_s=30)
    samples = sound.samples_24(told.data["sound"][0])
    rate_hz = told.one("rate")["rate_hz"]
    opened = told.one("opened")
    frames = [samples[at : at + _FRAME] for at in range(0, len(samples) - _FRAME + 1, _FRAME)]
    means = [statistics.fmean(frame) for frame in frames]
    loudness = [statistics.pstdev(frame) for frame in frames]
    frame_ms = 1000 * _FRAME / rate_hz
    result.series.update(frame_ms=frame_ms, mean_24=[round(x) for x in means], spread_24=[round(x) for x in loudness])
    good = settled_at(means, loudness)
    first_ms = opened["first_block_us"] / 1000 - 1000 * 256 / rate_hz
    result.figures.update(open_ms=round(opened["open_us"] / 1000, 1), first_sample_ms=round(max(0.0, first_ms), 1))
    result.cannot_know("what cold or a weak cell adds: it was measured once, warm, with the supply long up")
    if good is None or not any(loudness):
        result.bad(
            f"The samples did not become good within {len(frames) * frame_ms:.0f} ms.",
            "Somebody spoke meanwhile (repeat it), or the microphone is dead: see the step before.",
        )
        return result
    startup_ms = good * frame_ms
    expected_ms = opened["expected_startup_ms"]
    result.figures.update(startup_ms=round(startup_ms, 1), startup_expected_ms=expected_ms)
    if startup_ms <= expected_ms + frame_ms:
        result.good(f"Good samples {startup_ms:.0f} ms after its clock started; the app waits {expected_ms} ms.")
    else:
        result.look(
            f"Good samples only {startup_ms:.0f} ms after its clock started; the app waits {expected_ms} ms.",
            f"Give MicI2S startup_ms={startup_ms + 20:.0f} in the board's board.py, or the first syllable is lost"
            + (", and tell us: 'speak now' comes at 300 ms." if startup_ms > _LATE_MS else "."),
        )
    return result


def settled_at(means: list[float], loudness: list[float]) -> int | None:
    """Index of the first frame from which on offset and loudness are what they are at the end; None when never."""
    tail = means[-_SETTLED_FRAMES:]
    middle, spread = statistics.median(tail), statistics.pstdev(tail)
    usual = statistics.median(loudness[-_SETTLED_FRAMES:])
    if spread > max(_LEAST_24, usual):
        # it still moves at the end
        return None
    allowed = max(_LEAST_24, _SPREAD * spread)
    at = len(means)
    while at and abs(means[at - 1] - middle) <= allowed and usual / 3 <= loudness[at - 1] <= 3 * usual + _LEAST_24:
        at -= 1
    return at if at <= len(means) - _SETTLED_FRAMES else None


STEP = Step(
    "startup",
    "Start-up of the microphone",
    "Switches the microphone on and looks when its samples become good.",
    run,
)
