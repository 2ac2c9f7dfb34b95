"""Carriers: what a relay that lies brings about, and who says again what was heard; `sniffer` only listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from simulator.relay import WAYS
from tests.sim.runs import DISK, NOTE
from tests.strangers.centrals import OPENING_BYTES, Crowd
from tests.strangers.desk import LIMIT_S, Desk, desk
from tests.strangers.fakes import Pretenders
from tests.strangers.radios import passes
from tests.strangers.rows import Row
from tests.strangers.sniffer import sniffed

# A fault that falls on this share of the packets up and down (there are fewer of those), and what then is counted.
FAULTS: Mapping[str, tuple[str, float, float, Sequence[str]]] = {
    "says old things again": ("replay", 0.3, 0.5, ("replayed", "bad")),
    "reorders": ("swap", 0.1, 0.5, ("gaps", "replayed")),
    "drops": ("lose", 0.1, 0.5, ("gaps",)),
    "delays": ("delay", 0.05, 0.5, ("gaps", "replayed")),
    "flips bits": ("flip", 0.1, 0.5, ("bad", "gaps")),
}
# A share of the packets, both ways.
RELAYS: Mapping[str, Mapping[str, float]] = {
    "drops and doubles": {"lose": 0.1, "double": 0.2},
    "cuts short, puts behind": {"shorten": 0.05, "lengthen": 0.05},
    "does all of it": {
        "lose": 0.03, "double": 0.05, "swap": 0.03, "delay": 0.03, "replay": 0.1, "flip": 0.03, "shorten": 0.02,
        "lengthen": 0.02,
    },
}  # fmt: skip
_NOTICE_S = 120.0
_QUIET_S = 1.5
_REPLAY_S = 12.0
# Of the owner and the pin, that are said again.
_SESSIONS = 5


async def relayed(
    one: Desk, title: str, faults: Mapping[str, float], wavs: Sequence[Path] = (DISK, NOTE)
) -> Row:
    """Clips through that relay: each is dispatched once, and as it was."""
    row = Row("carriers", f"a relay that {title}")
    for fault, share in faults.items():
        one.sim.relay.set(fault, share)
    await _through(one, row, wavs)
    return row


async def one_fault(one: Desk, title: str, way: str, wavs: Sequence[Path] = (DISK, NOTE)) -> Row:
    """A relay that does one thing, one way: it costs a resume at most, and who is there counts what was refused."""
    fault, up, down, counters = FAULTS[title]
    row = Row("carriers", f"a relay that {title}, {way}")
    before = (await one.status())["link"]["refused"]
    one.sim.relay.set(fault, up if way == "up" else down, (way,))
    links = await _through(one, row, wavs)
    row.check(links == 0, f"{links} new sessions")
    refused = (await one.status())["link"]["refused"]
    counted = {name: refused[name] - before[name] for name in refused}
    # The pin tells what it counted at the end of a session.
    begun = len(one.events)
    one.lose_link()
    over = await one.seen("session_over", begun, who="pin")
    await one.seen("linked", begun, who="companion")
    if way == "down":
        counted = {name: int(over.fields[name]) for name in counted}
    row.check(one.sim.relay.done[fault] > 0, "the relay did nothing")
    row.check(any(counted[name] for name in counters), f"of {counters} nothing was counted")
    row.note = f"{one.sim.relay.done[fault]} faults, counted {json.dumps(counted)}"
    return row


async def _through(one: Desk, row: Row, wavs: Sequence[Path]) -> int:
    # Clips through what the relay was set to; the sessions that began meanwhile.
    relay = one.sim.relay
    relay.done.clear()
    begun = len(one.events)
    for wav in wavs:
        start = len(one.events)
        await one.hold(wav)
        await _settled(one, start)
    relay.good()
    await _quiet(one)
    _once(one, row, begun, len(wavs))
    link = (await one.status())["link"]
    links = sum(1 for e in one.events[begun:] if e.who == "companion" and e.name == "linked")
    row.note = f"{sum(relay.done.values())} faults, {links} new sessions, {json.dumps(link['refused'])} in all"
    return links


async def replayed_sessions(one: Desk, *, reboots: bool) -> Row:
    """All that the owner ever said is said again by others, while it is away: session by session. A pin that was off
    in between has forgotten which openings it answered."""
    row = Row("carriers", "whole old sessions said again to the pin" + (", after a power cut" if reboots else ""))
    said = await _sessions(one)
    begun = len(one.events)
    await one.sim.companion_kill()
    if reboots:
        await one.sim.power_cut()
        await one.sim.power_on()
    await one.seen("advertising", begun, who="radio")
    async with Crowd(one.sim, ["replays an opening"] * 2, seed=7) as crowd:
        crowd.sessions = said
        await passes(_REPLAY_S)
        start = len(one.events)
        await one.sim.companion_start()
        ready = await one.seen("print", start, line="*the companion runs on*")
        row.took(await one.owner_in_s(start, ready.t_s), LIMIT_S)
        answers, tally = crowd.tally.notified, crowd.tally
        row.note = f"{len(said)} sessions, {tally.connected} connections, {tally.writes} writes, {len(answers)} answers"
    # An opening that is genuine is answered, once while the pin is on; nothing else is.
    row.check(len(answers) <= len(said) if reboots else not answers, f"{len(answers)} answers")
    row.check(all(len(answer) == OPENING_BYTES + 1 for answer in answers), "a stranger was told more than an answer")
    row.check(tally.writes > len(said), f"only {tally.writes} writes")
    await _quiet(one)
    ups = [e for e in one.events[begun:start] if e.who == "pin" and e.name == "link" and e.fields.get("up")]
    row.check(not ups, "a replay became a session")
    _once(one, row, begun, 0)
    return row


async def replayed_to_the_companion(one: Desk) -> Row:
    """All that the pin ever said is said again by others, session by session, while it is away."""
    row = Row("carriers", "whole old sessions said again to the companion")
    await _sessions(one)
    heard = one.answered()
    before = (await one.status())["link"]
    await one.sim.power_cut()
    begun = len(one.events)
    async with Pretenders(one.sim, ["replays a pin's answers"] * 2, seed=7) as fakes:
        fakes.sessions = heard
        await passes(_REPLAY_S)
        linked = [e for e in one.events[begun:] if e.who == "companion" and e.name == "linked"]
        row.check(not linked, "one was believed")
        start = len(one.events)
        await one.sim.power_on()
        ready = await one.seen("advertising", start, who="radio")
        row.took(await one.owner_in_s(start, ready.t_s), LIMIT_S)
        met, told = fakes.spoken.met, fakes.spoken.written
    link = (await one.status())["link"]
    row.check(met > 0 and link["strangers"] > before["strangers"], "strangers were not counted")
    row.check(all(len(packet) <= OPENING_BYTES + 1 for packet in told), "a fake was told more than openings")
    await _quiet(one)
    _once(one, row, begun, 0)
    row.note = f"{len(heard)} sessions, {met} met, {link['strangers'] - before['strangers']} strangers"
    return row


async def _sessions(one: Desk) -> list[list[bytes]]:
    # There are several to be had.
    while len(said := one.said()) < _SESSIONS:
        begun = len(one.events)
        one.lose_link()
        await one.seen("linked", begun, who="companion")
        await _quiet(one)
    return said


async def cut_links(one: Desk, times: int = 3) -> Row:
    """A carrier that ends the link in the middle of a clip."""
    row = Row("carriers", "a relay that cuts the link again and again")
    begun = len(one.events)
    holding = asyncio.ensure_future(one.hold(DISK))
    for _ in range(times):
        start, since_s = len(one.events), one.now_s
        one.lose_link()
        row.took(await one.owner_in_s(start, since_s), LIMIT_S)
    await holding
    await _settled(one, begun)
    await _quiet(one)
    _once(one, row, begun, 1)
    return row


async def bad_openings(one: Desk, times: int = 3) -> Row:
    """Sessions begin through a relay that does all of it."""
    row = Row("carriers", "a relay that does all of it as sessions begin")
    begun = len(one.events)
    for fault, share in RELAYS["does all of it"].items():
        one.sim.relay.set(fault, share)
    for _ in range(times):
        start, since_s = len(one.events), one.now_s
        one.lose_link()
        row.took(await one.owner_in_s(start, since_s), LIMIT_S)
    one.sim.relay.good()
    await _quiet(one)
    _once(one, row, begun, 0)
    return row


async def run(folder: Path, seed: int) -> AsyncIterator[Row]:
    """The sniffer, then one relay after the other on the same pin: it remembers all sessions before."""
    async with desk(folder / "carriers", seed=seed) as one:
        yield await sniffed(one)
        yield await replayed_sessions(one, reboots=False)
        yield await replayed_sessions(one, reboots=True)
        yield await replayed_to_the_companion(one)
        yield await cut_links(one)
        for title in FAULTS:
            for way in WAYS:
                yield await one_fault(one, title, way)
        for title, faults in RELAYS.items():
            yield await relayed(one, title, faults)
        yield await bad_openings(one)


async def _settled(one: Desk, start: int) -> None:
    await one.seen("notice", start, _NOTICE_S, who="pin")


async def _quiet(one: Desk) -> None:
    # Until nothing new was said for a while.
    count = -1
    while count != len(_said(one)):
        count = len(_said(one))
        await passes(_QUIET_S)


def _said(one: Desk) -> list[str]:
    return [e.name for e in one.events if e.name in ("dispatch", "clip", "job", "notice", "accepted")]


def _once(one: Desk, row: Row, begun: int, count: int) -> None:
    events = one.events[begun:]
    captured = {e.fields["clip"] for e in events if e.who == "pin" and e.name in ("captured", "kept")}
    taken = [e.fields for e in events if e.who == "companion" and e.name == "dispatch"]
    accepted = [f["clip"] for f in taken if f["outcome"] == "accepted"]
    jobs = {e.fields["id"] for e in events if e.who == "companion" and e.name == "job"}
    felt = [e.fields["id"] for e in events if e.who == "pin" and e.name == "notice"]
    row.check(len(captured) == count, f"{len(captured)} clips captured, not {count}")
    row.check(len(accepted) == count == len(set(accepted)), f"{len(accepted)} dispatches of {count} clips")
    row.check(len(jobs) <= count, f"{len(jobs)} jobs of {count} clips")
    row.check(len(felt) == len(set(felt)), "a notice was felt twice")
    row.check(not one.sim.failure, one.sim.failure)
