"""Runs a script against a simulation.

A wait is met by the first event that no other wait was met by, and that came after the event which met the
wait before it, or after the run of actions just before it began. So waits may stand in another order than
their events, and nothing that comes between an action and its wait is missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from simulator.events import Event, Pattern, Timeline
from simulator.person import Person
from simulator.relay import WAYS, Relay
from simulator.script import Step

LAST_SHOWN = 6


class Unmet(Exception):
    """What a script expected did not happen; the text says where and what was seen instead."""


class CannotDo(Exception):
    """An action that this simulation has no means for."""


class World(Protocol):
    """What a script acts on. Actions return when they are done; they raise CannotDo."""

    timeline: Timeline
    person: Person
    relay: Relay

    @property
    def failure(self) -> str:
        """Why the run can only fail from here on; empty while it can go on."""

    async def link(self, how: str, loss: float = 0.0) -> None: ...
    async def power_cut(self, after: int = 0, torn: bool = False) -> None: ...
    async def power_on(self) -> None: ...
    async def companion_kill(self) -> None: ...
    async def companion_start(self) -> None: ...
    async def companion_freeze(self, frozen: bool) -> None: ...
    async def battery(self, mv: int) -> None: ...


class Engine:
    """One run of one script."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._timeline = world.timeline
        self._used: set[int] = set()
        # indexes of the timeline: after the event that met the last wait; start of the run of actions before
        # this one
        self._after_met = 0
        self._actions = 0
        self._acting = True
        self._verbs: dict[str, Callable[[Step], Awaitable[None]]] = {
            "hold": lambda step: world.person.hold(step.sound, step.file.name),
            "reply": lambda step: world.person.reply(step.sound, step.file.name),
            "tap": lambda step: world.person.tap(int(step.number)),
            "press": lambda step: world.person.press(),
            "release": lambda step: world.person.release(),
            "sleep": lambda step: asyncio.sleep(step.number),
            "link down": lambda step: world.link("down"),
            "link up": lambda step: world.link("up"),
            "link stall": lambda step: world.link("stall"),
            "link loss": lambda step: world.link("loss", step.number / 100),
            "power cut": lambda step: world.power_cut(int(step.number), step.torn),
            "power on": lambda step: world.power_on(),
            "companion kill": lambda step: world.companion_kill(),
            "companion start": lambda step: world.companion_start(),
            "companion freeze": lambda step: world.companion_freeze(True),
            "companion thaw": lambda step: world.companion_freeze(False),
            "relay": self._relay,
            "battery": lambda step: world.battery(int(step.number)),
            "wait": self._waited,
            "felt": self._felt,
            "expect-not": self._expect_not,
        }

    async def run(self, steps: Sequence[Step]) -> None:
        """Every step in order. Raises Unmet."""
        for step in steps:
            watching = step.verb in ("wait", "felt", "expect-not")
            if not watching and not self._acting:
                self._actions = len(self._timeline.events)
            self._acting = not watching
            try:
                await self._verbs[step.verb](step)
            except CannotDo as error:
                raise Unmet(f"{step.where}: {step.text}: {error}") from error

    async def _waited(self, step: Step) -> None:
        await self._wait(step)

    async def _wait(self, step: Step) -> Event:
        start = min(self._after_met, self._actions)
        found = asyncio.ensure_future(self._timeline.find(step.pattern, start, self._used, step.number))
        failed = asyncio.ensure_future(self._failure())
        try:
            await asyncio.wait((found, failed), return_when=asyncio.FIRST_COMPLETED)
            event = found.result() if found.done() else None
            if event is None:
                why = f"not seen within {step.number:g} s"
                if not found.done():
                    why = f"cannot come any more: {failed.result()}"
                raise Unmet(f"{step.where}: {step.text}: {why}. {self._lately(step.pattern)}")
        finally:
            for task in (found, failed):
                task.cancel()
        self._used.add(event.index)
        self._after_met = event.index + 1
        return event

    async def _felt(self, step: Step) -> None:
        event = await self._wait(step)
        self._actions = self._after_met
        end = Pattern("haptic_end", {"pattern": str(event.fields.get("kind", "*"))})
        await self._wait(replace(step, text=f"wait {end}", pattern=end))

    async def _expect_not(self, step: Step) -> None:
        start = len(self._timeline.events)
        event = await self._timeline.find(step.pattern, start, set(), step.number)
        if event:
            raise Unmet(f"{step.where}: {step.text}: it came: {_told(event)}")

    async def _relay(self, step: Step) -> None:
        if not self._world.relay.is_ours:
            raise CannotDo("the radio is not the simulator's (--radio external): nobody is between")
        fault, *ways = step.words
        if fault == "good":
            self._world.relay.good()
        else:
            self._world.relay.set(fault, step.number / 100, ways or WAYS)

    async def _failure(self) -> str:
        while not self._world.failure:
            await self._timeline.changed()
        return self._world.failure

    def _lately(self, pattern: Pattern) -> str:
        same = [e for e in self._timeline.events if e.name == pattern.name]
        if same:
            return f"Seen of that name: {'; '.join(_told(e) for e in same[-LAST_SHOWN:])}"
        last = [_told(e) for e in self._timeline.events[-LAST_SHOWN:]]
        return f"Seen last: {'; '.join(last) if last else 'nothing'}"


def _told(event: Event) -> str:
    fields = " ".join(f"{key}={value}" for key, value in event.fields.items())
    return f"{event.t_s:.2f} s {event.who} {event.name} {fields}".rstrip()
