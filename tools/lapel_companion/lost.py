"""What a pin asked for before it was said to be lost, from the table of events; the daemon may run meanwhile."""

from __future__ import annotations

import datetime
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import views, when
from lapel_companion.events import EventLog, EventLogError

DEFAULT_S = 24 * 3600.0
# What `lapel cancel` stops.
CAN_BE_STOPPED = ("accepted", "running", "held")
EVENTS = "events.db"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?")


class LostError(Exception):
    """The list cannot be read; the text is a sentence."""


def since(text: str, now_s: float) -> float:
    """The unix time that a person means: "2h", "3 days", "2026-11-20", "2026-11-20 18:00". Raises ValueError."""
    text = text.strip()
    if _DATE.fullmatch(text):
        try:
            return datetime.datetime.fromisoformat(text).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            pass
    else:
        span_s = when.parse(text)
        if span_s is not None:
            return now_s - span_s
    raise ValueError(f"'{text}' is no time: say 2h, 3d, 2026-11-20, or '2026-11-20 18:00'.")


@dataclass(frozen=True)
class Asked:
    """`dispatches` as the local API lists them, oldest first; `whole`: none of that time is left out. `linked_s` and
    `unlinked_s` are when the pin was linked last, and when that ended; None: never."""

    dispatches: list[dict[str, Any]]
    whole: bool
    linked_s: float | None
    unlinked_s: float | None


def asked(state: Path, after_s: float) -> Asked:
    """What the pin asked for after that time. Raises LostError."""
    if not (state / EVENTS).is_file():
        return Asked([], True, None, None)
    try:
        log = EventLog(state / EVENTS)
    except EventLogError as error:
        raise LostError(str(error)) from error
    try:
        found = views.dispatches(log, views.MAX_LISTED)
        linked, unlinked = log.last("linked"), log.last("unlinked")
    except sqlite3.Error as error:
        raise LostError(f"{state / EVENTS} cannot be read: {error}.") from error
    finally:
        log.close()
    return Asked(
        [one for one in found if one["ts"] >= after_s and one["clip"] is not None],
        len(found) < views.MAX_LISTED or found[0]["ts"] < after_s,
        linked.ts if linked else None,
        unlinked.ts if unlinked and linked and unlinked.seq > linked.seq else None,
    )
