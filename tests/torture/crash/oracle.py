"""What must hold at the end: by what the wearer felt, what the recogniser was given, and the agent's own books.

Of the daemon's own account only the list of notices is asked for: each that it recorded must have been felt.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.torture.agent.scene import NOTE, REMINDER, REPEAT, Books
from tests.torture.crash.person import Press, decoded
from tests.torture.crash.world import World

_KIND = 100
# What tells its wearer that it was not done, or perhaps not.
_NOT_DONE = {"failed", "held", "cancelled", "unheard", "question"}


@dataclass
class Findings:
    """Sentences, by what they count as in a Verdict."""

    clips_lost: list[str] = field(default_factory=list)
    run_twice: list[str] = field(default_factory=list)
    notices_lost: list[str] = field(default_factory=list)
    notices_doubled: list[str] = field(default_factory=list)
    wrong_data: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return [sentence for found in self.__dict__.values() for sentence in found]


def judge(world: World, recorded: list[dict[str, Any]]) -> Findings:
    """`recorded`: the daemon's list of notices."""
    found = Findings()
    books = world.books
    for press in world.wearer.presses.values():
        _press(world, press, books, found)
    for number, dispatch in world.typed.items():
        _typed(world, number, dispatch, books, found)
    for number, times in books.begun.items():
        if times > 1 and number // _KIND * _KIND != REPEAT:
            found.run_twice.append(f"the agent was run {times} times for {number}")
    found.run_twice += [f"{number} was noted {times} times" for number, times in books.noted.items() if times > 1]
    _sound(world, found)
    _notices(world, recorded, found)
    found.other += world.wearer.mistakes
    found.other += [f"{path.name} is left behind" for path in world.state.rglob("*.tmp")]
    return found


def _press(world: World, press: Press, books: Books, found: Findings) -> None:
    wearer, number = world.wearer, press.number
    if press.clip in wearer.pin.growing:
        return
    if press.clip in wearer.pin.clips:
        found.clips_lost.append(f"{number} is still on the pin")
        return
    kinds = [body["k"] for body in wearer.felt(press)]
    if not kinds:
        found.clips_lost.append(f"nothing was felt for {number}")
    elif number // _KIND * _KIND == REMINDER:
        if "reminder" not in kinds and not _NOT_DONE & set(kinds):
            found.notices_lost.append(f"nobody was reminded of {number}")
    else:
        better = [other for other, released in world.released.items() if released is press]
        _done([number, *better], kinds, books, found)


def _typed(world: World, number: int, dispatch: str | None, books: Books, found: Findings) -> None:
    if dispatch is None:
        return
    kinds = [body["k"] for body in world.wearer.felt_of(dispatch)]
    if number in world.released and "held" in kinds:
        # That was what asked for it. Perhaps it is held again now: it may have run.
        kinds.remove("held")
    if not kinds:
        found.notices_lost.append(f"nothing was felt for what was typed, {number}")
    elif number // _KIND * _KIND != REMINDER:
        _done([number], kinds, books, found)


def _done(numbers: list[int], kinds: list[str], books: Books, found: Findings) -> None:
    """What was felt is what the agent says; `numbers` are a press and what it was released as."""
    finished = any(books.noted[one] if one // _KIND * _KIND == NOTE else books.ended[one] for one in numbers)
    if "done" in kinds and not finished:
        found.clips_lost.append(f"{numbers} is called done, and its agent says that it is not")
    if not any(books.invocations(one) for one in numbers) and not _NOT_DONE & set(kinds):
        found.clips_lost.append(f"{numbers} was not done, and only {kinds} was felt")


def _sound(world: World, found: Findings) -> None:
    heard = {received.number for received in world.ears.received}
    wanted = {press.number: press for press in world.wearer.presses.values()}
    for received in world.ears.received:
        number = received.number
        press = None if number is None else wanted.get(number)
        if press is None or received.pcm != decoded(number, press.seconds, press.codec):
            found.wrong_data.append(f"the recogniser was given something else for {number}")
    for press in world.wearer.presses.values():
        if press.number not in heard and press.clip in world.wearer.pin.accepted:
            if not press.cancelled:
                found.clips_lost.append(f"{press.number} was never heard")


def _notices(world: World, recorded: list[dict[str, Any]], found: Findings) -> None:
    wearer = world.wearer
    for notice in recorded:
        seq = notice["seq"]
        if seq not in wearer.pin.notices and not notice["retracted"] and seq not in world.seen_here:
            found.notices_lost.append(f"notice {seq} ({notice['kind']}) was never felt")
    open_here = {notice["seq"] for notice in recorded if not notice["seen"] and not notice["retracted"]}
    if open_here != wearer.unseen:
        found.other.append(f"unseen are {sorted(open_here)} here and {sorted(wearer.unseen)} on the pin")
    told = Counter((body["ep"], body["d"], body["k"], body["x"]) for body in wearer.pin.notices.values())
    found.notices_doubled += [f"told twice: {told_of[3]}" for told_of, times in told.items() if times > 1]
    if len(wearer.pin.notices_felt) != len(set(wearer.pin.notices_felt)):
        found.notices_doubled.append("one notice was felt twice")
