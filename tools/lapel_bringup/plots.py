"""The pictures of each step, from what stands in its report."""

from __future__ import annotations

from typing import Any

from lapel_bringup import chart
from lapel_bringup.result import Result

Picture = tuple[str, str]


def pictures(step: str, result: Result) -> list[Picture]:
    """(caption, SVG) of what the step measured; nothing where it measured nothing."""
    draw = _OF.get(step)
    try:
        return [picture for picture in draw(result.series, result.figures) if picture[1]] if draw else []
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError):
        # A report that was edited by hand: the rest of the page is still worth having.
        return [("The data of this picture are damaged.", "")]


def _microphone(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    found = []
    if "spectrum" in series:
        hz, dbfs = series["spectrum"]["hz"], series["spectrum"]["dbfs"]
        low = 10 * (min(dbfs) // 10)
        top = 10 * (max(dbfs) // 10 + 2)
        axes = chart.Axes(hz[0], hz[-1], low, top, "Hz", "dBFS in a bin of 2 Hz", log_x=True)
        axes.curve(list(zip(hz, dbfs, strict=True)))
        for line in sorted(figures["lines"], key=lambda line: -line["over_db"])[:6]:
            name = line["name"].split(":")[0].replace("mains hum, ", "")
            axes.dot(line["hz"], line["dbfs"], f"{line['hz']:g} Hz{' ' + name if name else ''}"[:28])
        found.append(("Silence: the spectrum of the noise; tones that stand out are named.", axes.svg("Spectrum")))
    if series.get("voice_dbfs"):
        levels, frame_s = series["voice_dbfs"], series["voice_frame_ms"] / 1000
        axes = chart.Axes(0, len(levels) * frame_s, min(levels) - 3, 0, "s", "dBFS")
        axes.curve([(i * frame_s, level) for i, level in enumerate(levels)])
        axes.curve([(0, figures["noise_dbfs"]), (len(levels) * frame_s, figures["noise_dbfs"])], kind="limit")
        found.append(
            ("Your voice in pieces of 20 ms; dashed: the noise floor; 0 is the end of the scale.", axes.svg("Voice"))
        )
    return found


def _startup(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    means, frame_ms = series["mean_24"], series["frame_ms"]
    axes = chart.Axes(
        0, len(means) * frame_ms, min(0, *means), max(means) * 1.05, "ms after the clock's start", "offset, 24 bits"
    )
    axes.curve([(i * frame_ms, mean) for i, mean in enumerate(means)])
    if "startup_ms" in figures:
        axes.mark(figures["startup_ms"], f"good from {figures['startup_ms']:g} ms on")
    return [("Offset of the samples since the microphone's clock started.", axes.svg("Start-up"))]


def _button(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    bounces = [us / 1000 for us in series["press_bounce_us"] + series["release_bounce_us"]]
    label = "Histogram of bounce times"
    return [
        (
            "How long the contacts bounced, all presses and releases.",
            chart.histogram(bounces, x_title="ms", y_title="edges in a row", label=label, bins=24),
        )
    ]


def _haptic(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    rows = [(row["pattern"].replace("_", " ")[:9], row["over_quiet_db"]) for row in series["patterns"]]
    picture = chart.columns(rows, y_title="dB over silence", label="Strength of each pattern")
    return [("How much louder than silence each pattern was at the pin's own microphone.", picture)]


def _flash(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    erases = [us / 1000 for us in series["erase_us"]]
    programs = [us / 1000 for us in series["program_128_bytes_us"]]
    return [
        (
            f"{len(erases)} erases of a 4 kB block: the pin's program stands still that long.",
            chart.histogram(erases, x_title="ms", y_title="erases", label="Histogram of erase times"),
        ),
        (
            "Programming 128 bytes.",
            chart.histogram(programs, x_title="ms", y_title="writes", label="Histogram of program times"),
        ),
    ]


def _encoding(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    rows = [
        (f"{'machine code' if row['kind'] == 'machine' else 'Python'}, {row['wanted_mhz']} MHz", 100 * row["share"])
        for row in series["blocks"]
    ]
    picture = chart.columns(rows, y_title="% of real time", label="Share of real time")
    return [("Conversion and ADPCM of a block of 16 ms: share of the processor.", picture)]


def _clock(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    at, ahead, behind = series["mark_s"], series["computer_ahead_us"], series["samples_behind_us"]
    first = behind[0]
    behind_ms = [(x - first) / 1000 for x in behind]
    ahead_ms = [x / 1000 for x in ahead]
    low, high = min(behind_ms + ahead_ms), max(behind_ms + ahead_ms)
    axes = chart.Axes(at[0], at[-1], low - 1, high + 1, "s", "ms")
    axes.curve(list(zip(at, behind_ms, strict=True)))
    axes.curve(list(zip(at, ahead_ms, strict=True)), kind="other")
    caption = "Solid: samples behind the pin's clock; thin: the computer's clock ahead of it. A slope is a wrong rate."
    return [(caption, axes.svg("Clocks"))]


def _radio(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    pieces = series["bytes_each_100_ms"]
    if not pieces:
        return []
    rates = [octets * 8 / 100 for octets in pieces]
    axes = chart.Axes(0, len(rates) / 10, 0, max(rates) * 1.1, "s", "kbit/s")
    for i, rate in enumerate(rates):
        axes.bar(i / 10, (i + 1) / 10, rate)
    return [("What arrived in each tenth of a second.", axes.svg("Throughput"))]


def _battery(series: dict[str, Any], figures: dict[str, Any]) -> list[Picture]:
    found = []
    reads = [(i, mv) for i, (_, mv) in enumerate(series.get("mv", [])) if mv is not None]
    if reads:
        values = [mv for _, mv in reads]
        axes = chart.Axes(0, len(series["mv"]) - 1, min(values) - 10, max(values) + 10, "readings", "mV")
        axes.curve(reads)
        whens = [when for when, _ in series["mv"]]
        for when, words in (("load", "motor and light on"), ("after", "off")):
            if when in whens:
                axes.mark(whens.index(when), words)
        found.append(("The battery at rest, under load, and at rest again.", axes.svg("Battery")))
    if series.get("curve"):
        curve = [(minutes, mv) for minutes, mv in series["curve"]]
        mvs = [mv for _, mv in curve]
        axes = chart.Axes(0, max(m for m, _ in curve), min(mvs) - 20, max(mvs) + 20, "min", "mV")
        axes.curve(curve)
        found.append(("Discharge.", axes.svg("Discharge")))
    return found


_OF = {
    "microphone": _microphone,
    "startup": _startup,
    "button": _button,
    "haptic": _haptic,
    "flash": _flash,
    "encoding": _encoding,
    "clock": _clock,
    "radio": _radio,
    "battery": _battery,
}
