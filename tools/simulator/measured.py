"""What a simulated pin takes from a real one: a report of `lapel bringup` in the place of the simulator's constants.

Only what the simulator has a constant for is taken; a step that was skipped, failed or found its part broken leaves
the constant as it is, and `said` tells so.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_bringup.report import DONE, BadReport, Report, load

# The simulator's own: see README.md.
NOISE_24 = 300.0
OFFSET_24 = 41_000.0
START_UP_MS = 256.0

# Bounds of what can be true of such parts; beyond them a file is wrong, and not the pin special.
_ERASE_US = (1_000, 4_000_000)
_PROGRAM_US = (10, 100_000)
_BOUNCE_US = (0, 100_000)
_NOISE_24 = (0.0, 200_000.0)
_OFFSET_24 = (-4_000_000.0, 4_000_000.0)
_START_UP_MS = (0.0, 2_000.0)
_INTERVAL_MS = (7.5, 4_000.0)
_PACKETS = (1, 12)
_NOTIFICATION_BITS = 8 * 244
_VALUES_MAX = 100_000


@dataclass(frozen=True)
class Measured:
    """Empty lists and None stand for the simulator's own way. `said` is for the person, a line each."""

    erase_us: Sequence[int] = ()
    program_128_bytes_us: Sequence[int] = ()
    bounce_us: Sequence[int] = ()
    noise_24: float = NOISE_24
    offset_24: float = OFFSET_24
    start_up_ms: float = START_UP_MS
    interval_ms: float | None = None
    packets: int | None = None
    python_block_us: float | None = None
    said: Sequence[str] = ()

    def pick(self, values: Sequence[int], chance: random.Random) -> int | None:
        """One of the measured values by chance, None when there are none."""
        return values[chance.randrange(len(values))] if values else None


def read(file: Path) -> Measured:
    """The constants in a report, or in the folder of one. Raises BadReport with a sentence."""
    report = load(file)
    found: dict[str, Any] = {}
    said: list[str] = []
    for take in (_flash, _microphone, _start_up, _button, _radio, _python):
        take(report, _Taking(str(file), found, said))
    if not found:
        raise BadReport(f"{file} has nothing that the simulator could take: no step of it was done")
    return Measured(**found, said=tuple(said))


@dataclass
class _Taking:
    file: str
    found: dict[str, Any]
    said: list[str]

    def step(self, report: Report, name: str, what: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """Figures and series of a step that was done; else it is said that the simulator's own stays."""
        record = report.step(name)
        if record is None or record.state != DONE:
            state = record.state if record else "not in the report"
            self.said.append(f"{what}: the simulator's own (the step was {state})")
            return None
        return record.result.figures, record.result.series

    def number(self, where: Mapping[str, Any], step: str, name: str, bounds: tuple[float, float]) -> float | None:
        """A figure within its bounds, None when it was not measured."""
        value = where.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not bounds[0] <= value <= bounds[1]:
            low, high = bounds
            raise BadReport(f"{self.file}: {step}.{name} is {value!r}; it must be a number from {low:g} to {high:g}")
        return float(value)

    def numbers(self, where: Mapping[str, Any], step: str, name: str, bounds: tuple[int, int]) -> list[int]:
        """A list of whole numbers within their bounds."""
        values = where.get(name, [])
        if not isinstance(values, list) or len(values) > _VALUES_MAX:
            raise BadReport(f"{self.file}: {step}.{name} is no list of at most {_VALUES_MAX} numbers")
        for i, value in enumerate(values):
            if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
                limits = f"a whole number from {bounds[0]} to {bounds[1]}"
                raise BadReport(f"{self.file}: {step}.{name}[{i}] is {value!r}; it must be {limits}")
        return values


def _flash(report: Report, taking: _Taking) -> None:
    done = taking.step(report, "flash", "flash")
    if done:
        series = done[1]
        erases = taking.numbers(series, "flash", "erase_us", _ERASE_US)
        programs = taking.numbers(series, "flash", "program_128_bytes_us", _PROGRAM_US)
        if erases and programs:
            taking.found.update(erase_us=erases, program_128_bytes_us=programs)
            median, worst = sorted(erases)[len(erases) // 2] / 1000, max(erases) / 1000
            program_ms = sorted(programs)[len(programs) // 2] / 1000
            taking.said.append(
                f"flash: {len(erases)} erase times as measured (median {median:.1f} ms, worst {worst:.0f} ms), "
                f"{program_ms:.2f} ms to program 128 B"
            )


def _microphone(report: Report, taking: _Taking) -> None:
    done = taking.step(report, "microphone", "microphone")
    if not done:
        return
    figures = done[0]
    noise = taking.number(figures, "microphone", "noise_24", _NOISE_24)
    offset = taking.number(figures, "microphone", "dc_24", _OFFSET_24)
    if noise is None or offset is None:
        taking.said.append("microphone: the simulator's own (the pin's gave no sound)")
        return
    taking.found.update(noise_24=noise, offset_24=offset)
    taking.said.append(f"microphone: noise {noise:.0f} and offset {offset:.0f}, of 24 bits")


def _start_up(report: Report, taking: _Taking) -> None:
    done = taking.step(report, "startup", "start-up of the microphone")
    startup_ms = taking.number(done[0], "startup", "startup_ms", _START_UP_MS) if done else None
    if startup_ms is not None:
        taking.found["start_up_ms"] = startup_ms
        taking.said.append(f"start-up of the microphone: {startup_ms:.0f} ms")


def _button(report: Report, taking: _Taking) -> None:
    done = taking.step(report, "button", "button")
    if done:
        names = ("press_bounce_us", "release_bounce_us")
        bounces = [us for name in names for us in taking.numbers(done[1], "button", name, _BOUNCE_US)]
        if bounces:
            taking.found["bounce_us"] = bounces
            taking.said.append(f"button: bounces of up to {max(bounces) / 1000:.1f} ms")


def _radio(report: Report, taking: _Taking) -> None:
    done = taking.step(report, "radio", "radio")
    interval_ms = taking.number(done[0], "radio", "interval_ms", _INTERVAL_MS) if done else None
    rate = taking.number(done[0], "radio", "kbit_s", (0, 10_000)) if done else None
    if interval_ms is None or not rate:
        if done:
            taking.said.append("radio: the simulator's own (the interval is not known)")
        return
    packets = max(_PACKETS[0], min(_PACKETS[1], round(rate * interval_ms / _NOTIFICATION_BITS)))
    taking.found.update(interval_ms=interval_ms, packets=packets)
    taking.said.append(f"radio: every {interval_ms:g} ms, {packets} packets (for {rate:.0f} kbit/s)")


def _python(report: Report, taking: _Taking) -> None:
    record = report.step("encoding")
    if record is None or record.state != DONE:
        return
    figures = record.result.figures
    parts = [
        taking.number(figures, "encoding", f"python_240_mhz_{name}_us", (1, 10_000_000))
        for name in ("convert", "encode")
    ]
    if parts[0] is not None and parts[1] is not None:
        taking.found["python_block_us"] = parts[0] + parts[1]
        taking.said.append(
            f"Python: a block of plain conversion and ADPCM takes {(parts[0] + parts[1]) / 1000:.1f} ms on that pin; "
            "the simulator's Python runs at this computer's speed"
        )
