"""A pin and its owner at the simulated desk, with an ear on the air, and room for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bumble import hci

from lapel_companion.client import Client, follow
from simulator.air import Pace
from simulator.events import Event, Pattern
from simulator.simulation import Options, Simulation
from simulator.wav import load
from tests.sim.runs import CONFIG
from tests.strangers.ear import Ear

LIMIT_S = 15.0
_LONG_S = 90.0


class Desk:
    """`sim` is open, the companion was linked once; `ear` hears everything."""

    def __init__(self, simulation: Simulation, state: Path, ear: Ear) -> None:
        self.sim = simulation
        self.state = state
        self.ear = ear

    @property
    def events(self) -> list[Event]:
        return self.sim.timeline.events

    @property
    def now_s(self) -> float:
        return self.sim.timeline.now_s()

    async def status(self) -> dict[str, Any]:
        """What `lapel status` shows."""
        return await asyncio.to_thread(Client(self.state).get, "/v1/status")

    async def seen(self, name: str, begun: int, limit_s: float = _LONG_S, **fields: str) -> Event:
        """The first such event from that index on."""
        found = await self.sim.timeline.find(Pattern(name, fields), begun, set(), limit_s)
        if found is None or self.sim.failure:
            last = "\n".join(str(e.as_json()) for e in self.events[-30:])
            raise AssertionError(f"{name} {fields} was not seen in {limit_s:g} s ({self.sim.failure}):\n{last}")
        return found

    async def hold(self, wav: Path) -> None:
        """Press, speak it, let go."""
        await self.sim.person.hold(load(wav), wav.name)

    def lose_link(self) -> None:
        """The owner's link is lost for both sides."""
        for link in list(self.sim.air.links):
            if self.owner in [str(end.address) for end in link.ends]:
                link.silence()

    @property
    def owner(self) -> str:
        """The companion's address on the air."""
        return str(next(one.random_address for one in self.sim.air.controllers if one.name == "companion"))

    def pin_address(self) -> hci.Address:
        """Where the pin advertises."""
        told = next(e for e in reversed(self.events) if e.who == "radio" and e.name == "advertising")
        return hci.Address(told.fields["address"])

    def said(self) -> list[list[bytes]]:
        """The packets that the owner wrote in each of its sessions until now, as anybody could hear them."""
        return [written for written, _ in self.ear.sessions()]

    def answered(self) -> list[list[bytes]]:
        """What the pin said in each of them."""
        return [notified for _, notified in self.ear.sessions()]

    async def owner_in_s(self, begun: int, since_s: float, limit_s: float = _LONG_S) -> float:
        """Seconds from `since_s` until the owner's next link."""
        linked = await self.seen("linked", begun, limit_s, who="companion")
        return linked.t_s - since_s


@asynccontextmanager
async def desk(
    folder: Path, *, seed: int = 1, pace: Pace | None = None, air: Callable[[Simulation], None] | None = None
) -> AsyncIterator[Desk]:
    """Everything on and linked. `air` may put others on the air before the companion starts."""
    state = folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    config.write_text(CONFIG.format(notes=folder / "notes.md"))
    ear = Ear()
    options = Options(state=state, config=config, companion=follow, seed=seed, pace=pace or Pace())
    simulation = Simulation(options)
    simulation.air.ears.append(ear)
    try:
        await simulation.open()
        one = Desk(simulation, state, ear)
        await one.seen("linked", 0, who="companion")
        yield one
    finally:
        await simulation.close()
