"""The pin's life: started, reset, bitten by its watchdog, ended by itself.

A reset starts the interpreter anew, with its cause; a soft reset leaves the watchdog running. What firmware does not
do in an ordinary run (an exception out of main, a soft reset, an interpreter that is gone) makes the run fail, unless
`may_die` says that the run is about that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from simulator.compiled import CannotCompile
from simulator.hardware import Hardware, How
from simulator.pin import NoInterpreter, Pin

# machine's numbers for what started the chip
CAUSES = {"power": 1, "reset": 2, "watchdog": 3, "deep sleep": 4, "soft reset": 5}


class Tell(Protocol):
    """Where events go."""

    def __call__(self, who: str, name: str, /, **fields: Any) -> object: ...


class Life:
    """Of one pin. `env()` is what its interpreter gets to know, `gone()` is called when it is there no more, `fail`
    when that must not be. `pin` is set before anything else is asked."""

    pin: Pin

    def __init__(
        self,
        hardware: Hardware,
        env: Callable[[], Mapping[str, str]],
        tell: Tell,
        gone: Callable[[], None],
        fail: Callable[[str], None],
        may_die: bool = False,
    ) -> None:
        # what the firmware said before it died, for a person
        self.last_words: list[str] = []
        self._hardware = hardware
        self._env = env
        self._tell = tell
        self._gone = gone
        self._fail = fail
        self._may_die = may_die
        self._restart: asyncio.Task[None] | None = None
        # when a deep sleep ends
        self._alarm: asyncio.TimerHandle | None = None
        self._closing = False
        hardware.on_reset = self.reset
        hardware.on_end = self._ended
        hardware.on_sleep = self._sleep

    async def start(self, cause: str) -> None:
        """Start the interpreter. Raises NoInterpreter, CannotCompile."""
        await self.pin.power_on({**self._env(), "LAPEL_SIM_RESET_CAUSE": str(CAUSES[cause])})

    def cut(self) -> None:
        """No power from now on."""
        if self._restart:
            self._restart.cancel()
        self._off()
        self._hardware.power_lost()

    def reset(self, cause: str) -> None:
        """The interpreter is stopped at once, and started anew in a moment."""
        self._tell("sim", "reset", cause=cause)
        self._off()
        self._begin(cause)

    async def close(self) -> None:
        """The end: it is started no more, and all that it printed was read."""
        self._closing = True
        if self._restart:
            # half started it could not be ended
            await asyncio.gather(self._restart, return_exceptions=True)
        self._off()
        await self.pin.ended()

    def died(self, code: int, last: list[str]) -> None:
        """The interpreter has ended by itself."""
        self._hardware.stopped()
        self._gone()
        self._dead(last, f"the pin's interpreter ended by itself (exit {code})", always=True)

    def _off(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        self.pin.power_cut()
        self._gone()

    def _sleep(self, seconds: float) -> None:
        self._tell("sim", "sleep", seconds=seconds)
        self._off()
        if seconds:
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._begin, "deep sleep")

    def _begin(self, cause: str) -> None:
        if not self._closing:
            self._restart = asyncio.get_running_loop().create_task(self._again(cause, self._restart))

    async def _again(self, cause: str, before: asyncio.Task[None] | None) -> None:
        if before:
            await asyncio.gather(before, return_exceptions=True)
            self.pin.power_cut()
        await self.pin.ended()
        if cause == "soft reset":
            self._dead(list(self.pin.last_lines), "the firmware gave up (soft reset)")
        try:
            await self.start(cause)
        except (NoInterpreter, CannotCompile) as error:
            self._fail(f"the pin does not start any more: {error}")

    def _ended(self, how: How, text: str) -> None:
        if how is How.SOFT_RESET:
            self.reset("soft reset")
            return
        self._tell("sim", "repl", why=how.name.lower())
        if how is How.RAISED:
            self._dead(text.splitlines(), "the firmware died")

    def _dead(self, last: list[str], what: str, always: bool = False) -> None:
        error = last[-1] if last else "it said nothing"
        self._tell("pin", "task_died", task="main", error=error)
        if always or not self._may_die:
            self.last_words = last
            self._fail(f"{what}: {error}")
