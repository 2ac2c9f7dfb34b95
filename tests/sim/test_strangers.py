"""A quick look at what `make strangers` does whole: one crowd at the pin, one of fake pins, one ear, one bad relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from tests.sim.runs import DISK
from tests.strangers import at_the_companion, at_the_pin, carriers, sniffer
from tests.strangers.at_the_pin import Case
from tests.strangers.desk import Desk, desk
from tests.strangers.rows import Row

SEED = 11
Act = Callable[[Desk], Awaitable[Row]]


def good(folder: Path, *acts: Act) -> None:
    """One desk, one act after the other; every row is good."""

    async def rows() -> AsyncIterator[Row]:
        async with desk(folder, seed=SEED) as one:
            for act in acts:
                yield await act(one)

    async def run() -> list[str]:
        return [row.line() async for row in rows() if row.bad]

    assert asyncio.run(run()) == []


def test_the_owner_speaks_with_a_crowd_at_the_door_and_finds_its_pin_among_fakes(tmp_path: Path) -> None:
    crowd = Case("4 x mixed", ["floods", "silent", "garbage opening", "replays an opening"])
    fakes = ("silent", "replays a pin's answers")
    good(
        tmp_path,
        at_the_pin.attributes,
        lambda one: at_the_pin.speaks(one, crowd, SEED, 0.2),
        lambda one: at_the_companion.among(one, fakes, 0.0, SEED),
    )


def test_carriers_learn_nothing_and_bring_nothing_about(tmp_path: Path) -> None:
    title = "does all of it"
    good(
        tmp_path,
        lambda one: sniffer.sniffed(one, [DISK]),
        lambda one: carriers.relayed(one, title, carriers.RELAYS[title], [DISK]),
    )
