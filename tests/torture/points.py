"""Tier (b): the real companion, ended, stopped or starved at each named point of lapel_companion.durable.

A dry run of each scene lists the points that it passes and how often; cases are made of that list.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
from collections import Counter
from collections.abc import Generator, Mapping, Sequence

from tests.torture.crash import case as cases
from tests.torture.crash import named
from tests.torture.crash.case import AGAIN, KINDS, Case
from tests.torture.crash.scenes import RECOVERY, SCENES
from tests.torture.crash.trap import BROKEN, FULL, KILL, POWER, STOP, can_fail
from tests.torture.crash.world import Nursery
from tests.torture.verdict import Verdict

# Cases at a time for each worker: they mostly wait.
AT_ONCE = 3
# One pair of crashes for so many mixtures that are asked for.
_MIXTURES_A_PAIR = 100
_SECOND_MAX = 60
# One point in so many is where the daemon is stopped for a while.
_STOPS_EACH = 4
_ALL_MAX = 3

Counts = Mapping[str, Counter[str]]


class Points:
    """See verdict.Tier."""

    name = "b"

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def cases(self, n: int, seed: int) -> Mapping[str, Sequence[str]]:
        """Raises AssertionError when a scene is not good by itself, or a named point is passed by none."""
        if not self._counts:
            self._counts = asyncio.run(dry_run())
            missed = unvisited(self._counts)
            assert not missed, f"no scene passes {', '.join(sorted(missed))}"
        return plan(self._counts, n, seed)

    def run(self, names: Sequence[str], *, workers: int) -> Generator[Verdict, None, None]:
        verdicts: queue.Queue[Verdict | None] = queue.Queue()
        enough = threading.Event()

        def work() -> None:
            try:
                asyncio.run(_run_all(names, AT_ONCE * workers, verdicts.put, enough))
            finally:
                verdicts.put(None)

        thread = threading.Thread(target=work, name="tier-b-cases")
        thread.start()
        try:
            while (verdict := verdicts.get()) is not None:
                yield verdict
        finally:
            enough.set()
            thread.join()


async def dry_run() -> dict[str, Counter[str]]:
    """How often each scene passes each point at least; two runs of a scene may differ in the number of messages."""
    with Nursery() as nursery:
        names = [name for name in SCENES for _ in range(2)]
        trails = await asyncio.gather(*(cases.trail(nursery, name) for name in names))
    found: dict[str, Counter[str]] = {}
    for name, trail in zip(names, trails, strict=True):
        counted = Counter(trail)
        found[name] = found[name] & counted if name in found else counted
    return found


def unvisited(counts: Counts) -> set[str]:
    """Steps that the code names and no scene passes."""
    return named.named() - named.passed(point for counted in counts.values() for point in counted)


def plan(counts: Counts, n: int, seed: int) -> dict[str, list[str]]:
    """The names of the cases, by kind. A point is tried in the first scene that passes it: each time it is
    passed, or the first, the last and one that is drawn; once more in the scene that is a
    recovery itself."""
    chance = random.Random(seed)
    found: dict[str, list[str]] = {kind: [] for kind in KINDS.values()}

    def add(scene: str, point: str, occurrence: int, how: str, second: int = 0) -> None:
        found[KINDS[how]].append(Case(scene, point, occurrence, how, second).name)

    known: set[str] = set()
    for scene, counted in counts.items():
        for point, times in sorted(counted.items()):
            if point in known:
                if scene == RECOVERY and times > 1:
                    add(scene, point, chance.randint(1, times), KILL)
                continue
            known.add(point)
            for occurrence in _some(times, chance):
                add(scene, point, occurrence, KILL)
            if point.endswith(".after") and not point.startswith("engine."):
                add(scene, point, chance.randint(1, times), POWER)
            if can_fail(point):
                add(scene, point, chance.randint(1, times), FULL)
                add(scene, point, chance.randint(1, times), BROKEN)
            if chance.randrange(_STOPS_EACH) == 0:
                add(scene, point, chance.randint(1, times), STOP)
    for _ in range(n // _MIXTURES_A_PAIR):
        scene = chance.choice(list(counts))
        point = chance.choice(sorted(counts[scene]))
        add(scene, point, chance.randint(1, counts[scene][point]), AGAIN, chance.randint(1, _SECOND_MAX))
    return {kind: list(dict.fromkeys(names)) for kind, names in found.items()}


def _some(times: int, chance: random.Random) -> list[int]:
    if times <= _ALL_MAX:
        return list(range(1, times + 1))
    return [1, chance.randint(2, times - 1), times]


async def _run_all(names: Sequence[str], at_once: int, put: object, enough: threading.Event) -> None:
    assert callable(put)
    waiting = list(reversed(names))
    with Nursery() as nursery:

        async def work() -> None:
            while waiting and not enough.is_set():
                name = waiting.pop()
                put(await _one(nursery, name))

        await asyncio.gather(*(work() for _ in range(at_once)))


async def _one(nursery: Nursery, name: str) -> Verdict:
    try:
        return await cases.run(nursery, Case.of(name))
    except (AssertionError, OSError, ValueError) as error:
        return Verdict("b", "", name, broken=f"{type(error).__name__}: {error}")
