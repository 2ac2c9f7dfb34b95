"""Fake pins at the companion: the real one is linked within 15 s, nothing is told to another, they are counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tests.sim.runs import DISK
from tests.strangers.desk import LIMIT_S, Desk, desk
from tests.strangers.fakes import FAKES, Pretenders
from tests.strangers.radios import passes
from tests.strangers.rows import Row

# Of the pin's before, that are said again.
SESSIONS_MAX = 6
# In which fakes are heard, and nobody else.
_HEAD_START_S = 1.0
# What a fake may be told: openings, again and again, cut into packets.
OPENINGS_MAX_BYTES = 60 * 8


async def among(one: Desk, names: Sequence[str], rotate_s: float, seed: int, title: str = "") -> Row:
    """They are there before the pin is: it is switched on, found, hears a clip, and is lost once more."""
    row = Row("companion", title or ", ".join(names))
    heard = one.answered()[-SESSIONS_MAX:]
    await one.sim.companion_kill()
    await one.sim.power_cut()
    async with Pretenders(one.sim, names, rotate_s=rotate_s, seed=seed) as fakes:
        fakes.sessions = heard
        begun = len(one.events)
        await one.sim.companion_start()
        await one.seen("print", begun, line="*the companion runs on*")
        await passes(_HEAD_START_S)
        begun = len(one.events)
        await one.sim.power_on()
        ready = await one.seen("advertising", begun, who="radio")
        row.took(await one.owner_in_s(begun, ready.t_s), LIMIT_S)
        begun = len(one.events)
        await one.hold(DISK)
        await one.seen("notice", begun, 30.0, who="pin")
        begun, since_s = len(one.events), one.now_s
        one.lose_link()
        row.took(await one.owner_in_s(begun, since_s), LIMIT_S)
        found = (await one.status())["link"]
        row.note = f"{fakes.spoken.met} met, {len(fakes.spoken.written)} packets told, {found['strangers']} strangers"
        told = b"".join(fakes.spoken.written)
        per_meeting = len(told) / max(1, fakes.spoken.met)
        row.check(per_meeting <= OPENINGS_MAX_BYTES, f"fakes were told {per_meeting:.0f} B each")
        row.check(not any(len(p) > 52 for p in fakes.spoken.written), "a fake was told more than openings")
        honest = [n for n in names if n not in ("safe mode", "version 1", "version 9", "unpaired", "no info")]
        row.check(not (honest and fakes.spoken.met) or found["strangers"] > 0, "strangers were not counted")
    row.check(not one.sim.failure, one.sim.failure)
    return row


async def run(folder: Path, seed: int) -> AsyncIterator[Row]:
    """Each kind alone, then crowds of three, standing still and with new addresses all the time."""
    async with desk(folder / "companion", seed=seed) as one:
        for number, name in enumerate(FAKES):
            yield await among(one, [name], 0.0, seed + number)
        crowds = [
            ("silent", "answers garbage", "floods"),
            ("silent", "silent", "silent"),
            ("lets nobody in", "closes late", "replays a pin's answers"),
        ]
        for names in crowds:
            for rotate_s in (0.0, 1.0):
                how = ", new addresses" if rotate_s else ""
                yield await among(one, names, rotate_s, seed, ", ".join(names) + how)
