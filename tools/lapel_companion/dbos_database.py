"""The SQLite database in which DBOS remembers how far each workflow came."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lapel_companion import durable

if TYPE_CHECKING:
    import sqlalchemy

_BUSY_MS = 30_000
_CONNECTIONS = 8


class _Connection(sqlite3.Connection):
    def commit(self) -> None:
        if not self.in_transaction:
            return
        with durable.step("engine.commit"):
            super().commit()


def open_engine(path: Path) -> sqlalchemy.Engine:
    """An engine on the file `path`, which is created. What DBOS asks of a connection to SQLite, and WAL.

    The journal is not synced at each commit: the table of events is the truth and is. A commit that a power
    cut takes away here makes a step run again, which then finds in the events what it did.
    """
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)),
        connect_args={"factory": _Connection},
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=30,
        # Neither its errors nor its log tell what a statement carried.
        hide_parameters=True,
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def set_aside(path: Path) -> Path:
    """Put a damaged database out of the way, with its journal; where it is now. Raises OSError."""
    aside = path.with_name(f"{path.name}.damaged-{int(time.time())}")
    for suffix in ("-wal", "-shm"):
        journal = path.with_name(path.name + suffix)
        if journal.exists():
            journal.rename(aside.with_name(aside.name + suffix))
    return path.rename(aside)
