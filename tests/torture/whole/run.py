"""One case: the play, the fault beside it, what is left of it, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
from pathlib import Path

from lapel_companion.client import ApiError, NoDaemon
from tests.torture.agent import scene
from tests.torture.agent.recogniser import Recogniser
from tests.torture.verdict import Verdict
from tests.torture.whole import faults
from tests.torture.whole.fault import Fault
from tests.torture.whole.oracle import Findings, Truth, judge, number_in
from tests.torture.whole.stage import Stage

TASK, REPEAT, NOTE = scene.TASK + 7, scene.REPEAT + 7, scene.NOTE + 50
# What is said on top when the fault has not come yet: a run that was quicker than the one that was counted.
_MORE = scene.NOTE + 70
_MORE_MAX = 6
LIMIT_S = 300.0
# A computer that is too busy for the simulated microphone may be less so the next time.
_TRIES = 3
# Where what is left of a case that is not good can be looked at.
KEPT = Path(__file__).resolve().parents[3] / "build" / "torture"


async def run_case(name: str, strace: str) -> Verdict:
    """The verdict on a case of that name (`faults.made` knows them). A case that hangs is one that is broken; one in
    which the microphone overran says nothing when it is not good, and is run again."""
    for _ in range(_TRIES):
        verdict, overran = await _once(name, strace)
        if verdict.good or not overran:
            break
    return verdict


async def _once(name: str, strace: str) -> tuple[Verdict, bool]:
    fault = faults.made(name, strace)
    with tempfile.TemporaryDirectory(prefix="lapel-c-", ignore_cleanup_errors=True) as folder:
        with Recogniser(scene.text) as recogniser:
            fault.prepare(Path(folder), recogniser)
            stage = Stage(Path(folder), recogniser, fault.under)
            fault.stage = stage
            found, recovery_ms = Findings(), None
            try:
                async with asyncio.timeout(LIMIT_S):
                    found, recovery_ms = await play(stage, fault)
            except TimeoutError:
                found.add("", f"it has not ended after {LIMIT_S:g} s")
            finally:
                try:
                    async with asyncio.timeout(30):
                        await stage.close()
                except TimeoutError:
                    found.add("", "its processes could not be ended")
                fault.close()
        verdict = found.verdict(fault.kind, name, recovery_ms)
        if not verdict.good:
            _keep(stage, name)
    return verdict, any(take.overrun for take in stage.ear.takes)


async def play(stage: Stage, fault: Fault) -> tuple[Findings, int | None]:
    """The acts of the person with the fault beside them: what must not be, and the milliseconds to recover."""
    beside = asyncio.create_task(fault.play())
    try:
        await stage.open()
        fault.opened.set()
        await stage.hold(TASK)
        await stage.say(NOTE)
        await stage.hold(REPEAT)
        await fault.acted()
        why = await stage.rest(fault.rest_s)
        more = 0
        while not why and not fault.came and more < _MORE_MAX:
            await stage.say(_MORE + more)
            more += 1
            why = await stage.rest(fault.rest_s)
        await fault.rested()
        why = why or await stage.rest(fault.rest_s)
        last_s = stage.last_s()
        found = await _look(stage, fault, why)
    finally:
        beside.cancel()
        done = await asyncio.gather(beside, return_exceptions=True)
    if isinstance(done[0], Exception):
        raise done[0]
    for sentence in fault.found():
        found.add("", sentence)
    if not fault.came:
        found.add("", "the fault never came")
    recovery_ms = None if stage.over_s is None else max(0, round((last_s - stage.over_s) * 1000))
    return found, recovery_ms


async def _look(stage: Stage, fault: Fault, why: str) -> Findings:
    """The last acts of the person, and the oracle."""
    seen: set[int] = set()
    unseen: int | None = None
    try:
        if not why:
            first = next((n for n in await stage.notices() if number_in(n["text"]) == TASK and not n["seen"]), None)
            if first:
                seen.add(int(first["seq"]))
                await stage.see(int(first["seq"]))
            counted = await stage.notices()
            unseen = await stage.unseen_by_touch()
            if unseen is None:
                why = why or "a tap is not answered"
        else:
            counted = await stage.notices()
    except (NoDaemon, ApiError) as error:
        counted, why = [], why or str(error)
    truth = Truth(stage, counted, unseen, frozenset(seen), fault.interrupts, fault.restores)
    found = judge(truth)
    if why:
        found.add("", why)
    return found


def _keep(stage: Stage, name: str) -> None:
    """The timeline, and the state of the companion."""
    folder = KEPT / name.replace("/", "_")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = [json.dumps(event.as_json()) for event in stage.events]
    (folder / "timeline.jsonl").write_text("\n".join(lines) + "\n")
    for i, take in enumerate(stage.ear.takes):
        (folder / f"heard-{i}.pcm").write_bytes(take.pcm())
    for i, each in enumerate(stage.recogniser.received):
        (folder / f"received-{i}-{each.number}.pcm").write_bytes(each.pcm)
    for path in (stage.folder / "ledger", stage.folder / "notes.md", *stage.state.glob("*.db*")):
        with contextlib.suppress(OSError):
            shutil.copy(path, folder)
