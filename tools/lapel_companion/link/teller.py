"""What the pin is told of notices: each until it is stored, what was seen until that is echoed, retractions."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from lapel_wire import messages, schema

from lapel_companion.events import Event, EventLog
from lapel_companion.link.wishes import Wishes

REPEAT_S = 2.0
# The pin's inbox takes few packets; more at once would only be lost and repeated.
AT_ONCE = 4
_RECENT = 64
TEXT_MAX_CHARS = 160


class Notice(Protocol):
    """What a notice has, wherever it is kept."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def dispatch(self) -> str | None: ...
    @property
    def job(self) -> str | None: ...
    @property
    def text(self) -> str: ...


class Outbox(Protocol):
    """Notices that were recorded; every call that records something is durable when it returns."""

    def pending(self) -> Sequence[Notice]:
        """Those that the pin has not stored, oldest first."""

    def stored(self, seq: int) -> None:
        """The pin holds it durably."""

    def seen(self, seq: int) -> None:
        """A person has seen it; may be repeated."""


class Teller:
    """Wishes are put when the pin is linked, when something new comes, and every 2 s until answered."""

    def __init__(self, log: EventLog, outbox: Outbox, wishes: Wishes, epoch: Callable[[], str]) -> None:
        self._log = log
        self._outbox = outbox
        self._wishes = wishes
        self._epoch = epoch
        self._linked = False
        self._due = 0.0
        self._sent: set[int] = set()
        self._unechoed: list[int] = []

    def attach(self) -> None:
        """The pin is linked: tell it what it missed."""
        self._linked = True
        told: set[int] = set()
        for event in self._recent("seen_echoed"):
            told.update(event.body["s"])
        seen = [int(event.body["seq"]) for event in self._recent("notice_seen") if event.principal != "pin"]
        self._unechoed = [seq for seq in seen if seq not in told]
        for event in self._recent("notice_retracted")[-schema.LIST_MAX :]:
            self._retract(int(event.body["seq"]))
        self._due = 0.0
        self.tick()

    def detach(self) -> None:
        """The pin is gone."""
        self._linked = False

    def on_event(self, event: Event) -> None:
        """Something was recorded: tell it at once."""
        if not self._linked:
            return
        if event.kind == "notice":
            self._due = 0.0
        elif event.kind == "notice_seen" and event.principal != "pin":
            self._unechoed.append(int(event.body["seq"]))
            self._due = 0.0
        elif event.kind == "notice_retracted":
            self._retract(int(event.body["seq"]))
        self.tick()

    def tick(self) -> None:
        """Repeat what is due."""
        if not self._linked or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + REPEAT_S
        epoch = self._epoch()
        for notice in list(self._outbox.pending())[:AT_ONCE]:
            body = notice_body(epoch, notice)
            self._wishes.put(messages.NOTICE, body, (messages.NOTICE, notice.seq))
            self._note_sent(notice)
        if self._unechoed:
            seqs = self._unechoed[: schema.LIST_MAX]
            body = {"ep": epoch, "s": seqs, "a": False}
            self._wishes.put(messages.SEEN, body, (messages.SEEN, "ours"))

    async def stored(self, epoch: str, seq: int) -> None:
        """STORED came."""
        if epoch == self._epoch():
            await asyncio.to_thread(self._outbox.stored, seq)
            self._sent.discard(seq)
            # There may be more than were told at once.
            self._due = min(self._due, time.monotonic() + REPEAT_S / 4)

    async def seen(self, body: dict[str, Any]) -> None:
        """SEEN came: the answer to ours, or the pin's own, which is answered when it is durable."""
        epoch, seqs = body["ep"], body["s"]
        if body["a"]:
            echoed = [seq for seq in self._unechoed if seq in seqs]
            self._unechoed = [seq for seq in self._unechoed if seq not in seqs]
            if echoed:
                record = self._log.append
                await asyncio.to_thread(record, "seen_echoed", {"s": echoed}, principal="pin")
            return
        if epoch == self._epoch():
            for seq in seqs:
                await asyncio.to_thread(self._outbox.seen, seq)
        answer = {"ep": epoch, "s": seqs, "a": True}
        self._wishes.put(messages.SEEN, answer, (messages.SEEN, "echo", *seqs))

    def _retract(self, seq: int) -> None:
        body = {"ep": self._epoch(), "s": seq}
        self._wishes.put(messages.RETRACT, body, (messages.RETRACT, seq))

    def _note_sent(self, notice: Notice) -> None:
        if notice.seq in self._sent:
            return
        self._sent.add(notice.seq)
        try:
            self._log.append(
                "notice_sent", {"seq": notice.seq}, principal="pin", dispatch=notice.dispatch, job=notice.job
            )
        except sqlite3.OperationalError:
            # A full disk: that it was sent is told by `stored` too.
            pass

    def _recent(self, kind: str) -> list[Event]:
        return self._log.newest(kind, _RECENT)


def notice_body(epoch: str, notice: Notice) -> dict[str, Any]:
    """The body of NOTICE; its text is shortened until it fits the message."""
    kind = notice.kind if notice.kind in messages.NOTICE_KINDS else "done"
    body = {"ep": epoch, "s": notice.seq, "k": kind, "d": notice.dispatch or "", "j": notice.job, "x": ""}
    text = " ".join(notice.text.split())
    length = min(len(text), TEXT_MAX_CHARS)
    while True:
        body["x"] = text if length == len(text) else text[: max(0, length - 1)].rstrip() + "…"
        try:
            messages.encode(messages.NOTICE, body)
        except messages.BadMessage:
            if length == 0:
                raise
            length -= max(1, length // 10)
        else:
            return body
