"""What happened, in order: the one record that the screen, --json, waits and figures are made from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

WHO = ("pin", "companion", "radio", "sim")


@dataclass(frozen=True)
class Event:
    """One thing that happened; `t_s` counts from the start of the run."""

    index: int
    t_s: float
    who: str
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The line of `--json`."""
        head = {"t_ms": round(self.t_s * 1000), "who": self.who, "event": self.name}
        return {**head, **{key: value for key, value in self.fields.items() if key not in head}}


@dataclass(frozen=True)
class Pattern:
    """An event's name and the fields that it must have, as text; `*` and `?` in a value stand for
    anything."""

    name: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def matches(self, event: Event) -> bool:
        """Whether `event` is meant."""
        if event.name != self.name:
            return False
        seen = {"who": event.who, **event.fields}
        return all(key in seen and _fits(seen[key], value) for key, value in self.fields.items())

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.fields.items())])


class Timeline:
    """Grows for as long as the run lasts; every listener hears each event once, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._begun = time.monotonic()
        self._listeners: list[Callable[[Event], None]] = []
        self._more = asyncio.Event()

    def now_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._begun

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on."""
        self._listeners.append(listener)

    def add(self, who: str, name: str, /, **fields: Any) -> Event:
        """Record an event that happens now."""
        event = Event(len(self.events), self.now_s(), who, name, fields)
        self.events.append(event)
        for listener in self._listeners:
            listener(event)
        more, self._more = self._more, asyncio.Event()
        more.set()
        return event

    def hush(self) -> None:
        """Nobody listens any more: what follows is only the clearing up."""
        self._listeners.clear()

    async def changed(self) -> None:
        """Wait for the next event."""
        await self._more.wait()

    async def find(self, pattern: Pattern, start: int, skip: set[int], timeout_s: float) -> Event | None:
        """The first event from index `start` that matches and is not in `skip`; None after `timeout_s`."""
        end = time.monotonic() + timeout_s
        at = start
        while True:
            more = self._more
            while at < len(self.events):
                event = self.events[at]
                at += 1
                if event.index not in skip and pattern.matches(event):
                    return event
            left_s = end - time.monotonic()
            if left_s <= 0:
                return None
            try:
                async with asyncio.timeout(left_s):
                    await more.wait()
            except TimeoutError:
                return None


def _fits(value: Any, wanted: str) -> bool:
    text = _text(value)
    return text == wanted or fnmatchcase(text, wanted)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
