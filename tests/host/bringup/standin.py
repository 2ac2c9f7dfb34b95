"""A simulated pin for the self-test without its USB: each routine is a program of its own on the simulated board."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def desk(folder: Path, **options: object) -> Iterator[tuple[Simulation, DirectLink, asyncio.AbstractEventLoop]]:
    """A simulation in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    program = folder / "program.py"
    program.write_text("print('ready')\n")
    chosen = Options(state=folder / "state", pin=PinSpec(main=program), ready="print", may_die=True, **options)  # type: ignore[arg-type]
    try:
        simulation = asyncio.run_coroutine_threadsafe(_made(chosen), loop).result()
        try:
            yield simulation, DirectLink(simulation, loop, program), loop
        finally:
            asyncio.run_coroutine_threadsafe(simulation.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _made(options: Options) -> Simulation:
    simulation = Simulation(options)
    await simulation.open()
    return simulation
