"""A simulation without a companion, running a small program in place of the firmware."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulator.events import Event, Pattern
from simulator.pin import HEAP_BYTES, PinSpec
from simulator.simulation import Options, Simulation

DEVICE = Path(__file__).parent / "device"

Desk = Callable[..., AbstractAsyncContextManager[Simulation]]


class NotSeen(AssertionError):
    """An event that a test waited for did not come."""


async def seen(
    simulation: Simulation, name: str, start: int = 0, timeout_s: float = 15, **fields: str
) -> Event:
    """The first such event of the pin (or of `who`)."""
    pattern = Pattern(name, {"who": "pin", **fields})
    event = await simulation.timeline.find(pattern, start, set(), timeout_s)
    if event is None:
        said = [e.as_json() for e in simulation.timeline.events[-20:]]
        raise NotSeen(f"{pattern} was not seen; last: {said}")
    return event


def desk_in(folder: Path) -> Desk:
    """desk(program, options, paths, board, **env) opens a simulation of that program of device/ with its state in
    `folder`; `options` changes the simulation's, `paths` come first on the module path, `board` is another than the
    classic one, `env` goes to the program."""

    @asynccontextmanager
    async def make(
        program: str,
        options: dict[str, Any] | None = None,
        paths: tuple[Path, ...] = (),
        board: PinSpec | None = None,
        **env: str,
    ) -> AsyncIterator[Simulation]:
        base = board or PinSpec(heap_bytes=HEAP_BYTES)
        pin = replace(base, main=DEVICE / program, paths=paths, env={**base.env, **env})
        simulation = Simulation(Options(state=folder / "state", pin=pin, ready="boot", **(options or {})))
        try:
            await simulation.open()
            yield simulation
        finally:
            await simulation.close()

    return make
