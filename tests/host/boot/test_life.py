"""The real firmware on a simulated chip with a bad start: what its light shows, what its watchdog does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from lapel_wire import flight_reading
from simulator import boards
from simulator.simulation import Options, Simulation
from tests.host.simulator.desks import seen

# safe_mode of core/pattern.py: two long, two short, violet; safe mode shows it dim.
VIOLET = (42, 0, 63)
LONG_S, SHORT_S = 0.28, 0.09
OFF = (0, 0, 0)


def lit(history: Sequence[tuple[float, tuple[int, int, int]]]) -> list[float]:
    """For how many seconds the light was on, each time."""
    return [later - at for (at, colour), (later, _) in pairwise(history) if colour != OFF]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "path"
    folder.mkdir()
    return folder


def simulated(tmp_path: Path, path: Path, board: str = "sim") -> Simulation:
    spec = replace(boards.pin_spec(board), paths=(path,))
    return Simulation(Options(state=tmp_path / "state", pin=spec, may_die=True))


def test_safe_mode_blinks_its_pattern_and_the_watchdog_does_not_bite(tmp_path: Path, path: Path) -> None:
    (path / "aioble.py").write_text("raise ImportError('no module named aioble')\n")

    async def run() -> None:
        pin = simulated(tmp_path, path, "xiao_esp32s3")
        try:
            await pin.open()
            await seen(pin, "safe_mode", timeout_s=30, cause="ImportError: no module named aioble")
            pin.hardware.led.clear()
            begun = len(pin.timeline.events)
            # Longer than the watchdog of an app would wait, which runs since the boots before.
            rounds = 3
            while len(lit(list(pin.hardware.led))) < 4 * rounds:
                await asyncio.sleep(0.05)
            flashes = lit(list(pin.hardware.led))
            told_by_it = "".join("l" if length > (LONG_S + SHORT_S) / 2 else "s" for length in flashes)
            # Over and over, wherever one begins to look.
            assert told_by_it.count("llss") >= rounds - 1, flashes
            assert {shown for _, shown in pin.hardware.led} == {OFF, VIOLET}
            assert not [e for e in pin.timeline.events[begun:] if e.name == "reset"]
            told = flight_reading.decode(pin.hardware.retained)
            assert told["last_error"] == "safe mode: ImportError: no module named aioble"
            # What broke it is gone, and the next power-on finds it well.
            (path / "aioble.py").unlink()
            await pin.power_cut()
            await pin.power_on()
            await seen(pin, "well", begun, timeout_s=30)
        finally:
            await pin.close()

    asyncio.run(run())


def test_an_app_that_hangs_is_bitten_until_it_is_safe(tmp_path: Path, path: Path) -> None:
    # It hangs as it is loaded: the watchdog has to be there before it.
    (path / "aioble.py").write_text("while True:\n    pass\n")

    async def run() -> None:
        pin = simulated(tmp_path, path)
        try:
            opened = asyncio.create_task(pin.open())
            found = await seen(pin, "safe_mode", timeout_s=60)
            await opened
            assert "hung" in str(found.fields["cause"])
            causes = [e.fields["cause"] for e in pin.timeline.events if e.name == "reset"]
            assert causes == ["watchdog"] * 3
        finally:
            await pin.close()

    asyncio.run(run())
