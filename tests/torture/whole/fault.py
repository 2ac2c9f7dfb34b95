"""What every fault is: hooks into a run of the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tests.torture.agent.recogniser import Recogniser
from tests.torture.whole.stage import REST_LIMIT_S, Stage


class Fault:
    """One thing that goes wrong. Hooks, in the order of a run; `came` says that it happened.

    interrupts: a command that may be repeated may have been. restores: an older state was put back.
    """

    kind = "nothing"
    needs_strace = False
    interrupts = False
    restores = False
    # How long it may take until everything is at rest again.
    rest_s = REST_LIMIT_S

    def __init__(self) -> None:
        self.stage: Stage
        self.came = False
        self.opened = asyncio.Event()
        self._folder = Path()
        self._starts = 0

    def prepare(self, folder: Path, recogniser: Recogniser) -> None:
        """The folder of the case is there, and the recogniser."""
        self._folder = folder

    def under(self) -> Sequence[str]:
        """What the companion runs under, at each of its starts."""
        self._starts += 1
        return self.start_under(self._starts)

    def start_under(self, start: int) -> Sequence[str]:
        """The same for the start of that number, from 1 on."""
        return ()

    async def play(self) -> None:
        """Beside the person's acts."""

    async def acted(self) -> None:
        """The person has done everything."""

    async def rested(self) -> None:
        """Everything is at rest."""

    def found(self) -> list[str]:
        """What this fault itself saw go wrong, at the end."""
        return []

    def close(self) -> None:
        """The run is over."""
