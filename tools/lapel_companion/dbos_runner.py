"""A workflow for every dispatch, until that is settled: begun, brought back, and tried again when it
broke."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from lapel_companion import mistakes
from lapel_companion.dbos_host import Host
from lapel_companion.lane import Lane
from lapel_companion.ledger import Dispatch
from lapel_companion.outcomes import Outcomes
from lapel_companion.steps import Steps

_AGAIN_S = (2.0, 10.0, 60.0, 300.0)
# Longer than it takes to end a command that does not want to.
_STOP_LIMIT_S = 15.0


class Runner:
    """`load` gives a dispatch by id; `settled` is told when nothing is left to be done for one.

    Use it from the engine's event loop. It is what workflows_v1 calls Hooks.
    """

    def __init__(
        self,
        host: Host,
        steps: Steps,
        outcomes: Outcomes,
        *,
        load: Callable[[str], Dispatch | None],
        settled: Callable[[str], None],
        report: Callable[[str], None],
    ) -> None:
        self._host = host
        self._steps = steps
        self._outcomes = outcomes
        self._load = load
        self._settled = settled
        self._report = report
        self._lane = Lane()
        self._ordered: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun: dict[str, asyncio.Lock] = {}
        self._failures: dict[str, int] = {}
        self._resting: set[str] = set()
        # Workflows that are in one of our steps, and those that broke in this process: DBOS may still call
        # these pending when the disk was full.
        self._entered: set[str] = set()
        self._broken: set[str] = set()
        self._stopping = False

    @property
    def waiting(self) -> int:
        """How many dispatches wait to be tried again."""
        return len(self._resting)

    async def launch(self, unfinished: Iterable[Dispatch]) -> None:
        """Start DBOS, which goes on with what an earlier run left. Raises EngineError."""
        for found in unfinished:
            if _in_order(found):
                self._ordered.add(found.id)
                self._lane.expect(found.number)
        await self._host.launch(self)
        if strange := await self._host.retire():
            ids = ", ".join(sorted({workflow_id.split(".")[0] for workflow_id in strange}))
            self._report(f"another version of Lapel began with {ids}: this one begins anew from what is written down.")
        self._spawn(self._host.calm_down(self._entered.__contains__))
        self._spawn(self._host.sweep())

    async def stop(self) -> None:
        """End every task of the loop; workflows stay pending, and the next launch goes on with them."""
        self._stopping = True
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        left = (await asyncio.wait(tasks, timeout=_STOP_LIMIT_S))[1] if tasks else ()
        if left:
            # Everything is durable: who asked us to end must not wait for ever.
            self._report(f"{len(left)} tasks of the job engine did not end within {_STOP_LIMIT_S:g} s.")
        self._host.destroy()

    def begin(self, dispatch_id: str) -> None:
        """See to it that a workflow is under way for a dispatch."""
        if self._stopping or not self._host.running:
            return
        self._lane.expect(int(dispatch_id[1:]))
        self._spawn(self._ensure(dispatch_id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # Not in the context of whoever asks: what a step begins would become a child of that step's workflow.
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._report(f"a part of the job engine failed: {mistakes.named(error)}.")

    async def _ensure(self, dispatch_id: str) -> None:
        from dbos import error as dbos_error

        lock = self._begun.setdefault(dispatch_id, asyncio.Lock())
        try:
            async with lock:
                found = await asyncio.to_thread(self._load, dispatch_id)
                if found is None or found.settled:
                    self._over(dispatch_id)
                    return
                if _in_order(found):
                    self._ordered.add(found.id)
                else:
                    self._lane.leave(found.number)
                await self._start(found)
        except (Exception, dbos_error.DBOSBaseException) as error:  # noqa: BLE001 - see below
            # Whatever it was (a full disk, above all), the dispatch is durable and must not be forgotten.
            self._again(dispatch_id, error)

    async def _start(self, found: Dispatch) -> None:
        # The time keeps it apart from a dispatch of the same id in a state that was restored from a backup.
        base = f"{found.id}.{found.round}.{int(found.event.ts * 1000)}"
        workflow_id, number = base, 0
        while (under_way := await self._host.under_way(workflow_id)) is not None:
            if under_way and workflow_id not in self._broken:
                return
            number += 1
            workflow_id = f"{base}.{number}"
        await self._host.begin(workflow_id, found.id, found.round)

    async def hear(self, dispatch: str, round_: int) -> str | None:
        self._entered.add(self._host.current())
        if dispatch in self._ordered:
            await self._lane.enter(int(dispatch[1:]))
        return await self._steps.hear(dispatch, round_)

    async def decide(self, dispatch: str, round_: int, failure: str | None) -> dict[str, Any]:
        self._entered.add(self._host.current())
        if dispatch in self._ordered:
            await self._lane.enter(int(dispatch[1:]))
        decided = await asyncio.to_thread(self._outcomes.decide, dispatch, round_, failure)
        self._through(dispatch)
        return decided

    async def run(self, job: str) -> str:
        self._entered.add(self._host.current())
        return await self._steps.run(job)

    def ended(self, dispatch: str, round_: int, error: Exception | None) -> None:
        self._entered.discard(self._host.current())
        if error is None:
            self._failures.pop(dispatch, None)
            self._spawn(self._check(dispatch))
            return
        self._broken.add(self._host.current())
        self._again(dispatch, error)

    async def _check(self, dispatch_id: str) -> None:
        with contextlib.suppress(sqlite3.Error, OSError):
            found = await asyncio.to_thread(self._load, dispatch_id)
            if found is None or found.settled:
                self._over(dispatch_id)

    def _through(self, dispatch_id: str) -> None:
        self._ordered.discard(dispatch_id)
        self._lane.leave(int(dispatch_id[1:]))

    def _over(self, dispatch_id: str) -> None:
        self._through(dispatch_id)
        self._begun.pop(dispatch_id, None)
        self._settled(dispatch_id)

    def _again(self, dispatch_id: str, error: BaseException) -> None:
        self._through(dispatch_id)
        if self._stopping or dispatch_id in self._resting:
            return
        failures = self._failures[dispatch_id] = self._failures.get(dispatch_id, 0) + 1
        rest_s = _AGAIN_S[min(failures, len(_AGAIN_S)) - 1]
        self._report(f"{dispatch_id} could not go on ({mistakes.cause(error)}); it is tried again in {rest_s:g} s.")
        self._resting.add(dispatch_id)
        self._spawn(self._rest(dispatch_id, rest_s))

    async def _rest(self, dispatch_id: str, rest_s: float) -> None:
        await asyncio.sleep(rest_s)
        self._resting.discard(dispatch_id)
        self.begin(dispatch_id)


def _in_order(found: Dispatch) -> bool:
    # What was said is decided in the order in which it was said. What is typed or let go has not to wait
    # for that.
    return found.clip_id is not None and found.round == 1 and found.outcome is None
