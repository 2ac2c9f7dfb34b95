"""The outbox: every notice is an event first; what the pin has stored, what was seen and shown are
projections.

Numbers run on through all state epochs. All methods may be called from any thread. `record` and `retract`
join the caller's transaction; nothing else may be called inside one, since it must only see what is
committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lapel_companion import wording
from lapel_companion.events import Event, EventLog
from lapel_companion.notice_book import Book, Notice

__all__ = ["KINDS", "Notice", "Outbox"]

KINDS = ("done", "failed", "question", "reminder", "held", "cancelled", "unheard")

# They are sent in the order of their numbers, but for questions, which wait for each other.
_LATEST = 256


class Outbox:
    """The notices of one state folder, whose epoch is `epoch`. `load` once before use."""

    def __init__(self, log: EventLog, epoch: str) -> None:
        self.epoch = epoch
        self._log = log
        self._book = Book(log)

    @property
    def forgotten(self) -> int:
        """How many notices were too many to be followed on."""
        return self._book.forgotten

    def load(self) -> None:
        """Read what earlier runs left, and number what an earlier epoch left unseen anew."""
        self._book.load()
        self.start_epoch(self.epoch)

    def record(
        self,
        kind: str,
        *,
        dispatch: str,
        text: str,
        principal: str,
        job: str | None = None,
        detail: str = "",
        extra: dict[str, Any] | None = None,
        epoch: str | None = None,
    ) -> int:
        """Write a notice down durably (with the caller's transaction) and return its number. `epoch`: of the
        history that begins with it."""
        if kind not in KINDS:
            raise ValueError(f"'{kind}' is no kind of notice")
        with self._log.transaction():
            last = self._log.last("notice")
            seq = (int(last.body["seq"]) if last else 0) + 1
            body = {"seq": seq, "ep": epoch or self.epoch, "kind": kind, "dispatch": dispatch, "job": job}
            body |= {"text": wording.fit(text), "detail": detail} | (extra or {})
            self._log.append("notice", body, principal=principal, dispatch=dispatch, job=job)
        return seq

    def pending(self) -> list[Notice]:
        """What the pin shall get now, oldest first: not stored there yet, and not withdrawn.

        A question waits until somebody can read it, and until no other question is open on the pin.
        """
        found, asking = [], False
        for notice in self._book.live():
            if notice.retracted:
                continue
            if notice.kind == "question":
                if asking or not (notice.shown or notice.stored):
                    continue
                asking = True
            if not notice.stored and not notice.seen:
                found.append(notice)
        return found

    def unseen(self) -> list[Notice]:
        """What nobody has seen yet, oldest first."""
        return [notice for notice in self._book.live() if not notice.seen and not notice.retracted]

    def unshown(self) -> list[Notice]:
        """What no readable channel has taken yet, oldest first."""
        return [notice for notice in self._book.live() if not notice.shown and not notice.retracted]

    def untold(self) -> list[int]:
        """Numbers that the pin may have, that were seen elsewhere, and of which the pin does not know
        that yet."""
        return [n.seq for n in self._book.live() if n.reached and n.seen and not n.told and not n.retracted]

    def to_withdraw(self) -> list[tuple[str, int]]:
        """(epoch, number) of what the pin may have and what was retracted since, or has another number now."""
        return [(n.epoch, n.seq) for n in self._book.live() if n.reached and n.retracted and not n.told]

    def on_pin(self, epoch: str, seqs: Iterable[int]) -> list[int]:
        """Those of an epoch that the pin may have, in the order of their numbers."""
        asked = set(seqs)
        return [n.seq for n in self._book.live() if n.epoch == epoch and n.reached and n.seq in asked]

    def highest(self) -> int:
        """The highest number ever given, 0 for none."""
        last = self._log.last("notice")
        return int(last.body["seq"]) if last else 0

    def highest_sent(self) -> int:
        """The highest number that the pin may have of us, 0 for none."""
        marks = [event for kind in ("notice_sent", "notice_stored") for event in self._log.newest(kind, _LATEST)]
        return max((int(event.body["seq"]) for event in marks), default=0)

    def find(self, notice_id: str) -> Event | None:
        """The `notice` event of an id ("<epoch>-<number>"), or None."""
        epoch, _, number = notice_id.partition("-")
        # More digits than a number can have on the wire would not fit into the table's integers either.
        event = (
            self._log.find("notice", "seq", int(number)) if number.isdecimal() and len(number) < 11 else None
        )
        return event if event is not None and event.body.get("ep") == epoch else None

    def was_sent(self, notice: Event) -> bool:
        """Whether the pin may have the notice of this event."""
        return any(self._mark(kind, notice) for kind in ("notice_sent", "notice_stored"))

    def taken_back(self, notice: Event) -> bool:
        """Whether the notice of this event was retracted, also under a number that it was given later."""
        moved = self._mark("notice_moved", notice)
        following = self._log.find("notice", "seq", int(moved.body["to"])) if moved and moved.body["to"] else None
        if following is not None:
            return self.taken_back(following)
        return self._mark("notice_retracted", notice) is not None

    def stored(self, epoch: str, seq: int) -> None:
        """The pin has it durably."""
        self._note("notice_stored", epoch, [seq], "pin", lambda n: not n.stored)

    def lost(self, after: int) -> None:
        """The pin has nothing behind this number: what it had stored and nobody saw is sent again."""
        seqs = [n.seq for n in self._book.live() if n.seq > after and not n.seen and not n.retracted]
        self._note("notice_lost", self.epoch, seqs, "pin", lambda n: n.stored)

    def seen(self, epoch: str, seqs: Iterable[int], *, principal: str) -> None:
        """It was seen, or (principal "pin") the pin knows that it was, or that it is retracted."""
        by_pin, seqs = principal == "pin", list(seqs)
        if by_pin:
            self._note("notice_withdrawn", epoch, seqs, "pin", lambda n: n.retracted and not n.told)
        self._note(
            "notice_seen",
            epoch,
            seqs,
            principal,
            lambda n: not n.retracted and not (n.told if by_pin else n.seen),
        )

    def shown(self, seq: int, channel: str) -> None:
        """A readable channel has taken it."""
        self._note("notice_shown", None, [seq], "companion", lambda n: not n.shown, channel=channel)

    def retract(
        self, *, dispatch: str, principal: str, kinds: tuple[str, ...] = ("held", "question")
    ) -> None:
        """What asks about a dispatch was settled elsewhere: take it back."""
        with self._log.transaction():
            events = self._log.read(kinds=("notice", "notice_retracted"), dispatch=dispatch)
            gone = {event.body["seq"] for event in events if event.kind == "notice_retracted"}
            for event in events:
                seq = event.body["seq"]
                if event.kind == "notice" and event.body["kind"] in kinds and seq not in gone:
                    body = {"seq": seq}
                    self._log.append(
                        "notice_retracted", body, principal=principal, dispatch=dispatch, job=event.job
                    )

    def start_epoch(self, epoch: str) -> None:
        """Another history begins: what is unseen of the earlier ones gets new numbers, so that it is felt
        again. When that cannot be written, the epoch stays. Raises sqlite3.OperationalError."""
        before = self.epoch
        # Whoever records now is done with that first.
        with self._log.transaction():
            self.epoch = epoch
        try:
            self._renumber([notice for notice in self._book.live() if notice.epoch != epoch and not notice.moved])
        except sqlite3.Error:
            self.epoch = before
            raise

    def _renumber(self, old: Sequence[Notice]) -> None:
        with self._log.transaction():
            for notice in old:
                moved: int | None = None
                if not notice.seen and not notice.retracted:
                    moved = self.record(
                        notice.kind,
                        dispatch=notice.dispatch,
                        job=notice.job,
                        text=notice.text,
                        detail=notice.detail,
                        principal="companion",
                        extra={**notice.extra, "moved_from": notice.seq, "shown": notice.shown},
                    )
                self._log.append("notice_moved", {"seq": notice.seq, "to": moved}, principal="companion")

    def _mark(self, kind: str, notice: Event) -> Event | None:
        return self._log.find(kind, "seq", int(notice.body["seq"]))

    def _note(
        self,
        kind: str,
        epoch: str | None,
        seqs: Iterable[int],
        principal: str,
        wanted: Callable[[Notice], bool],
        **more: Any,
    ) -> None:
        """Append `kind` for each notice that is live and `wanted`; doing so twice does no harm."""
        live = {notice.seq: notice for notice in self._book.live()}
        found = [live[seq] for seq in seqs if seq in live and wanted(live[seq])]
        found = [notice for notice in found if epoch is None or notice.epoch == epoch]
        if not found:
            return
        with self._log.transaction():
            for notice in found:
                self._log.append(
                    kind,
                    {"seq": notice.seq, **more},
                    principal=principal,
                    dispatch=notice.dispatch,
                    job=notice.job,
                )
