"""What is still to be said to the pin: the newest message of each key, the urgent ones first."""

from __future__ import annotations

import asyncio
from typing import Any

from lapel_wire import messages

MAX_WISHES = 128

# What the pin waits for goes before what it does not know of yet.
_ORDER = (
    (messages.HELLO_HOST,),
    (messages.ACCEPTED, messages.CANCELLED),
    (messages.RESUME, messages.ACK),
    (messages.NOTICE, messages.RETRACT, messages.SEEN),
    (messages.SETTINGS, messages.READ, messages.JOBS),
)
_RANK = {kind: rank for rank, kinds in enumerate(_ORDER) for kind in kinds}

Key = tuple[int | str, ...]


class Wishes:
    """Bounded; what does not fit is dropped and counted, and repeated by whoever wished it."""

    def __init__(self) -> None:
        self._ranks: list[dict[Key, tuple[int, dict[str, Any]]]] = [{} for _ in _ORDER]
        self._some = asyncio.Event()
        self.dropped = 0

    def __len__(self) -> int:
        return sum(len(rank) for rank in self._ranks)

    def put(self, kind: int, body: dict[str, Any], key: Key) -> None:
        """Wish a message; it takes the place of an unsent one with the same key."""
        rank = self._ranks[_RANK[kind]]
        if key not in rank and len(self) >= MAX_WISHES:
            self.dropped += 1
            return
        rank[key] = (kind, body)
        self._some.set()

    def take(self) -> tuple[int, dict[str, Any]] | None:
        """The next message to send, or None."""
        for rank in self._ranks:
            for key in rank:
                return rank.pop(key)
        self._some.clear()
        return None

    def clear(self) -> None:
        """Forget everything: the pin is gone, and will be told anew."""
        for rank in self._ranks:
            rank.clear()
        self._some.clear()

    async def wait(self) -> None:
        """Until there is something to take."""
        await self._some.wait()
