"""What every agent offers, and what it is given."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lapel_companion.config import Phrase
from lapel_companion.dispatcher import Plan, Refused

MAX_SPOKEN_CHARS = 500
# Control, format (also those that turn text around), surrogate, private and line separators.
_UNSPEAKABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


@dataclass(frozen=True)
class Request:
    """What a phrase asks for: what its slots took, when it was said (None: nobody knows), and the time
    now."""

    heard: str
    slots: Mapping[str, str]
    press_unix_s: float | None
    now_s: float


@dataclass(frozen=True)
class Job:
    """A job to run. `attempts` are the bodies of its earlier `attempt` events, oldest first."""

    id: str
    dispatch: str
    heard: str
    plan: Plan
    attempts: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Result:
    """How a job ended. state: done, failed or cancelled. `text` is short and follows what was heard;
    `detail` is for who reads on; `kind` is the notice's when it is not the state; `log` is what it
    printed; `facts` go to the event."""

    state: str
    text: str
    detail: str = ""
    kind: str | None = None
    log: bytes | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Context:
    """What a running job may use. `attempt` makes its facts durable, and returns only then; nothing that
    cannot be taken back may be done before it. `cancelled` is set when the person wants it to end."""

    attempt: Callable[[Mapping[str, Any]], Awaitable[None]]
    cancelled: asyncio.Event
    clock: Callable[[], float]


class Agent(Protocol):
    """plan: pure; what the job will do, as JSON, or Refused. run: does it; may be called again after a
    crash, with the attempts that were made. `reruns` says that being called again after an attempt never
    does anything twice, `repeats` that it does no harm either when nothing is known of that attempt."""

    @property
    def name(self) -> str: ...

    def plan(self, phrase: Phrase, request: Request) -> Plan: ...

    def reruns(self, plan: Plan) -> bool: ...

    def repeats(self, plan: Plan) -> bool: ...

    async def run(self, job: Job, context: Context) -> Result: ...


def spoken(request: Request, slot: str) -> str:
    """What a slot took, as one plain line. Raises Refused."""
    text = " ".join(request.slots.get(slot, "").split())
    if not text:
        raise Refused(f"nothing was said for {slot}")
    if len(text) > MAX_SPOKEN_CHARS:
        raise Refused(f"what was said for {slot} has {len(text)} characters, more than {MAX_SPOKEN_CHARS}")
    if any(unicodedata.category(character) in _UNSPEAKABLE for character in text):
        raise Refused(f"what was said for {slot} holds characters that nobody can say")
    return text
