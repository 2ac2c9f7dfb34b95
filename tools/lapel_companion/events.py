"""The append-only table of events: the truth of which commands, notices and `--json` are projections.

SQLite in WAL mode with ``synchronous=FULL``: when `append` or the outermost `transaction` returns, the
event is on disk. A commit whose sync failed is undone, and the next one writes its pages again; after a
crash it may stand there all the same, so whoever repeats a thing looks first. All methods may be called from
any thread; a transaction belongs to its thread.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import durable, events_file
from lapel_companion.events_file import EventLogError

__all__ = ["Event", "EventLog", "EventLogError"]

_BATCH = 256


@dataclass(frozen=True)
class Event:
    """One row. `ts` is unix seconds; `body` is the JSON object of the kind."""

    seq: int
    ts: float
    principal: str
    dispatch: str | None
    job: str | None
    host: str
    kind: str
    body: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The event as the local API prints it."""
        return {
            "seq": self.seq,
            "ts": self.ts,
            "principal": self.principal,
            "dispatch": self.dispatch,
            "job": self.job,
            "host": self.host,
            "kind": self.kind,
            "body": self.body,
        }


class EventLog:
    """The table at `path`. Close it with `close()`."""

    def __init__(
        self, path: Path, *, host: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = Path(path)
        self._host = host or platform.node() or "localhost"
        self._clock = clock
        self._lock = threading.RLock()
        self._read_lock = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._pending: list[Event] = []
        self._wakers: set[_Waker] = set()
        self._wakers_lock = threading.Lock()
        self._closed = False
        self._writer, self._reader = events_file.open_table(self.path)
        self._file = os.stat(self.path)

    def _still_there(self) -> None:
        try:
            if os.path.samestat(os.stat(self.path), self._file):
                return
        except OSError:
            pass
        # What is committed now, nobody would find again.
        raise sqlite3.OperationalError(f"{self.path} was moved or removed while it was in use")

    @contextmanager
    def transaction(self) -> Iterator[EventLog]:
        """Everything appended inside is committed together, or not at all. Never await inside."""
        with self._lock:
            if self._depth:
                # Joining: the outermost one commits, and rolls back everything.
                self._depth += 1
                try:
                    yield self
                finally:
                    self._depth -= 1
                return
            self._still_there()
            self._writer.execute("BEGIN IMMEDIATE")
            self._depth, self._owner = 1, threading.get_ident()
            try:
                yield self
                self._commit()
            except BaseException:
                self._pending.clear()
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._depth, self._owner = 0, None
            wrote = bool(self._pending)
            self._pending.clear()
        if wrote:
            self._wake()

    def _commit(self) -> None:
        if not self._pending:
            self._writer.execute("COMMIT")
            return
        kinds = dict.fromkeys(event.kind for event in self._pending)
        with durable.step(f"events.commit[{'+'.join(kinds)}]"):
            self._writer.execute("COMMIT")

    def append(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        principal: str,
        dispatch: str | None = None,
        job: str | None = None,
    ) -> Event:
        """Append one event, durably (alone, or with its transaction).

        Raises sqlite3.IntegrityError when it repeats a dispatch, a clip's dispatch or a notice's number.
        """
        # Half of a pair of surrogates (out of somebody's JSON) is no character, and SQLite refuses it.
        text = json.dumps(dict(body), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
        with self.transaction():
            ts = self._clock()
            cursor = self._writer.execute(
                "INSERT INTO events(ts, principal, dispatch, job, host, kind, body) VALUES(?,?,?,?,?,?,?)",
                (ts, principal, dispatch, job, self._host, kind, text),
            )
            seq = int(cursor.lastrowid or 0)
            event = Event(seq, ts, principal, dispatch, job, self._host, kind, json.loads(text))
            self._pending.append(event)
        return event

    def next_dispatch(self) -> str:
        """The next free dispatch id ("d1", "d2", ...). Only inside a transaction that appends it."""
        if self._owner != threading.get_ident():
            raise RuntimeError("next_dispatch() needs the transaction that appends the dispatch")
        row = self._writer.execute(
            "SELECT dispatch FROM events WHERE kind='dispatch' ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return f"d{int(row[0][1:]) + 1 if row else 1}"

    def read(
        self,
        after: int = 0,
        kinds: Sequence[str] | None = None,
        dispatch: str | None = None,
        limit: int = 1000,
    ) -> list[Event]:
        """Events with seq > `after`, oldest first, at most `limit`."""
        where, values = _where(after, kinds, dispatch)
        return self._select(f"WHERE {where} ORDER BY seq LIMIT ?", [*values, limit])

    def last(self, kind: str, dispatch: str | None = None) -> Event | None:
        """The newest event of a kind (of a dispatch), or None."""
        where, values = _where(0, [kind], dispatch)
        found = self._select(f"WHERE {where} ORDER BY seq DESC LIMIT 1", values)
        return found[0] if found else None

    def newest(self, kind: str, limit: int) -> list[Event]:
        """The last `limit` events of a kind, oldest first."""
        return self._select("WHERE kind=? ORDER BY seq DESC LIMIT ?", [kind, limit])[::-1]

    def find(self, kind: str, field: str, value: str | int) -> Event | None:
        """The first event of a kind whose body has that value in that (top-level) field, or None."""
        if not field.isidentifier():
            raise ValueError(f"'{field}' is no field of an event's body")
        # The path stands in the statement, not in a parameter, so that the indexes on it are used.
        held = f"json_extract(body,'$.{field}')"
        tail = f"WHERE kind=? AND {held} IS NOT NULL AND {held}=?"
        found = self._select(f"{tail} ORDER BY seq LIMIT 1", [kind, value])
        return found[0] if found else None

    def head(self) -> int:
        """The highest seq; 0 when the table is empty."""
        return int(self._rows("SELECT COALESCE(MAX(seq), 0) FROM events", [])[0][0])

    async def subscribe(self, after: int = 0) -> AsyncIterator[Event]:
        """Every event with seq > `after`, then each new one as it is committed. Ends when the log is closed.

        It always reads the table, so a slow reader costs no memory and loses nothing.
        """
        waker = _Waker(asyncio.get_running_loop())
        with self._wakers_lock:
            self._wakers.add(waker)
        try:
            while not self._closed:
                waker.flag.clear()
                batch = self.read(after, limit=_BATCH)
                for event in batch:
                    after = event.seq
                    yield event
                if not batch and not self._closed:
                    await waker.flag.wait()
        finally:
            with self._wakers_lock:
                self._wakers.discard(waker)

    def close(self) -> None:
        """Close the table and end every subscription. May be called twice."""
        with self._lock, self._read_lock:
            if self._closed:
                return
            self._closed = True
            self._reader.close()
            self._writer.close()
        self._wake()

    def _wake(self) -> None:
        with self._wakers_lock:
            for waker in self._wakers:
                waker.wake()

    def _select(self, tail: str, values: Sequence[Any]) -> list[Event]:
        sql = f"SELECT seq, ts, principal, dispatch, job, host, kind, body FROM events {tail}"
        return [
            Event(row[0], row[1], row[2], row[3], row[4], row[5], row[6], json.loads(row[7]))
            for row in self._rows(sql, values)
        ]

    def _rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        # Inside its own transaction a thread must see what it has just written; every other reader uses the
        # second connection, so that it never waits for a commit's sync.
        if self._owner == threading.get_ident():
            return self._writer.execute(sql, values).fetchall()
        with self._read_lock:
            return self._reader.execute(sql, values).fetchall()


def _where(after: int, kinds: Sequence[str] | None, dispatch: str | None) -> tuple[str, list[Any]]:
    where = "seq > ?"
    parameters: list[Any] = [after]
    if kinds is not None:
        where += f" AND kind IN ({','.join('?' * len(kinds))})"
        parameters += kinds
    if dispatch is not None:
        where += " AND dispatch = ?"
        parameters.append(dispatch)
    return where, parameters


class _Waker:
    """Sets an asyncio flag from any thread; a closed loop is nobody's loss."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.flag = asyncio.Event()

    def wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.flag.set)
