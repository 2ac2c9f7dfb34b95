"""What the pin is told of notices: each until it is stored, what was seen until that is answered."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import Any

from lapel_companion.events import Event, EventLog
from lapel_companion.link.wishes import Wishes
from lapel_companion.notices import Notice, Outbox
from lapel_wire import messages, schema

REPEAT_S = 2.0
# The pin's inbox takes few packets; more at once would only be lost and repeated.
AT_ONCE = 4
TEXT_MAX_CHARS = 160
_NEWS = ("notice", "notice_shown", "notice_seen", "notice_retracted", "notice_moved")


class Teller:
    """Wishes are put when the pin is linked, when something new comes, and every 2 s until answered."""

    def __init__(self, log: EventLog, outbox: Outbox, wishes: Wishes) -> None:
        self._log = log
        self._outbox = outbox
        self._wishes = wishes
        self._linked = False
        self._due = 0.0

    def attach(self) -> None:
        """The pin is linked: tell it what it missed."""
        self._linked = True
        self._due = 0.0
        self.tick()

    def detach(self) -> None:
        """The pin is gone."""
        self._linked = False

    def on_event(self, event: Event) -> None:
        """Something was recorded: tell it at once."""
        if event.kind in _NEWS and not (event.kind == "notice_seen" and event.principal == "pin"):
            self._due = 0.0
            self.tick()

    def tick(self) -> None:
        """Repeat what is due."""
        if not self._linked or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + REPEAT_S
        outbox, epoch = self._outbox, self._outbox.epoch
        for notice in outbox.pending()[:AT_ONCE]:
            # Written down before it is said: by that a pin is known that remembers more than we do.
            if self._noted(notice):
                self._wishes.put(messages.NOTICE, notice_body(notice), (messages.NOTICE, notice.seq))
        seqs = outbox.untold()[: schema.LIST_MAX]
        if seqs:
            body = {"ep": epoch, "s": seqs, "a": False}
            self._wishes.put(messages.SEEN, body, (messages.SEEN, "ours"))
        for its_epoch, seq in outbox.to_withdraw()[:AT_ONCE]:
            self._wishes.put(messages.RETRACT, {"ep": its_epoch, "s": seq}, (messages.RETRACT, seq))

    async def stored(self, epoch: str, seq: int) -> None:
        """STORED came. What the pin was never told it cannot have."""
        for number in await asyncio.to_thread(self._outbox.on_pin, epoch, [seq]):
            await asyncio.to_thread(self._outbox.stored, epoch, number)
        # There may be more than were told at once.
        self._due = min(self._due, time.monotonic() + REPEAT_S / 4)

    async def seen(self, body: dict[str, Any]) -> None:
        """SEEN came: the answer to ours or to RETRACT, or the pin's own, which is answered when it is durable."""
        epoch, seqs = body["ep"], body["s"]
        there = await asyncio.to_thread(self._outbox.on_pin, epoch, seqs)
        await asyncio.to_thread(self._outbox.seen, epoch, there, principal="pin")
        if not body["a"]:
            answer = {"ep": epoch, "s": seqs, "a": True}
            self._wishes.put(messages.SEEN, answer, (messages.SEEN, "answer", *seqs))

    def _noted(self, notice: Notice) -> bool:
        """Whether it is written down that the pin may have a notice; a full disk only delays it."""
        if notice.sent:
            return True
        try:
            self._log.append(
                "notice_sent", {"seq": notice.seq}, principal="companion", dispatch=notice.dispatch, job=notice.job
            )
        except sqlite3.OperationalError:
            return False
        return True


def notice_body(notice: Notice) -> dict[str, Any]:
    """The body of NOTICE; its text is shortened until it fits the message."""
    body = {
        "ep": notice.epoch,
        "s": notice.seq,
        "k": notice.kind if notice.kind in messages.NOTICE_KINDS else "done",
        "d": notice.dispatch or "",
        "j": notice.job,
        "x": "",
    }
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
