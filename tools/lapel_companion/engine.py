"""The job engine as the rest of the companion sees it, and what it needs from the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import Any, Protocol

from lapel_companion.agents.base import Agent
from lapel_companion.blobs import Blobs
from lapel_companion.config import Config, Phrase
from lapel_companion.dispatcher import Match
from lapel_companion.events import EventLog
from lapel_companion.notices import Outbox
from lapel_companion.speech.base import Recogniser, Transcript


class EngineError(Exception):
    """A request that cannot be met; the text is a sentence for a person."""


# The phrase that a transcript says as a whole, or None; trusted or not is the recogniser's affair.
Matcher = Callable[[Transcript, Sequence[Phrase], bool], Match | None]


@dataclass
class Services:
    """What the engine works with.

    pin_patience_s: so long after a start, what waits from an earlier run is not begun before `pin_linked`.
    pcm: the sound of a clip (16-bit LE mono 16 kHz) by clip id; FileNotFoundError while it is not there
    yet. report: takes sentences for the daemon's own log. agents: by name; engine_dbos.agents() makes the
    usual ones.
    """

    state: Path
    config: Config
    log: EventLog
    blobs: Blobs
    outbox: Outbox
    recogniser: Recogniser
    match: Matcher
    pcm: Callable[[str], bytes]
    agents: Mapping[str, Agent] = field(default_factory=dict)
    report: Callable[[str], None] = print
    clock: Callable[[], float] = time
    pin_patience_s: float = 0.0


class Engine(Protocol):
    """Turns dispatches into outcomes, jobs and notices, durably. All methods belong to the daemon's event
    loop."""

    async def start(self) -> None:
        """End what an earlier run left, then go on with what was not finished. Raises EngineError."""

    async def close(self) -> None:
        """Stop. Waiting and running jobs are taken up (or reported as interrupted) by the next start."""

    async def submit(self, dispatch_id: str) -> None:
        """A dispatch is durable: begin with it. Never fails; what cannot begin now is tried again."""

    async def say(self, text: str, *, principal: str = "person") -> str:
        """Make typed words a dispatch, and begin with it; returns its id. Raises EngineError."""

    async def release(self, dispatch_id: str, text: str | None = None, *, principal: str = "person") -> None:
        """Let a held (or failed) dispatch go, with better words if given. Raises EngineError."""

    async def cancel(self, dispatch_id: str, *, principal: str = "person") -> str:
        """Stop a dispatch; a sentence on what came of that. Raises EngineError for an unknown id."""

    async def cancel_clip(self, clip_id: str, cancel_id: int, *, principal: str = "pin") -> None:
        """The pin's cancel, remembered when the clip is not here yet. Repeating it does no harm."""

    def pin_linked(self) -> None:
        """The pin's hello is dealt with: by now it is known whether this history is the newest."""

    async def reconcile(self) -> int:
        """Begin with every dispatch that was accepted and is not under way; returns how many there were."""

    def log_so_far(self, job_id: str) -> bytes | None:
        """What a command that runs now has printed; None when it does not run."""

    def status(self) -> dict[str, Any]:
        """Counts for `lapel status`: dispatches not settled, jobs running, dispatches waiting to be tried
        again."""
