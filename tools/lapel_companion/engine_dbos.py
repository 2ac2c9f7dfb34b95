"""The job engine on DBOS with SQLite. It has a thread and an event loop of its own, so that a sync never
holds up the radio. The events are the truth; DBOS remembers how far each dispatch came."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from lapel_companion import ledger, mistakes, paths, wording
from lapel_companion.agents.base import Agent
from lapel_companion.agents.command import CommandAgent
from lapel_companion.agents.note import NoteAgent
from lapel_companion.agents.reminder import ReminderAgent
from lapel_companion.config import Config
from lapel_companion.dbos_host import Host
from lapel_companion.dbos_runner import Runner
from lapel_companion.engine import EngineError, Services
from lapel_companion.ledger import RELEASABLE, Dispatch
from lapel_companion.outcomes import BY_HAND, Outcomes
from lapel_companion.speech.base import Transcript
from lapel_companion.steps import Steps

T = TypeVar("T")

MAX_TYPED_CHARS = 2000
_MARK = "engine_mark"
_MARK_KINDS = ("dispatch", "released")
_BATCH = 1000


def agents(config: Config) -> Mapping[str, Agent]:
    """The agents that a configuration can name."""
    made: list[Agent] = [CommandAgent(config.jobs), NoteAgent(config.notes_file), ReminderAgent()]
    return {agent.name: agent for agent in made}


class DbosEngine:
    """See engine.Engine. One at a time in a process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        if not services.agents:
            services.agents = agents(services.config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._open: set[str] = set()
        self._outcomes = Outcomes(services, self._begin_soon)
        self._steps = Steps(services)
        self._runner = Runner(
            Host(paths.engine_database(services.state), services.report),
            self._steps,
            self._outcomes,
            load=lambda dispatch_id: ledger.load(services.log, dispatch_id),
            settled=self._open.discard,
            report=services.report,
        )

    async def start(self) -> None:
        loop = asyncio.new_event_loop()
        mistakes.quiet_loop(loop, self._services.report)
        self._thread = threading.Thread(target=_serve, args=(loop,), name="lapel-engine", daemon=True)
        self._thread.start()
        self._loop = loop
        try:
            await self._there(self._start())
        except BaseException as error:
            await self.close()
            if isinstance(error, (sqlite3.Error, OSError)):
                raise EngineError(f"the job engine cannot start: {error}.") from error
            raise

    async def close(self) -> None:
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        await self._there(self._stop())
        self._loop = self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)

    async def submit(self, dispatch_id: str) -> None:
        self._begin_soon(dispatch_id)

    async def say(self, text: str, *, principal: str = "person") -> str:
        return await self._there(self._say(_typed(text), principal))

    async def release(self, dispatch_id: str, text: str | None = None, *, principal: str = "person") -> None:
        given = None if text is None else _typed(text)
        await self._there(self._release(dispatch_id, given, principal))

    async def cancel(self, dispatch_id: str, *, principal: str = "person") -> str:
        return await self._there(self._cancel(dispatch_id, None, principal))

    async def cancel_clip(self, clip_id: str, cancel_id: int, *, principal: str = "pin") -> None:
        await self._there(self._cancel_clip(clip_id, cancel_id, principal))

    def pin_linked(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._steps.history_known.set)

    async def reconcile(self) -> int:
        return await self._there(self._reconcile())

    def log_so_far(self, job_id: str) -> bytes | None:
        agent = self._services.agents.get("command")
        capture = agent.captures.get(job_id) if isinstance(agent, CommandAgent) else None
        return capture.log() if capture else None

    def status(self) -> dict[str, Any]:
        return {
            "open": len(self._open),
            "running": sorted(self._steps.running),
            "waiting_to_retry": self._runner.waiting,
        }

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise EngineError("the job engine is not running.")
        # Who asked may go away in the middle (a link that ends, a token that is taken back): what was begun is written
        # and then done, and is not left at half.
        return await asyncio.shield(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop)))

    def _begin_soon(self, dispatch_id: str) -> None:
        loop = self._loop
        if loop is None:
            # It is durable; the next start begins with it.
            return
        loop.call_soon_threadsafe(self._begin, dispatch_id)

    def _begin(self, dispatch_id: str) -> None:
        self._open.add(dispatch_id)
        self._runner.begin(dispatch_id)

    async def _start(self) -> None:
        unfinished = await asyncio.to_thread(self._unfinished)
        # Before anything is decided: what an earlier run began must not go on beside it.
        await asyncio.gather(*(self._steps.take_up(found) for found in unfinished))
        self._open.update(found.id for found in unfinished)
        asyncio.get_running_loop().call_later(self._services.pin_patience_s, self._steps.history_known.set)
        await self._runner.launch(unfinished)
        for found in unfinished:
            self._begin(found.id)

    async def _stop(self) -> None:
        command = self._services.agents.get("command")
        if isinstance(command, CommandAgent):
            await command.close()
        await self._runner.stop()
        self._mark()

    def _unfinished(self) -> list[Dispatch]:
        """Every dispatch that is not settled, oldest first."""
        log = self._services.log
        mark = log.last(_MARK)
        after = int(mark.body["after"]) if mark else 0
        ids = dict.fromkeys(mark.body["open"] if mark else [])
        while batch := log.read(after, _MARK_KINDS, limit=_BATCH):
            ids |= dict.fromkeys(event.dispatch for event in batch if event.dispatch)
            after = batch[-1].seq
        found = [ledger.load(log, dispatch_id) for dispatch_id in ids]
        return sorted((one for one in found if one and not one.settled), key=lambda one: one.number)

    def _mark(self) -> None:
        """Remember what is open, so that the next start need not read all of history."""
        try:
            with self._services.log.transaction():
                after = self._services.log.head()
                open_ids = [found.id for found in self._unfinished()]
                self._services.log.append(_MARK, {"after": after, "open": open_ids}, principal="companion")
        except (sqlite3.Error, OSError) as error:
            # It only makes the next start slower.
            self._services.report(f"the engine's mark could not be saved: {error}.")

    async def _reconcile(self) -> int:
        unfinished = await asyncio.to_thread(self._unfinished)
        for found in unfinished:
            self._begin(found.id)
        return len(unfinished)

    async def _say(self, text: str, principal: str) -> str:
        def write() -> str:
            log = self._services.log
            with log.transaction():
                dispatch_id = log.next_dispatch()
                body = {"id": dispatch_id, "clip": None, "source": "say", "outcome": "accepted"}
                log.append("dispatch", body, principal=principal, dispatch=dispatch_id)
                heard = Transcript(text, engine=BY_HAND).body() | {"round": 1}
                log.append("transcript", heard, principal=principal, dispatch=dispatch_id)
            return dispatch_id

        dispatch_id = await asyncio.to_thread(write)
        self._begin(dispatch_id)
        return dispatch_id

    async def _release(self, dispatch_id: str, text: str | None, principal: str) -> None:
        def write() -> None:
            with self._services.log.transaction():
                found = self._need(dispatch_id)
                if found.status not in RELEASABLE:
                    raise EngineError(_not_releasable(found))
                if text is None and not found.heard and found.transcript is not None:
                    raise EngineError(
                        f'{dispatch_id} has no words; add them: lapel release {dispatch_id} "..."'
                    )
                self._outcomes.let_go(dispatch_id, text, principal)

        await asyncio.to_thread(write)
        self._begin(dispatch_id)

    async def _cancel(self, dispatch_id: str, cancel_id: int | None, principal: str) -> str:
        def write() -> str:
            log = self._services.log
            with log.transaction():
                found = self._need(dispatch_id)
                # Written down in any case: the pin repeats its cancel until it is answered.
                body = {"id": cancel_id, "clip": found.clip_id}
                log.append("cancel", body, principal=principal, dispatch=dispatch_id)
                if found.status in ("done", "failed", "cancelled", "answer", "unheard"):
                    if principal == "pin" and found.status in ("done", "failed", "answer"):
                        text = wording.outcome(found.understood, "too late to cancel, it was over already")
                        self._services.outbox.record(
                            "failed", dispatch=dispatch_id, text=text, principal=principal
                        )
                    return f"{dispatch_id} is over already ({found.status}): there is nothing to cancel."
                if found.status == "held":
                    self._outcomes.put_away(dispatch_id, principal, "you cancelled it")
            return f"{dispatch_id} is cancelled."

        answer = await asyncio.to_thread(write)
        for job_id, flag in self._steps.cancels.items():
            if job_id.rpartition(".")[0] == dispatch_id:
                flag.set()
        return answer

    async def _cancel_clip(self, clip_id: str, cancel_id: int, principal: str) -> None:
        log = self._services.log

        def known() -> str | None:
            with log.transaction():
                earlier = log.find("cancel", "clip", clip_id)
                clip = log.find("clip", "id", clip_id)
                if earlier is not None:
                    return None
                if clip is None:
                    log.append("cancel", {"id": cancel_id, "clip": clip_id}, principal=principal)
                    return None
                return clip.dispatch

        dispatch_id = await asyncio.to_thread(known)
        if dispatch_id is not None:
            await self._cancel(dispatch_id, cancel_id, principal)

    def _need(self, dispatch_id: str) -> Dispatch:
        found = ledger.load(self._services.log, dispatch_id)
        if found is None:
            raise EngineError(f"there is no dispatch {dispatch_id}; lapel status lists them.")
        return found


def _typed(text: str) -> str:
    words = wording.one_line(text)
    if not words:
        raise EngineError('there are no words in that; say what is to be done: lapel say "..."')
    if len(words) > MAX_TYPED_CHARS:
        raise EngineError(f"that has {len(words)} characters; one line has at most {MAX_TYPED_CHARS}.")
    return words


def _not_releasable(found: Dispatch) -> str:
    if found.status in ("accepted", "running"):
        return f"{found.id} is under way already; lapel cancel {found.id} stops it."
    return f"{found.id} is {found.status} already: there is nothing to release."


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
