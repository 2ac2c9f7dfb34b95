"""`python -m simulator.bench`: every figure of the loop, as a table. Exit 1 when a bar is missed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import app_size
import click

from lapel_companion import paths
from simulator.air import Pace
from simulator.bench import memory, slow, wear
from simulator.bench.dispatches import Run, measure
from simulator.bench.figures import Figure, table
from simulator.pin import PinSpec

RADIOS = (Pace(30.0, 4), Pace(50.0, 2))
START_UPS = 5
MEMORY_CLIPS = 3
SLOW_CLIPS = 6


@click.command()
@click.option("--clips", default=20, show_default=True, help="Dispatches a radio.")
@click.option("--slow-only", is_flag=True, help="Only the slower radio.")
@click.option("--seed", default=1, show_default=True, help="For what is left to chance.")
def main(clips: int, slow_only: bool, seed: int) -> None:
    """Measures the loop under device time and prints the figures beside their bars."""
    runs = []
    radios = RADIOS[slow_only:]
    for pace in radios:
        click.echo(f"{clips} clips of 5 s over {_name(pace)} ...", err=True)
        runs.append(_measure(pace, clips, seed))
    missed = False
    for pace, run in zip(radios, runs, strict=True):
        missed |= _show(f"Radio: {_name(pace)} an event", run.latencies())
    both = Run()
    for run in runs:
        for name, samples in vars(run).items():
            getattr(both, name).extend(samples)
    missed |= _show("Pin and companion", [*both.others(), *_still()])
    _wear()
    _slow(seed)
    missed |= _memory(seed)
    sys.exit(1 if missed else 0)


def _measure(pace: Pace, clips: int, seed: int, pin: PinSpec | None = None) -> Run:
    with tempfile.TemporaryDirectory(prefix="lapel-bench-", ignore_cleanup_errors=True) as folder:
        try:
            return asyncio.run(measure(pace, clips, Path(folder), paths.EXAMPLE, seed, pin))
        except RuntimeError as error:
            raise click.ClickException(str(error)) from error


def _slow(seed: int) -> None:
    """The same with Python about as slow as on the chip: told, not judged, for its slowness is this computer's."""
    if not slow.available():
        click.echo("Python as slow as on the chip was not measured: no valgrind runs here.\n")
        return
    click.echo(f"{SLOW_CLIPS} clips with Python slowed down ...", err=True)
    run = _measure(RADIOS[0], SLOW_CLIPS, seed, slow.spec())
    figures = [*run.latencies(), *run.boot(), Figure("Python slower than elsewhere here", "times", slow.factors())]
    _show(f"Python about as slow as on the chip, radio: {_name(RADIOS[0])} an event", figures)


def _wear() -> None:
    """Told, not judged: years are years."""
    click.echo("a pin's years on a small flash ...", err=True)
    try:
        click.echo(wear.table(wear.measured()) + "\n")
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error


def _memory(seed: int) -> bool:
    """The pin's memory; whether a bar was missed."""
    click.echo(memory.table() + "\n")
    if not memory.available():
        click.echo("The pin's memory was not measured: no 32-bit MicroPython runs here.\n")
        return False
    click.echo(f"{MEMORY_CLIPS} clips on a 32-bit MicroPython ...", err=True)
    run = _measure(RADIOS[0], MEMORY_CLIPS, seed, memory.spec())
    try:
        figures = [*memory.heap(run.heap_free_bytes), *memory.allocations()]
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error
    return _show("Pin's memory, in 32-bit words", figures)


def _name(pace: Pace) -> str:
    return f"{pace.interval_ms:g} ms, {pace.packets_per_event} packets"


def _show(title: str, figures: list[Figure]) -> bool:
    click.echo(table(title, figures) + "\n")
    return not all(figure.holds for figure in figures if figure.bars != (None, None) or not figure.samples)


def _still() -> list[Figure]:
    """Figures that need no radio."""
    starts = []
    for _ in range(START_UPS):
        begun_s = time.monotonic()
        subprocess.run([sys.executable, "-m", "lapel_companion", "--help"], capture_output=True, check=True)
        starts.append(1000 * (time.monotonic() - begun_s))
    app = app_size.measure()
    sizes = [
        Figure(f"app as .mpy for ESP32-S3: {part or 'the rest'}", "kB", [app.parts[part] / 1024], (bar / 1024, None))
        for part, bar in app_size.LIMITS_BYTES.items()
    ]
    return [Figure("`lapel --help`", "ms", starts), *sizes]


if __name__ == "__main__":
    main()
