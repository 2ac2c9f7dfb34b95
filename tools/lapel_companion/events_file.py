"""The file of the table of events: its schema, how it is opened, and whether it is whole."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lapel_companion import durable

SCHEMA_VERSION = 1
# Up to this size the start looks at every page and index (a second), else only at the pages.
_CHECKED_WHOLE_BYTES = 64 * 1024 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events(
    seq INTEGER PRIMARY KEY,
    ts REAL NOT NULL,
    principal TEXT NOT NULL,
    dispatch TEXT,
    job TEXT,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_kind ON events(kind, seq);
CREATE INDEX IF NOT EXISTS events_dispatch ON events(dispatch, kind, seq) WHERE dispatch IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS one_event_per_dispatch ON events(dispatch) WHERE kind = 'dispatch';
CREATE UNIQUE INDEX IF NOT EXISTS one_dispatch_per_clip
    ON events(json_extract(body, '$.clip'))
    WHERE kind = 'dispatch' AND json_extract(body, '$.clip') IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS one_notice_per_seq
    ON events(json_extract(body, '$.seq')) WHERE kind = 'notice';
CREATE INDEX IF NOT EXISTS clip_events ON events(json_extract(body, '$.id')) WHERE kind = 'clip';
"""


class EventLogError(Exception):
    """The table cannot be opened or used; the text is a sentence for a person."""


def open_table(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """A connection to write with and one to read with; the table is made if need be. Raises EventLogError."""
    try:
        writer = _connect(path)
        version = int(writer.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise EventLogError(
                f"{path} was written by a newer Lapel (schema {version}, we know {SCHEMA_VERSION}):"
                " update Lapel, or name another folder with --state."
            )
        _check(writer, path)
        with durable.step("events.schema"):
            writer.executescript(_SCHEMA)
            # Nothing is written without need: a start must not fail because the disk is full.
            if version != SCHEMA_VERSION:
                writer.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        reader = _connect(path)
        reader.execute("PRAGMA query_only=1")
    except (sqlite3.OperationalError, OSError) as error:
        raise EventLogError(f"{path} cannot be used as the table of events: {error}.") from error
    except sqlite3.DatabaseError as error:
        # Nothing is begun from half of the truth.
        raise EventLogError(
            f"{path} is damaged ({error}), so nothing was begun. Put a backup of it in its place, or move it"
            " away to begin anew: the pin keeps what was not accepted, and you are asked about each recording"
            " in the clips folder."
        ) from error
    return writer, reader


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # Only macOS knows it: there a plain sync stops at the drive's cache.
    connection.execute("PRAGMA fullfsync=ON")
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises sqlite3.DatabaseError when the table is damaged."""
    whole = path.stat().st_size <= _CHECKED_WHOLE_BYTES
    found = connection.execute(f"PRAGMA {'integrity' if whole else 'quick'}_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(" ".join(str(found).split()))
    if whole and connection.execute("PRAGMA table_info(events)").fetchall():
        bad = connection.execute("SELECT seq FROM events WHERE NOT json_valid(body) LIMIT 1").fetchone()
        if bad:
            raise sqlite3.DatabaseError(f"the event {bad[0]} is no JSON")
