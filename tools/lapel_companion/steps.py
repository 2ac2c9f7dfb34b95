"""Hears a clip and runs a job. Each may be repeated after a crash, and then finds in the events what it
did before."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lapel_companion import dispatcher, history, ledger, processes, wording
from lapel_companion.agents.base import Context, Result
from lapel_companion.agents.base import Job as AgentJob
from lapel_companion.audio import AudioError
from lapel_companion.engine import Services
from lapel_companion.ledger import Dispatch, Job
from lapel_companion.outcomes import BY_HAND
from lapel_companion.speech.base import SpeechError, Transcript

_SOUND_PATIENCE_S = 10.0
_SOUND_POLL_S = 0.2
_SAVE_AGAIN_S = 2.0
_ATTEMPTS_MAX = 5


@dataclass(frozen=True)
class Ask:
    """Why a job is not run (again) without a person's yes. `state` is how the job ends; `how` is what to do."""

    state: str
    reason: str
    why: str
    question: str
    how: str


class Steps:
    """`cancels` has an event for each job under way; setting it ends the job. `running` are those that have
    begun, `taken_up` those of an earlier run, `stuck` those of them that could not be ended, and why.
    `history_known` is set when the pin's hello has told whether this state is an older one that was put back,
    or when nobody waits for it any longer. Use it from one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._turns: dict[str, asyncio.Lock] = {}
        self.cancels: dict[str, asyncio.Event] = {}
        self.running: set[str] = set()
        self.stuck: dict[str, str] = {}
        self.taken_up: set[str] = set()
        self.history_known = asyncio.Event()
        self._earlier: set[str] = set()

    async def take_up(self, found: Dispatch) -> None:
        """Prepare for a dispatch that an earlier run began: what is left of its jobs is ended, and awaited."""
        self._earlier.add(found.id)
        for job in found.jobs.values():
            self.taken_up.add(job.id)
            for attempt in [] if job.ended else job.attempts:
                try:
                    if await processes.end_leftover(attempt):
                        self._services.report(f"{job.id} was still running from before: ended.")
                except (processes.StillThere, OSError) as error:
                    self.stuck[job.id] = str(error)
                    self._services.report(f"what is left of {job.id} could not be ended: {error}.")

    async def hear(self, dispatch_id: str, round_: int) -> str | None:
        """Make sure that there is a transcript; None, or why there can be none."""
        found = await asyncio.to_thread(self._load, dispatch_id)
        if found.round != round_:
            return None
        if found.released_text is not None:
            transcript = Transcript(found.released_text, engine=BY_HAND)
            await asyncio.to_thread(self._heard, found, transcript)
            return None
        if found.transcript is not None or found.clip_id is None:
            return None
        try:
            transcript = await self._transcribe(found.clip_id)
        except TimeoutError:
            return f"the recogniser took longer than {self._services.config.speech.timeout_s:g} s"
        except FileNotFoundError:
            return "its recording is not there"
        except (SpeechError, AudioError) as error:
            return str(error)
        await asyncio.to_thread(self._heard, found, transcript)
        return None

    async def _transcribe(self, clip_id: str) -> Transcript:
        services = self._services
        speech = services.config.speech
        deadline = asyncio.get_running_loop().time() + _SOUND_PATIENCE_S
        while True:
            try:
                pcm = await asyncio.to_thread(services.pcm, clip_id)
                break
            except FileNotFoundError:
                # After a crash the recording may still be on its way to its place.
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_SOUND_POLL_S)
        hints = [*(phrase.say for phrase in services.config.phrases), *speech.hints]
        async with asyncio.timeout(speech.timeout_s):
            return await asyncio.to_thread(services.recogniser.transcribe, pcm, speech.language, hints)

    def _heard(self, found: Dispatch, transcript: Transcript) -> None:
        with self._services.log.transaction():
            now = self._load(found.id)
            if now.round != found.round or (now.transcript or {}).get("round") == now.round:
                return
            body = transcript.body() | {"round": now.round}
            self._services.log.append("transcript", body, principal=found.principal, dispatch=found.id)

    async def run(self, job_id: str) -> str:
        """Run a job to its end, once; returns its state."""
        # Two workflows of one dispatch may both come back from a crash; only one of them runs it.
        turn = self._turns.setdefault(job_id, asyncio.Lock())
        async with turn:
            state = await self._run(job_id)
        self._turns.pop(job_id, None)
        return state

    async def _run(self, job_id: str) -> str:
        dispatch, job = await asyncio.to_thread(self._job, job_id)
        if dispatch.id in self._earlier and not job.ended and not job.attempts:
            await self._history_or_cancel(job)
            dispatch, job = await asyncio.to_thread(self._job, job_id)
        if job.ended:
            return job.state
        if dispatch.cancelled:
            result = Result("cancelled", "cancelled while it ran" if job.attempts else "cancelled")
        elif job.attempts and not self._may_rerun(job):
            why = "it was interrupted and may have run"
            if job.id in self.stuck:
                why += f"; {self.stuck[job.id]}"
            ask = Ask("failed", ledger.INTERRUPTED, why, "run it again?", wording.how_to_run_again(dispatch.id))
            return await self._save(job, lambda: self._held(dispatch, job, ask))
        elif await asyncio.to_thread(self._lost, job):
            why = "it may have been done before the state here was put back"
            how = wording.how_to_release(dispatch.id, job.heard, known=True)
            ask = Ask("cancelled", "restored", why, "do it now?", how)
            return await self._save(job, lambda: self._held(dispatch, job, ask))
        elif self._too_old(job):
            why = f"it was said {dispatcher.ago(self._services.clock() - job.queued_s)} and has not begun"
            how = wording.how_to_release(dispatch.id, job.heard, known=True)
            ask = Ask("cancelled", "old", why, "do it now?", how)
            return await self._save(job, lambda: self._held(dispatch, job, ask))
        else:
            result = await self._by_agent(dispatch, job)
        return await self._save(job, lambda: self._finished(dispatch, job, result))

    async def _history_or_cancel(self, job: Job) -> None:
        cancelled = self.cancels.setdefault(job.id, asyncio.Event())
        waits = [asyncio.ensure_future(event.wait()) for event in (self.history_known, cancelled)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cancels.pop(job.id, None)
            for wait in waits:
                wait.cancel()

    def _lost(self, job: Job) -> bool:
        """Whether a job that has not begun here may have been done in a history that is lost."""
        if job.attempts or self._services.agents[job.agent].repeats(job.plan):
            return False
        return history.lost_since(self._services.log, job.queued_seq)

    def _too_old(self, job: Job) -> bool:
        """Whether a command was queued so long ago, in an earlier run, that it needs another yes.

        So does one that comes out of a backup: it may have run in the days that the backup does not know.
        """
        if job.attempts or job.harmless or job.id not in self.taken_up:
            return False
        age_s = self._services.clock() - job.queued_s
        return age_s > self._services.config.ask_after_s and not self._services.agents[job.agent].reruns(job.plan)

    def _may_rerun(self, job: Job) -> bool:
        # A job that brings the companion down each time must not do so for ever.
        again = self._services.agents[job.agent].reruns(job.plan) and len(job.attempts) < _ATTEMPTS_MAX
        return again and job.id not in self.stuck

    async def _by_agent(self, dispatch: Dispatch, job: Job) -> Result:
        cancelled = self.cancels.setdefault(job.id, asyncio.Event())

        async def attempt(body: Mapping[str, Any]) -> None:
            await asyncio.to_thread(self._attempted, dispatch, job, body)
            self.running.add(job.id)

        context = Context(attempt, cancelled, self._services.clock)
        given = AgentJob(job.id, dispatch.id, job.heard, job.plan, tuple(job.attempts))
        try:
            # A cancel that came before there was anything to cancel.
            if (await asyncio.to_thread(self._load, dispatch.id)).cancelled:
                cancelled.set()
            return await self._services.agents[job.agent].run(given, context)
        finally:
            self.running.discard(job.id)
            self.cancels.pop(job.id, None)

    def _attempted(self, dispatch: Dispatch, job: Job, body: Mapping[str, Any]) -> None:
        log = self._services.log
        with log.transaction():
            log.append("attempt", body, principal=dispatch.principal, dispatch=dispatch.id, job=job.id)
            now = self._job(job.id)[1]
            if now.state != "running":
                ledger.check_change(now.state, "running")
                running = {"id": job.id, "agent": job.agent, "state": "running"}
                log.append("job", running, principal=dispatch.principal, dispatch=dispatch.id, job=job.id)

    async def _save(self, job: Job, write: Callable[[], str]) -> str:
        """Write the end of a job down, and return its state; a disk that is full now only delays it."""
        reported = False
        while True:
            try:
                return await asyncio.to_thread(write)
            except (OSError, sqlite3.OperationalError) as error:
                if not reported:
                    self._services.report(f"the result of {job.id} cannot be saved yet: {error}")
                reported = True
            await asyncio.sleep(_SAVE_AGAIN_S)

    def _finished(self, dispatch: Dispatch, job: Job, result: Result) -> str:
        services = self._services
        log_id = services.blobs.put(result.log, ".log") if result.log else None
        text = wording.outcome(job.heard, result.text)
        with services.log.transaction():
            now = self._job(job.id)[1]
            if now.ended:
                return now.state
            ledger.check_change(now.state, result.state)
            body = {
                "id": job.id,
                "agent": job.agent,
                "state": result.state,
                "text": result.text,
                "log": log_id,
            }
            body |= dict(result.facts)
            services.log.append("job", body, principal=dispatch.principal, dispatch=dispatch.id, job=job.id)
            services.outbox.record(
                result.kind or result.state,
                dispatch=dispatch.id,
                job=job.id,
                text=text,
                detail=result.detail,
                principal=dispatch.principal,
            )
        return result.state

    def _held(self, dispatch: Dispatch, job: Job, ask: Ask) -> str:
        """The job ends here, its dispatch is held, and a person is asked."""
        services = self._services
        with services.log.transaction():
            found, now = self._job(job.id)
            if now.ended:
                return now.state
            ledger.check_change(now.state, ask.state)
            end = {"id": job.id, "agent": job.agent, "state": ask.state, "text": ask.why, "log": None}
            services.log.append("job", end, principal=dispatch.principal, dispatch=dispatch.id, job=job.id)
            outcome: dict[str, Any] = {"outcome": "held", "reason": ask.reason, "why": ask.why}
            outcome |= {"heard": job.heard, "round": found.round}
            services.log.append("outcome", outcome, principal=dispatch.principal, dispatch=dispatch.id)
            services.outbox.record(
                "held",
                dispatch=dispatch.id,
                job=job.id,
                text=wording.held(job.heard, f"{ask.why}: {ask.question}"),
                detail=ask.how,
                principal=dispatch.principal,
            )
        return ask.state

    def _load(self, dispatch_id: str) -> Dispatch:
        return ledger.need(self._services.log, dispatch_id)

    def _job(self, job_id: str) -> tuple[Dispatch, Job]:
        return ledger.need_job(self._services.log, job_id)
