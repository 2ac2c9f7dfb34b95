"""One clip on its way in, and the transaction that makes it a dispatch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Protocol

from lapel_companion.clips import MAX_PARTIALS, ClipMeta, Partial
from lapel_companion.events import Event, EventLog
from lapel_wire.clips import PROGRESS_BYTES, RETRY_MS
from lapel_wire.receiver import Receiver

COMPLAINTS_MAX = 64
# Progress is told sparingly: its answer takes the place of audio on a slow radio. Often enough to keep the pin's window
# open, and for the pin to know that somebody is there.
ACK_EVERY_MS = RETRY_MS
_NUMBERS_MAX = 256


class Say(Protocol):
    """Queues one message for the pin; a later one with the same key replaces it."""

    def __call__(self, kind: int, body: dict[str, Any], key: tuple[int, int]) -> None: ...


class Incoming:
    """One clip on its way in: what is held, of which part is durable."""

    def __init__(self, partial: Partial) -> None:
        self.partial = partial
        self.receiver = Receiver(partial.durable_bytes)
        self.crc = partial.crc
        self.pending = bytearray()
        self.end: dict[str, Any] | None = None
        self.conflicts = 0
        # What the pin was told last that is held, and when it is told without much of news (monotonic).
        self._told = 0
        self._tell_ms = 0

    @property
    def complete(self) -> bool:
        """All the bytes that END speaks of are held (or more: then they contradict it)."""
        return self.end is not None and self.receiver.held >= int(self.end["bytes"])

    def must_ask(self, offset: int, came_ms: int) -> bool:
        """Whether to ask now for what is missing before `offset`; what said so came at `came_ms` (monotonic)."""
        return self.receiver.ask(offset, came_ms, _now_ms())

    def is_news(self) -> bool:
        """Whether the pin is to be told now how much is durable."""
        now_ms = _now_ms()
        if self.partial.durable_bytes - self._told < PROGRESS_BYTES and now_ms < self._tell_ms:
            return False
        self._tell_ms = now_ms + ACK_EVERY_MS
        return True

    def told(self, offset: int) -> dict[str, Any]:
        """The body of an answer that tells the pin so: its window begins there."""
        self._told = offset
        return {"n": self.partial.meta.number, "off": offset}

    def restart(self) -> None:
        """Begin again from the first byte."""
        self.receiver = Receiver(0)
        self.crc = 0
        self.pending.clear()
        self.end = None


class Complaints:
    """Of clips that are not taken: each is told once, and not more of them than anybody would read."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._clips: set[str] = set()

    def of(self, clip_id: str, sentence: str) -> bool:
        """Whether it was told."""
        if clip_id in self._clips or len(self._clips) >= COMPLAINTS_MAX:
            return False
        self._clips.add(clip_id)
        self._report(sentence)
        return True


class Offered:
    """Which clip each number means that the pin offered on this link."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}

    def clear(self) -> None:
        """Numbers mean nothing until they are offered."""
        self._ids.clear()

    def add(self, number: int, clip_id: str) -> None:
        """The pin offers it. The one that is offered last stands last: the pin sends one clip at a time."""
        self._ids.pop(number, None)
        self._ids[number] = clip_id
        if len(self._ids) > _NUMBERS_MAX:
            del self._ids[next(iter(self._ids))]

    def ids(self) -> Collection[str]:
        """All of them."""
        return self._ids.values()

    def id_of(self, number: int) -> str:
        """The clip of that number, "" for none."""
        return self._ids.get(number, "")

    def id_by_low(self, low: int) -> str:
        """The clip that was offered last of those whose number ends in these 16 bits, "" for none."""
        return next((self._ids[number] for number in reversed(self._ids) if number & 0xFFFF == low), "")


def make_room(coming: dict[str, Incoming], offered: Collection[str]) -> bool:
    """Whether one more may come in. The oldest part of which nobody speaks any more gives way: its pin was wiped, or
    sends it from its beginning."""
    if len(coming) < MAX_PARTIALS:
        return True
    for name, one in coming.items():
        if name not in offered and not one.pending and not one.complete:
            try:
                one.partial.discard()
            except OSError:
                return False
            del coming[name]
            return True
    return False


def accept(log: EventLog, meta: ClipMeta, end: dict[str, Any], *, recovered: bool = False) -> str:
    """Make a whole, durable clip a dispatch, once; its id. `recovered`: it was found without a record.

    Raises sqlite3.OperationalError.
    """
    with log.transaction():
        known = log.find("clip", "id", meta.id)
        if known is not None and known.dispatch is not None:
            return known.dispatch
        dispatch = log.next_dispatch()
        clip = {
            "id": meta.id,
            "codec": meta.codec,
            "rate_hz": meta.rate_hz,
            "boot": meta.boot,
            "press_ms": meta.press_ms,
            "ms": end["ms"],
            "bytes": end["bytes"],
            "sha": end["sha"],
            "cut": end["cut"],
            "press_unix_ms": meta.press_unix_ms,
            "reply_to": meta.reply_to,
        }
        if recovered:
            clip["recovered"] = True
        log.append("clip", clip, principal="pin", dispatch=dispatch)
        accepted = {"id": dispatch, "clip": meta.id, "source": "pin", "outcome": "accepted"}
        log.append("dispatch", accepted, principal="pin", dispatch=dispatch)
        return dispatch


def same_press(known: Event, meta: ClipMeta) -> bool:
    """Whether an accepted clip was recorded by the press that `meta` speaks of."""
    return bool(known.body.get("boot") == meta.boot and known.body.get("press_ms") == meta.press_ms)


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do it, also when we are cancelled in the middle: a thread that writes goes on in any case, and nobody else may
    write there until it is through."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
