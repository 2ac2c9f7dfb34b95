"""Keeps dispatches in the order in which they were said, from hearing to decision."""

from __future__ import annotations

import asyncio


class Lane:
    """Lets dispatches through by their numbers. Use it from one event loop."""

    def __init__(self) -> None:
        self._expected: set[int] = set()
        self._moved = asyncio.Event()

    def expect(self, number: int) -> None:
        """A dispatch will come: later ones wait for it."""
        self._expected.add(number)

    async def enter(self, number: int) -> None:
        """Wait until no earlier one is still on its way. Entering twice is entering once."""
        self._expected.add(number)
        while min(self._expected) < number:
            self._moved.clear()
            await self._moved.wait()

    def leave(self, number: int) -> None:
        """It is through, or will not come now."""
        self._expected.discard(number)
        self._moved.set()
