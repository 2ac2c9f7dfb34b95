"""The live notices: those about which something is left to be done, as the events say."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from dataclasses import dataclass, field
from typing import Any

from lapel_companion.events import Event, EventLog

_EVENTS = (
    "notice",
    "notice_sent",
    "notice_stored",
    "notice_lost",
    "notice_seen",
    "notice_shown",
    "notice_retracted",
    "notice_withdrawn",
    "notice_moved",
)
_MARK = "notices_mark"
_MARK_EVERY = 2000
_LIVE_MAX = 5000
_BATCH = 1000


@dataclass
class Notice:
    """One notice. `told`: the pin knows that it is over; `sent`: it was on its way, so that the pin may have
    it although it never said so."""

    seq: int
    epoch: str
    kind: str
    dispatch: str
    job: str | None
    text: str
    detail: str
    ts: float
    event: int = 0
    sent: bool = False
    stored: bool = False
    seen: bool = False
    told: bool = False
    shown: bool = False
    retracted: bool = False
    moved: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.epoch}-{self.seq}"

    @property
    def reached(self) -> bool:
        """Whether the pin may have it."""
        return self.sent or self.stored

    @property
    def settled(self) -> bool:
        """Nothing is left to be done about it."""
        over = self.seen or self.retracted
        return self.shown and over and (self.told or not self.reached)


class Book:
    """Follows the table of events. Its methods may be called from any thread, but not in a transaction."""

    def __init__(self, log: EventLog) -> None:
        self.forgotten = 0
        self._log = log
        self._lock = threading.Lock()
        self._live: dict[int, Notice] = {}
        self._cursor = 0
        self._folded = 0

    def load(self) -> None:
        """Begin where an earlier run has left off."""
        mark = self._log.last(_MARK)
        self._cursor = int(mark.body["after"]) if mark else 0
        self._catch_up()

    def live(self) -> list[Notice]:
        """By their numbers."""
        self._catch_up()
        with self._lock:
            return [self._live[seq] for seq in sorted(self._live)]

    def _catch_up(self) -> None:
        with self._lock:
            while True:
                batch = self._log.read(self._cursor, _EVENTS, limit=_BATCH)
                for event in batch:
                    self._cursor = event.seq
                    self._fold(event)
                self._folded += len(batch)
                if len(batch) < _BATCH:
                    break
            if self._folded >= _MARK_EVERY:
                self._folded = 0
                after = min((notice.event for notice in self._live.values()), default=self._cursor + 1) - 1
                # A full disk only makes the next start slower.
                with contextlib.suppress(sqlite3.OperationalError):
                    self._log.append(_MARK, {"after": after}, principal="companion")

    def _fold(self, event: Event) -> None:
        body = event.body
        seq = int(body["seq"])
        if event.kind == "notice":
            self._live[seq] = _notice(event)
            self._bound()
            return
        notice = self._live.get(seq)
        if notice is None:
            return
        if event.kind == "notice_sent":
            notice.sent = True
        elif event.kind == "notice_stored":
            notice.stored = True
        elif event.kind == "notice_lost":
            notice.stored = False
        elif event.kind == "notice_seen":
            notice.seen = True
            notice.told = notice.told or event.principal == "pin"
        elif event.kind == "notice_shown":
            notice.shown = True
        elif event.kind == "notice_retracted":
            notice.retracted = True
        elif event.kind == "notice_withdrawn":
            notice.told = True
        elif event.kind == "notice_moved":
            # It goes on under another number; what the pin has of this one must not count twice.
            notice.moved = notice.shown = notice.retracted = True
        self._drop(notice)

    def _drop(self, notice: Notice) -> None:
        if notice.settled:
            self._live.pop(notice.seq, None)

    def _bound(self) -> None:
        """Years of notices that nobody looks at must not fill the memory; they stay in the table."""
        if len(self._live) <= _LIVE_MAX:
            return
        for seq in sorted(self._live):
            if self._live[seq].stored:
                del self._live[seq]
                self.forgotten += 1
                return


def _notice(event: Event) -> Notice:
    body = event.body
    known = ("seq", "ep", "kind", "dispatch", "job", "text", "detail", "shown")
    return Notice(
        seq=int(body["seq"]),
        epoch=str(body["ep"]),
        kind=str(body["kind"]),
        dispatch=str(body["dispatch"]),
        job=body.get("job"),
        text=str(body["text"]),
        detail=str(body.get("detail", "")),
        ts=event.ts,
        event=event.seq,
        shown=bool(body.get("shown", False)),
        extra={key: value for key, value in body.items() if key not in known},
    )
