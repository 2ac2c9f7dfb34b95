"""Events as the local API sends them: a line of JSON each."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from lapel_companion.events import Event, EventLog

_BATCH = 256


@dataclass(frozen=True)
class Chosen:
    """Those behind `after`, of some kinds (None: all), of one dispatch (None: all)."""

    after: int
    kinds: Sequence[str] | None
    dispatch: str | None

    def has(self, event: Event) -> bool:
        return (self.kinds is None or event.kind in self.kinds) and self.dispatch in (None, event.dispatch)


async def read(
    log: EventLog, aside: Callable[..., Awaitable[list[Event]]], chosen: Chosen, limit: int
) -> AsyncGenerator[bytes]:
    """What is there, at most `limit`; `aside` calls in a thread."""
    while limit > 0:
        many = min(limit, _BATCH)
        batch = await aside(log.read, chosen.after, chosen.kinds, chosen.dispatch, many)
        for event in batch:
            yield _line(event)
        if len(batch) < many:
            return
        chosen, limit = replace(chosen, after=batch[-1].seq), limit - many


async def follow(log: EventLog, following: list[str], principal: str, chosen: Chosen) -> AsyncGenerator[bytes]:
    """What is there and what comes, until the log is closed; meanwhile `following` names who follows.

    A reader that does not read holds up this loop, and nothing else: the rest waits in the table.
    """
    following.append(principal)
    try:
        async with contextlib.aclosing(log.subscribe(chosen.after)) as events:  # type: ignore[type-var]
            async for event in events:
                if chosen.has(event):
                    yield _line(event)
    finally:
        following.remove(principal)


def _line(event: Event) -> bytes:
    return json.dumps(event.as_dict(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
