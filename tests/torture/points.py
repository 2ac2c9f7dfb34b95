"""Tier (b): the real companion, ended, stopped or starved at each named point of lapel_companion.durable.

A dry run of each scene lists the points that it passes and how often; cases are made of that list.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence

from tests.torture.crash import case as cases
from tests.torture.crash import named
from tests.torture.crash.case import AGAIN, KINDS, Case
from tests.torture.crash.scenes import RECOVERY, SCENES
from tests.torture.crash.trap import BROKEN, BYE, FULL, KILL, NONE, STOP, can_fail
from tests.torture.crash.world import Died, Nursery
from tests.torture.dark import power
from tests.torture.verdict import Verdict
from tests.torture.whole.calls import NoStrace, find_strace

# Cases at a time for each worker: they mostly wait.
AT_ONCE = 2
# One pair of crashes for so many mixtures that are asked for.
_MIXTURES_A_PAIR = 100
_SECOND_MAX = 60
# One point in so many is where the daemon is stopped for a while.
_STOPS_EACH = 4
# One in so many is where it is asked to end.
_BYES_EACH = 8
_ALL_MAX = 3
# What a power cut leaves of that is drawn by one of so many seeds.
_SEEDS = 1_000_000
# Steps that are a sync, or have one in them.
_SYNCS = (".sync.after", ".folder.after")
NOT_RUN = "not run: "

NAMED = "b/named"

Counts = Mapping[str, Counter[str]]


class Points:
    """See verdict.Tier. `strace` None: the one that is found; "" for none."""

    name = "b"

    def __init__(self, strace: str | None = None) -> None:
        self._counts: dict[str, Counter[str]] = {}
        self.why_not_dark = "" if strace else "there is no strace"
        self._strace = strace or ""
        if strace is None:
            try:
                self._strace, self.why_not_dark = find_strace(), ""
            except NoStrace as error:
                self.why_not_dark = str(error)

    def cases(self, n: int, seed: int) -> Mapping[str, Sequence[str]]:
        """The first of them, `NAMED`, is that some scene passes each named point."""
        if not self._counts:
            self._counts = asyncio.run(dry_run())
        return plan(self._counts, n, seed)

    def kind_of(self, name: str) -> str:
        """See verdict.Tier."""
        try:
            return KINDS[Case.of(name).how]
        except ValueError:
            return ""

    def run(self, names: Sequence[str], *, workers: int) -> Generator[Verdict, None, None]:
        if NAMED in names:
            yield self._named()
            names = [name for name in names if name != NAMED]
        verdicts: queue.Queue[Verdict | None] = queue.Queue()
        enough = threading.Event()
        if self.why_not_dark:
            for dark in (Case.of(name) for name in names if Case.of(name).blackout):
                yield Verdict("b", KINDS[dark.how], dark.name, broken=f"{NOT_RUN}{self.why_not_dark}")
            names = [name for name in names if not Case.of(name).blackout]

        def work() -> None:
            try:
                asyncio.run(_run_all(names, self._strace, AT_ONCE * workers, verdicts.put, enough))
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

    def _named(self) -> Verdict:
        self._counts = self._counts or asyncio.run(dry_run())
        missed = unvisited(self._counts)
        why = f"no scene passes {', '.join(sorted(missed))}" if missed else ""
        return Verdict("b", KINDS[NONE], NAMED, broken=why)


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

    def dark(scene: str, point: str, times: int, how: str) -> None:
        seed = 0 if how == power.STINGY else chance.randrange(1, _SEEDS)
        add(scene, point, chance.randint(1, times), how, seed)

    found[KINDS[NONE]] = [NAMED, *(Case(scene, NONE, 1, NONE).name for scene in counts)]
    known: set[str] = set()
    for scene, counted in counts.items():
        for point, times in sorted(counted.items()):
            if point in known:
                if scene == RECOVERY and times > 1:
                    add(scene, point, chance.randint(1, times), KILL)
                    if point.endswith(".after"):
                        dark(scene, point, times, chance.choice((power.STINGY, power.DRAWN)))
                continue
            known.add(point)
            for occurrence in _some(times, chance):
                add(scene, point, occurrence, KILL)
            if can_fail(point):
                add(scene, point, chance.randint(1, times), FULL)
                add(scene, point, chance.randint(1, times), BROKEN)
            if chance.randrange(_STOPS_EACH) == 0:
                add(scene, point, chance.randint(1, times), STOP)
            if chance.randrange(_BYES_EACH) == 0:
                add(scene, point, chance.randint(1, times), BYE)
            if point.endswith(".after"):
                dark(scene, point, times, power.STINGY)
                synced = point.endswith(_SYNCS) or point.startswith("events.")
                # A torn sync leaves of the rest what is drawn, too.
                dark(scene, point, times, power.TORN if synced else power.DRAWN)
    for _ in range(n // _MIXTURES_A_PAIR):
        scene = chance.choice(list(counts))
        point = chance.choice(sorted(counts[scene]))
        add(scene, point, chance.randint(1, counts[scene][point]), AGAIN, chance.randint(1, _SECOND_MAX))
    return {kind: list(dict.fromkeys(names)) for kind, names in found.items()}


def _some(times: int, chance: random.Random) -> list[int]:
    if times <= _ALL_MAX:
        return list(range(1, times + 1))
    return [1, chance.randint(2, times - 1), times]


async def _run_all(
    names: Sequence[str],
    strace: str,
    at_once: int,
    put: Callable[[Verdict], None],
    enough: threading.Event,
) -> None:
    """Without strace first, and then those that need it: it looks on at all daemons of a nursery."""
    for traced in (False, True):
        waiting = [name for name in reversed(names) if (Case.of(name).blackout is not None) is traced]
        if waiting and not enough.is_set():
            with Nursery(strace if traced else "") as nursery:
                await asyncio.gather(*(_work(nursery, waiting, put, enough) for _ in range(at_once)))


async def _work(nursery: Nursery, waiting: list[str], put: Callable[[Verdict], None], enough: threading.Event) -> None:
    while waiting and not enough.is_set():
        put(await _one(nursery, waiting.pop()))


async def _one(nursery: Nursery, name: str) -> Verdict:
    try:
        return await cases.run(nursery, Case.of(name))
    except (Died, AssertionError, OSError, ValueError, KeyError) as error:
        return Verdict("b", KINDS[Case.of(name).how], name, broken=f"{type(error).__name__}: {error}")
