"""What the events say of one dispatch and its jobs: a fold, and the one list of legal changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lapel_companion.events import Event, EventLog

# What may follow what, for a job.
JOB_CHANGES: dict[str, tuple[str, ...]] = {
    "": ("queued",),
    "queued": ("running", "done", "failed", "cancelled"),
    "running": ("done", "failed", "cancelled"),
    "done": (),
    "failed": (),
    "cancelled": (),
}
JOB_ENDS = tuple(state for state, following in JOB_CHANGES.items() if not following)

# What a person may let go (or again) with `release`.
RELEASABLE = ("held", "unheard", "cancelled", "failed")

# The reason for which a dispatch is held whose job may have run.
INTERRUPTED = "interrupted"

_KINDS = ("clip", "dispatch", "transcript", "outcome", "released", "cancel", "job", "attempt")
_MAX_EVENTS = 100_000


class IllegalChange(Exception):
    """A job was to change in a way that is not listed."""


@dataclass
class Job:
    """One job. `plan` is what its agent decided to do; `end` is the body of the event that ended it."""

    id: str
    agent: str
    heard: str
    round: int
    plan: dict[str, Any]
    queued_s: float
    queued_seq: int
    harmless: bool = False
    state: str = "queued"
    attempts: list[dict[str, Any]] = field(default_factory=list)
    end: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        return self.state in JOB_ENDS


@dataclass
class Dispatch:
    """One dispatch. A `release` begins a new round; transcript and outcome are those of the newest."""

    id: str
    principal: str
    source: str
    clip_id: str | None
    event: Event
    round: int = 1
    clip: dict[str, Any] = field(default_factory=dict)
    transcript: dict[str, Any] | None = None
    outcome: dict[str, Any] | None = None
    released_text: str | None = None
    by_person: bool = False
    cancelled: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return int(self.id[1:])

    @property
    def heard(self) -> str:
        return str(self.transcript["text"]) if self.transcript else ""

    @property
    def understood(self) -> str:
        """What the decision took it to be; before it, what was heard."""
        return str(self.outcome["heard"]) if self.outcome else self.heard

    @property
    def press_unix_s(self) -> float | None:
        """When it was said: the press, or for typed words the dispatch itself."""
        if self.clip_id is None:
            return self.event.ts
        press = self.clip.get("press_unix_ms")
        return None if press is None else float(press) / 1000

    @property
    def current_jobs(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.round == self.round]

    @property
    def settled(self) -> bool:
        """Nothing is left to be done for it."""
        return self.outcome is not None and all(job.ended for job in self.current_jobs)

    @property
    def status(self) -> str:
        """accepted, held, unheard, answer or cancelled; with jobs: running, done, failed or cancelled."""
        if self.outcome is None:
            return "accepted"
        if self.outcome["outcome"] != "jobs":
            return str(self.outcome["outcome"])
        states = [job.state for job in self.current_jobs]
        if not all(state in JOB_ENDS for state in states):
            return "running"
        return next((state for state in ("failed", "cancelled") if state in states), "done")


def load(log: EventLog, dispatch_id: str) -> Dispatch | None:
    """The dispatch, or None when there is none of that id."""
    return fold(log.read(kinds=_KINDS, dispatch=dispatch_id, limit=_MAX_EVENTS))


def fold(events: Iterable[Event]) -> Dispatch | None:
    """The dispatch that these events, oldest first, are all about."""
    found: Dispatch | None = None
    clip: dict[str, Any] = {}
    for event in events:
        body = event.body
        if event.kind == "clip":
            clip = body
        elif event.kind == "dispatch":
            source = str(body.get("source", "pin"))
            found = Dispatch(str(event.dispatch), event.principal, source, body.get("clip"), event)
            found.by_person = source == "say"
        elif found is not None:
            _take(found, event)
    if found is not None:
        found.clip = clip
    return found


def _take(found: Dispatch, event: Event) -> None:
    kind, body = event.kind, event.body
    if kind == "transcript":
        found.transcript = body
    elif kind == "outcome":
        found.outcome = body
    elif kind == "released":
        found.round = int(body["round"])
        found.released_text = body.get("text")
        found.by_person, found.outcome, found.cancelled = True, None, False
    elif kind == "cancel":
        found.cancelled = True
    elif kind == "job":
        _take_job(found, event)
    elif kind == "attempt" and body["job"] in found.jobs:
        found.jobs[body["job"]].attempts.append(body)


def _take_job(found: Dispatch, event: Event) -> None:
    body = event.body
    job = found.jobs.get(body["id"])
    if job is None:
        found.jobs[body["id"]] = Job(
            id=str(body["id"]),
            agent=str(body["agent"]),
            heard=str(body.get("heard", "")),
            round=int(body.get("round", 1)),
            plan=dict(body.get("plan", {})),
            queued_s=event.ts,
            queued_seq=event.seq,
            harmless=bool(body.get("harmless", False)),
            state=str(body["state"]),
        )
        return
    job.state = str(body["state"])
    if job.ended:
        job.end = body


def check_change(old: str, new: str) -> None:
    """Raises IllegalChange."""
    if new not in JOB_CHANGES[old]:
        raise IllegalChange(f"a job that is {old or 'new'} cannot become {new}")


def need(log: EventLog, dispatch_id: str) -> Dispatch:
    """The dispatch. Raises LookupError."""
    found = load(log, dispatch_id)
    if found is None:
        raise LookupError(f"there is no dispatch {dispatch_id}")
    return found


def need_job(log: EventLog, job_id: str) -> tuple[Dispatch, Job]:
    """The job of an id ("d3.1") and its dispatch. Raises LookupError."""
    dispatch = load(log, job_id.rpartition(".")[0])
    if dispatch is None or job_id not in dispatch.jobs:
        raise LookupError(f"there is no job {job_id}")
    return dispatch, dispatch.jobs[job_id]
