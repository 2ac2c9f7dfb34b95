"""A simulated pin on USB with its hardware around it, in a thread of its own: for who talks to its port and waits."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simulator.boards import pin_spec
from simulator.events import Event
from simulator.pin import CLASSIC
from simulator.serial_pin import SerialPin
from simulator.serial_process import MODULES, Claim
from simulator.simulation import Options, Simulation

PARTS = "LAPEL_SIM_PARTS"


@dataclass(frozen=True)
class UsbDesk:
    """`pin.port` is the port; `simulation` is what surrounds it, and lives in `loop`."""

    simulation: Simulation
    loop: asyncio.AbstractEventLoop
    pin: SerialPin

    def do(self, doing: Coroutine[Any, Any, None]) -> None:
        """Have the simulation do it; returns when it is done."""
        asyncio.run_coroutine_threadsafe(doing, self.loop).result(10)

    @property
    def radio(self) -> str:
        """Where a companion finds the pin's radio."""
        return f"bumble:{self.simulation.companion_spec}"


@contextmanager
def usb_desk(
    folder: Path,
    board: str = CLASSIC,
    without: Sequence[str] = (),
    solder: Mapping[str, Mapping[str, Any]] | None = None,
    frozen: bool = True,
    hear: Callable[[Event], None] | None = None,
    **options: Any,
) -> Iterator[UsbDesk]:
    """The pin `board` with its state in `folder`; its modules are there as in an image that has them `frozen`, or come
    over USB. `hear` gets every event.

    Its chips named in `without` are left out; `solder` says what hangs on a chip in place of what its model has
    ({"drv2605l": {"motor": None}}); `options` are the simulation's. Raises BoardError, NoInterpreter, CannotCompile,
    OSError.
    """
    spec = replace(pin_spec(board, without), frozen=frozen)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulation", daemon=True)
    thread.start()
    try:
        # What a person pairs over USB comes without a key; the plain one keeps it where USB does not reach.
        chosen = Options(state=folder, pin=spec, usb=True, may_die=True, paired=board == CLASSIC, **options)
        simulation = asyncio.run_coroutine_threadsafe(_opened(chosen, hear), loop).result()
        try:
            env = {
                **_soldered(spec.env, solder or {}),
                **simulation.env(),
                MODULES: spec.module_path().removesuffix(":.frozen"),
            }
            heap_bytes = spec.heap_bytes
            claim = Claim() if board == CLASSIC else Claim(machine=f"Simulated pin as {board}")
            with SerialPin(folder / "usb", heap_bytes=heap_bytes, env=env, claim=claim) as pin:
                yield UsbDesk(simulation, loop, pin)
        finally:
            asyncio.run_coroutine_threadsafe(simulation.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _soldered(env: Mapping[str, str], solder: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    if PARTS not in env:
        return dict(env)
    parts = [{**part, "solder": solder.get(part["chip"], {})} for part in json.loads(env[PARTS])]
    return {**env, PARTS: json.dumps(parts)}


async def _opened(options: Options, hear: Callable[[Event], None] | None) -> Simulation:
    simulation = Simulation(options)
    if hear:
        simulation.timeline.listen(hear)
    await simulation.open()
    return simulation
