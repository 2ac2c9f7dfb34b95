"""A simulated pin for the self-test without its USB: each routine is a program of its own on the simulated board."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_usb.errors import LinkLost, PinError
from simulator.events import Event
from simulator.pin import PinSpec
from simulator.simulation import Options, Simulation

START_S = 20.0
END = "the end of the routine"


class DirectLink:
    """What lapel_bringup.pin.PinLink asks for."""

    def __init__(self, simulation: Simulation, loop: asyncio.AbstractEventLoop, program: Path) -> None:
        self._simulation = simulation
        self._loop = loop
        self._program = program
        self._heard: Callable[[Event], None] = lambda event: None
        simulation.timeline.listen(lambda event: self._heard(event))

    def restart(self) -> None:
        """Each run has an interpreter of its own."""

    def reopen(self) -> None:
        """It never goes away."""

    def run(self, code: str, *, timeout_s: float, on_line: Callable[[str], None] | None) -> str:
        """As PinLink.run; `timeout_s` is the longest time of all."""
        future = asyncio.run_coroutine_threadsafe(self._run(code, timeout_s, on_line), self._loop)
        return future.result(timeout_s + START_S)

    async def _run(self, code: str, timeout_s: float, on_line: Callable[[str], None] | None) -> str:
        simulation = self._simulation
        simulation.pin.power_cut()
        simulation._gone()
        await simulation.pin.ended()
        self._program.write_text(f"{code}\nprint({END!r})\n")
        lines: list[str] = []
        ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def heard(event: Event) -> None:
            line = event.fields.get("line", "")
            if event.who != "pin" or event.name != "print" or ended.done():
                return
            if line == END or (lines and lines[0].startswith("Traceback") and not line.startswith(" ")):
                ended.set_result(line == END)
            if line.startswith("Traceback"):
                lines.clear()
            lines.append(line)
            if on_line and line[:1] in "@#":
                on_line(line)

        self._heard = heard
        try:
            await simulation._life.start("power")
            async with asyncio.timeout(timeout_s):
                well = await ended
        except TimeoutError:
            raise LinkLost(f"nothing for {timeout_s:.0f} s; last: {lines[-3:]}") from None
        finally:
            self._heard = lambda event: None
        if not well:
            raise PinError(lines[-1], "\n".join(lines))
        return "\n".join(lines)


@dataclass(frozen=True)
class DirectPin:
    """The simulation, the link to its pin, and the loop in which it lives, in another thread."""

    simulation: Simulation
    link: DirectLink
    loop: asyncio.AbstractEventLoop

    def post(self, doing: Coroutine[Any, Any, None]) -> None:
        """Have the simulation do it; returns when it is done."""
        asyncio.run_coroutine_threadsafe(doing, self.loop).result(10)


@contextmanager
def pin(folder: Path, **options: Any) -> Iterator[DirectPin]:
    """A simulation in a thread of its own; `options` are the simulation's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    program = folder / "program.py"
    program.write_text("print('ready')\n")
    chosen = {"pin": PinSpec(main=program), **options}
    try:
        simulation = asyncio.run_coroutine_threadsafe(
            _opened(Options(state=folder / "state", ready="print", may_die=True, **chosen)), loop
        ).result()
        try:
            yield DirectPin(simulation, DirectLink(simulation, loop, program), loop)
        finally:
            asyncio.run_coroutine_threadsafe(simulation.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _opened(options: Options) -> Simulation:
    simulation = Simulation(options)
    await simulation.open()
    return simulation
