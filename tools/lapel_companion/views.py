"""What people and programs ask about, as plain JSON: projections of the table of events."""

from __future__ import annotations

from typing import Any

from lapel_companion import ledger
from lapel_companion.events import Event, EventLog
from lapel_companion.ledger import Dispatch, Job

MAX_LISTED = 500
_MARKS = ("notice_stored", "notice_seen", "notice_retracted", "notice_moved")


def dispatches(log: EventLog, limit: int) -> list[dict[str, Any]]:
    """The newest dispatches, oldest first."""
    found = (dispatch(log, str(event.dispatch)) for event in log.newest("dispatch", limit))
    return [one for one in found if one is not None]


def dispatch(log: EventLog, dispatch_id: str) -> dict[str, Any] | None:
    """One dispatch with its jobs, or None."""
    found = ledger.load(log, dispatch_id)
    if found is None:
        return None
    outcome = found.outcome or {}
    return {
        "id": found.id,
        "ts": found.event.ts,
        "source": found.source,
        "clip": found.clip_id,
        "ms": found.clip.get("ms"),
        "heard": found.heard,
        "status": found.status,
        "reason": outcome.get("why") or outcome.get("reason"),
        "jobs": [job.id for job in found.jobs.values()],
    }


def jobs(log: EventLog, limit: int) -> list[dict[str, Any]]:
    """The newest jobs, oldest first."""
    # A job has at most three events: queued, running, and its end.
    ids = dict.fromkeys(str(event.job) for event in log.newest("job", 3 * limit) if event.job)
    found = (job(log, job_id) for job_id in list(ids)[-limit:])
    return [one for one in found if one is not None]


def job(log: EventLog, job_id: str) -> dict[str, Any] | None:
    """One job, or None."""
    found = ledger.load(log, job_id.rpartition(".")[0])
    if found is None or job_id not in found.jobs:
        return None
    return _job(found, found.jobs[job_id])


def _job(found: Dispatch, one: Job) -> dict[str, Any]:
    end = one.end or {}
    return {
        "id": one.id,
        "dispatch": found.id,
        "agent": one.agent,
        "heard": one.heard,
        "state": one.state,
        "attempts": len(one.attempts),
        "started": one.attempts[0].get("started") if one.attempts else None,
        "text": end.get("text"),
        "log": end.get("log"),
    }


def notices(log: EventLog, limit: int, unseen: bool = False) -> list[dict[str, Any]]:
    """The newest notices, oldest first, with what became of them."""
    found = log.newest("notice", limit)
    marks: dict[str, set[int]] = {kind: set() for kind in _MARKS}
    after = found[0].seq if found else 0
    while batch := log.read(after, _MARKS) if found else []:
        for event in batch:
            marks[event.kind].add(int(event.body["seq"]))
        after = batch[-1].seq
    listed = [_notice(event, marks) for event in found if event.body["seq"] not in marks["notice_moved"]]
    return [one for one in listed if not (one["seen"] or one["retracted"])] if unseen else listed


def _notice(event: Event, marks: dict[str, set[int]]) -> dict[str, Any]:
    body = event.body
    return {
        "seq": body["seq"],
        "ts": event.ts,
        "kind": body["kind"],
        "dispatch": body["dispatch"],
        "job": body.get("job"),
        "text": body["text"],
        "detail": body.get("detail", ""),
        "on_pin": body["seq"] in marks["notice_stored"],
        "seen": body["seq"] in marks["notice_seen"],
        "retracted": body["seq"] in marks["notice_retracted"],
    }
