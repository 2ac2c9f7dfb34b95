"""Strangers at the pin: the owner is in within 15 s, its session is never touched, nothing grows, nothing is had."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bumble.device import Peer

from lapel_wire import gatt
from simulator.air import Pace
from tests.sim.runs import DISK
from tests.strangers.centrals import BEHAVIOURS, GONE, Crowd
from tests.strangers.desk import LIMIT_S, Desk, desk
from tests.strangers.radios import Radio, passes
from tests.strangers.rows import Row

# With others in the room a clip is there so much later after its release than without, at most.
LATER_S = 1.0
# Free heap after a collection may differ by so much from one look to the next.
HEAP_BYTES = 12_000
_HEAP_S = 25.0
_SETTLE_S = 0.3
HANDLES_MAX = 41
# Of the owner's before, that are said again.
SESSIONS_MAX = 6
_AT_ONCE = 10
# What the battery's service reads for somebody who proved nothing.
BATTERY_UNKNOWN = b"\x64"
UUID_BYTES = 16
# Properties and handle, before the UUID.
DECLARATION_BYTES = 3
STANDARD_SERVICES = (b"\x00\x18", b"\x01\x18", b"\x0f\x18")


@dataclass(frozen=True)
class Case:
    """So many, doing these things in turn; `rotates`: a new address each time."""

    name: str
    does: Sequence[str]
    rotates: bool = True
    mtu: int = gatt.MTU_WANTED


def cases(counts: Sequence[int] = (2, 4, 6)) -> list[Case]:
    """Every behaviour in every number, with new addresses and with the same; and all of them together."""
    found = []
    for count in counts:
        for rotates in (True, False):
            how = "new addresses" if rotates else "same addresses"
            for name in BEHAVIOURS:
                found.append(Case(f"{count} x {name}, {how}", [name] * count, rotates))
            mixed = [list(BEHAVIOURS)[i % len(BEHAVIOURS)] for i in range(1, count + 1)]
            found.append(Case(f"{count} x mixed, {how}", mixed, rotates))
    return found


async def siege(one: Desk, case: Case, seed: int) -> Row:
    """The owner's link is lost while they are there; it comes back, speaks, and is lost again."""
    row = Row("pin", case.name)
    async with Crowd(one.sim, list(case.does), rotate=case.rotates, mtu=case.mtu, seed=seed) as crowd:
        crowd.sessions = one.said()[-SESSIONS_MAX:]
        begun, since_s = len(one.events), one.now_s
        one.lose_link()
        row.took(await one.owner_in_s(begun, since_s), LIMIT_S)
        await passes(_SETTLE_S)
        row.check(not crowd.tally.notified, f"a stranger was told {len(crowd.tally.notified)} packets")
        read = set(crowd.tally.read.values())
        row.check(read <= {gatt.INFO}, f"a stranger read {read}")
        row.note = f"{crowd.tally.connected} connections, {crowd.tally.writes} writes"
    _check_alive(one, row, begun)
    return row


async def clip_s(one: Desk) -> float:
    """The owner speaks; seconds from the release until the companion has the clip."""
    begun = len(one.events)
    await one.hold(DISK)
    clip = await one.seen("clip", begun, who="companion")
    await one.seen("notice", begun, who="pin")
    return clip.t_s - max(e.t_s for e in one.events if e.name == "release")


async def speaks(one: Desk, case: Case, seed: int, alone_s: float) -> Row:
    """They press to connect all the while that the owner speaks; without them a clip took `alone_s`."""
    row = Row("pin", f"a clip while {case.name}")
    async with Crowd(one.sim, list(case.does), rotate=case.rotates, mtu=case.mtu, seed=seed) as crowd:
        crowd.sessions = one.said()[-SESSIONS_MAX:]
        begun, since_s = len(one.events), one.now_s
        one.lose_link()
        row.took(await one.owner_in_s(begun, since_s), LIMIT_S)
        before = crowd.tally.connected
        late_s = await clip_s(one)
        row.check(late_s <= alone_s + LATER_S, "the clip came late")
        row.check(not crowd.tally.notified, f"a stranger was told {len(crowd.tally.notified)} packets")
        row.check(crowd.tally.connected <= before + 1, "strangers connected during a session")
        row.note = f"clip {late_s:.2f} s after release, {alone_s:.2f} s without them"
    _check_alive(one, row, begun)
    return row


async def first_contact(one: Desk, case: Case, seed: int) -> Row:
    """They are there before the owner is: it comes with an address that the pin never saw."""
    row = Row("pin", f"a new owner's radio, {case.name}")
    said = one.said()[-SESSIONS_MAX:]
    await one.sim.companion_kill()
    async with Crowd(one.sim, list(case.does), rotate=case.rotates, mtu=case.mtu, seed=seed) as crowd:
        crowd.sessions = said
        await passes(2 * _SETTLE_S)
        begun = len(one.events)
        await one.sim.companion_start()
        ready = await _started(one, begun)
        row.took(await one.owner_in_s(begun, ready), LIMIT_S)
        row.check(not crowd.tally.notified, f"a stranger was told {len(crowd.tally.notified)} packets")
        row.note = f"{crowd.tally.connected} connections, {crowd.tally.writes} writes"
    _check_alive(one, row, begun)
    return row


async def heap(one: Desk, case: Case, seed: int) -> Row:
    """What the pin has left before, and after half a minute of them."""
    row = Row("pin", f"memory, {case.name}")
    free = await _free(one)
    async with Crowd(one.sim, list(case.does), rotate=case.rotates, mtu=case.mtu, seed=seed) as crowd:
        await one.sim.companion_kill()
        await passes(_HEAP_S)
        await one.sim.companion_start()
        await one.owner_in_s(len(one.events), one.now_s)
        row.note = f"{crowd.tally.connected} connections, {crowd.tally.writes} writes"
    after = await _free(one)
    row.check(after >= free - HEAP_BYTES, f"free heap went from {free} to {after}")
    row.note += f", heap {free} -> {after}"
    return row


async def attributes(one: Desk) -> Row:
    """A stranger asks for every attribute that there could be, and writes to all."""
    row = Row("pin", "every attribute read and written")
    one.lose_link()
    await one.sim.companion_freeze(True)
    radio = Radio(one.sim.air, "reader", 1)
    read: dict[int, bytes] = {}
    wrote: list[int] = []
    try:
        for at in range(1, HANDLES_MAX, _AT_ONCE):
            device = await radio.renew()
            connection = await device.connect(one.pin_address(), timeout=LIMIT_S)
            client = Peer(connection).gatt_client
            for handle in range(at, at + _AT_ONCE):
                with contextlib.suppress(*GONE):
                    read[handle] = bytes(await client.read_value(handle))
                with contextlib.suppress(*GONE):
                    await client.write_value(handle, b"\x01\x00", True)
                    wrote.append(handle)
            await connection.disconnect()
    finally:
        radio.leave()
        begun = len(one.events)
        await one.sim.companion_freeze(False)
    await one.owner_in_s(begun, one.now_s)
    told = {value for value in read.values() if not _is_known(value)}
    row.check(not told, f"read: {told}")
    row.check(gatt.INFO in read.values(), "`info` was not read")
    row.note = f"{len(read)} handles read, {len(wrote)} written"
    return row


def _is_known(value: bytes) -> bool:
    # Declarations name handles and UUIDs; a descriptor says whether its reader subscribed.
    fixed = (gatt.INFO, gatt.NAME.encode(), BATTERY_UNKNOWN, b"", b"\0", b"\0\0", b"\1\0", b"\0\0\0\0")
    if value in fixed or len(value) == UUID_BYTES or value in STANDARD_SERVICES:
        return True
    return len(value) in (DECLARATION_BYTES + 2, DECLARATION_BYTES + UUID_BYTES)


async def run(folder: Path, seed: int, counts: Sequence[int] = (2, 4, 6)) -> AsyncIterator[Row]:
    """All of it."""
    number = 0
    for mtu in (gatt.MTU_WANTED, gatt.MTU_MIN):
        async with desk(folder / f"pin{mtu}", seed=seed, pace=Pace(mtu=mtu)) as one:
            alone_s = await clip_s(one)
            yield await attributes(one)
            for case in cases(counts):
                number += 1
                named = Case(f"{case.name}, MTU {mtu}", case.does, case.rotates, mtu)
                yield await siege(one, named, seed + number)
            for count in counts:
                every = [list(BEHAVIOURS)[i % len(BEHAVIOURS)] for i in range(1, count + 1)]
                everyone = Case(f"{count} x mixed, MTU {mtu}", every, True, mtu)
                yield await speaks(one, everyone, seed + number, alone_s)
                for rotates in (True, False):
                    how = "new" if rotates else "same"
                    kind = Case(f"{count} x mixed, {how}, MTU {mtu}", every, rotates, mtu)
                    yield await first_contact(one, kind, seed + number)
            yield await heap(one, Case(f"6 x mixed, MTU {mtu}", every, True, mtu), seed)


async def _free(one: Desk) -> int:
    found = await one.seen("heap", len(one.events), 30.0, who="pin")
    return int(found.fields["free"])


async def _started(one: Desk, begun: int) -> float:
    # The daemon's own start is no matter of the radio's.
    found = await one.seen("print", begun, line="*the companion runs on*")
    return found.t_s


def _check_alive(one: Desk, row: Row, begun: int) -> None:
    for event in one.events[begun:]:
        if event.who == "pin" and event.name in ("died", "reset", "task_died"):
            row.bad.append(f"{event.name} {dict(event.fields)}")
    row.check(not one.sim.failure, one.sim.failure)
