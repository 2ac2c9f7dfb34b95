"""One clip on its way in, and the transaction that makes it a dispatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Protocol

from lapel_companion.clips import MAX_PARTIALS, ClipMeta, Partial
from lapel_companion.events import Event, EventLog
from lapel_wire.receiver import Receiver

COMPLAINTS_MAX = 64


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
        # When the pin may be told again how much is durable (time.monotonic).
        self.ack_due_s = 0.0

    @property
    def complete(self) -> bool:
        """All the bytes that END speaks of are held (or more: then they contradict it)."""
        return self.end is not None and self.receiver.held >= int(self.end["bytes"])

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
