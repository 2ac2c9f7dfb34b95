"""One case: a scene with a fault in it, then everything comes to rest, and is judged."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, replace
from typing import Any

from tests.torture.crash import oracle
from tests.torture.crash.scenes import SCENES
from tests.torture.crash.trap import ANY_POINT, BROKEN, BYE, FULL, KILL, LIST, NONE, POWER, STOP, Fault
from tests.torture.crash.world import Died, Nursery, World
from tests.torture.dark import power
from tests.torture.verdict import Verdict

# A second crash, at a moment that is drawn, while the daemon comes back from the first.
AGAIN = "again"
KINDS = {
    NONE: "no fault",
    KILL: "killed at a point",
    AGAIN: "killed again",
    power.STINGY: "power cut, what was synced is left",
    power.DRAWN: "power cut, of the rest a part is left",
    power.TORN: "power cut in the middle of a sync",
    STOP: "stands still",
    BYE: "asked to end",
    FULL: "disk full",
    BROKEN: "disk error",
}
# Not on the companion's disk: the agent's ledger is the truth, and the rest is the harness's.
_NOT_ITS_DISK = ("ledger", "log", "config.toml", "pin", "control")
REST_LIMIT_S = 40.0
CASE_LIMIT_S = 240.0
_QUIET_S = 0.25
_TRIES = 3


@dataclass(frozen=True)
class Case:
    """`b/<scene>/<point>/<occurrence>/<how>`; with `again-K` the second crash is at the K-th point passed,
    with `drawn-K` and `torn-K` what is left is drawn by the seed K."""

    scene: str
    point: str
    occurrence: int
    how: str
    second: int = 0

    @property
    def name(self) -> str:
        how = f"{self.how}-{self.second}" if self.second else self.how
        return f"b/{self.scene}/{self.point}/{self.occurrence}/{how}"

    @classmethod
    def of(cls, name: str) -> Case:
        """Raises ValueError."""
        _, scene, point, occurrence, how = name.split("/")
        how, _, second = how.partition("-")
        if scene not in SCENES or how not in KINDS:
            raise ValueError(f"no case of this tier is called {name}")
        return cls(scene, point, int(occurrence), how, int(second or 0))

    @property
    def fault(self) -> Fault:
        if self.how in power.HOWS:
            return Fault(self.point, self.occurrence, POWER)
        return Fault(self.point, self.occurrence, KILL if self.how == AGAIN else self.how)

    @property
    def blackout(self) -> power.Blackout | None:
        return power.Blackout(self.how, self.second, _NOT_ITS_DISK) if self.how in power.HOWS else None


async def trail(nursery: Nursery, scene: str) -> list[str]:
    """The points that a scene passes, without any fault. Whether that is good is a case of its own."""
    async with World(nursery) as world:
        with contextlib.suppress(Died, TimeoutError):
            await _played(world, scene, Fault(ANY_POINT, 0, LIST))
            await _rest(world)
        return world.trail


async def run(nursery: Nursery, case: Case) -> Verdict:
    """The verdict. On a slow machine a scene passes a point less often, when more is done at one go: then an
    earlier time is taken."""
    kind, occurrence, tries = KINDS[case.how], case.occurrence, 0
    while True:
        try:
            async with asyncio.timeout(CASE_LIMIT_S):
                verdict = await _run(nursery, case, replace(case.fault, occurrence=occurrence))
        except TimeoutError:
            return Verdict("b", kind, case.name, broken=f"it took longer than {CASE_LIMIT_S:g} s")
        if verdict is not None:
            return verdict
        tries += occurrence == 1
        if tries == _TRIES:
            return Verdict("b", kind, case.name, broken="the point was not reached")
        occurrence = max(1, occurrence // 2)


async def _run(nursery: Nursery, case: Case, fault: Fault) -> Verdict | None:
    """None when the point was not reached."""
    async with World(nursery) as world:
        world.blackout = case.blackout
        await _played(world, case.scene, fault)
        begun_s = time.monotonic()
        rested = await _rest(world, Fault(ANY_POINT, case.second, KILL) if case.how == AGAIN else None)
        if world.sprung is None and fault.how != NONE:
            return None
        recovery_ms = round((time.monotonic() - begun_s - _QUIET_S) * 1000)
        found = oracle.judge(world, await _recorded(world))
        broken = found.other if rested else [*found.other, "it never came to rest"]
        if "did not end within" in world.log:
            broken.append("it did not end when it was asked to")
        if "Traceback" in world.log:
            broken.append("a traceback: " + world.log[world.log.index("Traceback") :][:2000])
        counts: dict[str, Any] = {name: len(sentences) for name, sentences in found.__dict__.items() if name != "other"}
        why = "; ".join(sentence for sentence in found.all if sentence not in found.other)
        told: dict[str, Any] = {**counts, "broken": "; ".join(broken), "recovery_ms": max(0, recovery_ms)}
        return Verdict("b", KINDS[case.how], case.name, **told, why=why)


async def _played(world: World, name: str, fault: Fault) -> None:
    scene = SCENES[name]
    if scene.before is not None:
        await scene.before(world)
    world.armed = fault
    try:
        await scene.play(world)
    except Died:
        world.wearer.calm_down()


async def _rest(world: World, fault: Fault | None = None) -> bool:
    """Wait until nothing moves; whether that came. A daemon that ends is started again, the first with `fault`."""
    deadline_s = time.monotonic() + REST_LIMIT_S
    quiet_since_s: float | None = None
    before: Any = None
    while time.monotonic() < deadline_s:
        try:
            if world.died.is_set():
                fault, armed = None, fault
                await world.start(armed)
            now = await _state(world)
        except Died:
            continue
        if now is None or now != before:
            before, quiet_since_s = now, None
        elif quiet_since_s is None:
            quiet_since_s = time.monotonic()
        elif time.monotonic() - quiet_since_s >= _QUIET_S:
            return True
        await asyncio.sleep(0.05)
    return False


async def _state(world: World) -> Any:
    """What would change if anything still moved; None while something is known to be under way."""
    status = await world.get("/v1/status")
    if status is None or status["engine"]["open"] or status["engine"]["waiting_to_retry"] or world.wearer.busy:
        return None
    recorded = await _recorded(world)
    if any(not (one["on_pin"] or one["seen"] or one["retracted"]) for one in recorded):
        return None
    # The engine begins in a thread of its own: on a slow machine it may not know yet what it has to do.
    wearer = world.wearer
    promised = [press for press in wearer.presses.values() if press.clip in wearer.pin.accepted]
    if not all(wearer.felt(press) for press in promised):
        return None
    gone = world.wearer.pin.retracted
    if any(one["retracted"] and one["on_pin"] and one["seq"] not in gone for one in recorded):
        return None
    return status["head"], len(world.ears.received), world.books


async def _recorded(world: World) -> list[dict[str, Any]]:
    answer = await world.get("/v1/notices", limit=500)
    return [] if answer is None else list(answer["notices"])
