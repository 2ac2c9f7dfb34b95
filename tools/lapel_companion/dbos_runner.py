"""Keeps DBOS: its database, its start and its stop, and a workflow for every dispatch until that is
settled."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lapel_companion.dbos_database import open_engine, set_aside
from lapel_companion.engine import EngineError
from lapel_companion.lane import Lane
from lapel_companion.ledger import Dispatch
from lapel_companion.outcomes import Outcomes
from lapel_companion.steps import Steps

if TYPE_CHECKING:
    import sqlalchemy

# Workflow bodies are frozen and named by version, so one version of the application can run them all.
APPLICATION_VERSION = "lapel"
EXECUTOR_ID = "companion"

_AGAIN_S = (2.0, 10.0, 60.0, 300.0)
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_KEPT_S = 3600.0
_SWEEP_EVERY_S = 6 * 3600.0
_SWEEP_MANY = 500
_UNDER_WAY = ("PENDING", "ENQUEUED", "DELAYED")
_THREADS_MAX = 16

# DBOS is one instance a process, whatever we do.
_INSTANCE = threading.Lock()


class Runner:
    """`load` gives a dispatch by id; `settled` is told when nothing is left to be done for one.

    Use it from the engine's event loop. It is what workflows_v1 calls Hooks.
    """

    def __init__(
        self,
        database: Path,
        steps: Steps,
        outcomes: Outcomes,
        *,
        load: Callable[[str], Dispatch | None],
        settled: Callable[[str], None],
        report: Callable[[str], None],
    ) -> None:
        self._database = database
        self._steps = steps
        self._outcomes = outcomes
        self._load = load
        self._settled = settled
        self._report = report
        self._lane = Lane()
        self._workflow: Callable[[str, int], Coroutine[Any, Any, str]] | None = None
        self._connections: sqlalchemy.Engine | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._begun: dict[str, asyncio.Lock] = {}
        self._failures: dict[str, int] = {}
        # Workflows that broke in this process: DBOS may still call them pending when the disk was full.
        self._broken: set[str] = set()
        self._resting: set[str] = set()
        self._stopping = False

    @property
    def waiting(self) -> int:
        """How many dispatches wait to be tried again."""
        return len(self._resting)

    async def launch(self, unfinished: Iterable[Dispatch]) -> None:
        """Start DBOS, which goes on with what an earlier run left. Raises EngineError."""
        for found in unfinished:
            if found.outcome is None and found.round == 1:
                self._lane.expect(found.number)
        if not _INSTANCE.acquire(blocking=False):
            raise EngineError("a job engine runs in this process already.")
        try:
            await asyncio.to_thread(self._import)
            self._launch_or_begin_anew()
        except BaseException:
            _INSTANCE.release()
            raise
        self._spawn(self._sweep())

    @staticmethod
    def _import() -> None:
        # Half a second of imports, which must not hold up the loop.
        import dbos  # noqa: F401

    def _launch_or_begin_anew(self) -> None:
        from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

        try:
            try:
                self._launch()
            except DatabaseError as error:
                if isinstance(error, OperationalError):
                    raise
                # Damaged. It is no loss: the events say what is unfinished.
                aside = set_aside(self._database)
                self._report(f"the engine's database was damaged; it is kept as {aside.name} and begun anew.")
                self._launch()
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise EngineError(f"the job engine cannot use {self._database}: {cause}.") from error

    def _launch(self) -> None:
        from dbos import DBOS, DBOSPortableJSONSerializer

        from lapel_companion import workflows_v1

        # Launched from inside our loop, so that recovered workflows run on it too.
        DBOS(
            config={
                "name": "lapel",
                "application_version": APPLICATION_VERSION,
                "executor_id": EXECUTOR_ID,
                "system_database_engine": self._open(),
                "serializer": DBOSPortableJSONSerializer(),
                "max_executor_threads": _THREADS_MAX,
                "enable_otlp": False,
                # What matters of it is reported in sentences.
                "log_level": "CRITICAL",
            }
        )
        try:
            workflow = workflows_v1.register(self)
            DBOS.launch()
        except BaseException:
            self._destroy()
            raise
        self._workflow = workflow

    def _open(self) -> sqlalchemy.Engine:
        self._connections = open_engine(self._database)
        return self._connections

    def _destroy(self) -> None:
        from dbos import DBOS

        DBOS.destroy(destroy_registry=True)
        if self._connections is not None:
            # DBOS leaves an engine that it was given open.
            self._connections.dispose()

    async def _sweep(self) -> None:
        """Forget workflows that ended long ago: the events remember what they did."""
        from dbos import DBOS

        while True:
            before = datetime.now(UTC) - timedelta(seconds=_KEPT_S)
            while found := await DBOS.list_workflows_async(
                status=list(_ENDED),
                completed_before=before.isoformat(),
                limit=_SWEEP_MANY,
                load_input=False,
                load_output=False,
            ):
                await DBOS.delete_workflows_async([one.workflow_id for one in found])
            await asyncio.sleep(_SWEEP_EVERY_S)

    async def stop(self) -> None:
        """End every task of the loop; workflows stay pending, and the next launch goes on with them."""
        self._stopping = True
        if self._workflow is None:
            return
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._workflow = None
        self._destroy()
        _INSTANCE.release()

    def begin(self, dispatch_id: str) -> None:
        """See to it that a workflow is under way for a dispatch."""
        if self._stopping or self._workflow is None:
            return
        self._lane.expect(int(dispatch_id[1:]))
        self._spawn(self._ensure(dispatch_id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # Not in the context of whoever asks: what a step begins would become a child of that step's workflow.
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._report(f"a part of the job engine failed: {task.exception()!r}.")

    async def _ensure(self, dispatch_id: str) -> None:
        from dbos import error as dbos_error

        lock = self._begun.setdefault(dispatch_id, asyncio.Lock())
        try:
            async with lock:
                found = await asyncio.to_thread(self._load, dispatch_id)
                if found is None or found.settled:
                    self._over(dispatch_id)
                    return
                if found.round > 1 or found.outcome is not None:
                    self._lane.leave(found.number)
                await self._start(found)
        except (Exception, dbos_error.DBOSBaseException) as error:  # noqa: BLE001 - see below
            # Whatever it was (a full disk, above all), the dispatch is durable and must not be forgotten.
            self._again(dispatch_id, error)

    async def _start(self, found: Dispatch) -> None:
        from dbos import DBOS, SetWorkflowID

        assert self._workflow is not None
        base = f"{found.id}.{found.round}.{int(found.event.ts * 1000)}"
        workflow_id, number = base, 0
        while True:
            status = await DBOS.get_workflow_status_async(workflow_id)
            if status is None:
                break
            if status.status in _UNDER_WAY and workflow_id not in self._broken:
                return
            number += 1
            workflow_id = f"{base}.{number}"
        with SetWorkflowID(workflow_id):
            await DBOS.start_workflow_async(self._workflow, found.id, found.round)

    async def hear(self, dispatch: str, round_: int) -> str | None:
        if round_ == 1:
            await self._lane.enter(int(dispatch[1:]))
        return await self._steps.hear(dispatch, round_)

    async def decide(self, dispatch: str, round_: int, failure: str | None) -> dict[str, Any]:
        if round_ == 1:
            await self._lane.enter(int(dispatch[1:]))
        decided = await asyncio.to_thread(self._outcomes.decide, dispatch, round_, failure)
        self._lane.leave(int(dispatch[1:]))
        return decided

    async def run(self, job: str) -> str:
        return await self._steps.run(job)

    def ended(self, dispatch: str, round_: int, error: Exception | None) -> None:
        from dbos import DBOS

        if error is None:
            self._failures.pop(dispatch, None)
            self._spawn(self._check(dispatch))
            return
        if DBOS.workflow_id:
            self._broken.add(DBOS.workflow_id)
        self._again(dispatch, error)

    async def _check(self, dispatch_id: str) -> None:
        with contextlib.suppress(sqlite3.Error, OSError):
            found = await asyncio.to_thread(self._load, dispatch_id)
            if found is None or found.settled:
                self._over(dispatch_id)

    def _over(self, dispatch_id: str) -> None:
        self._lane.leave(int(dispatch_id[1:]))
        self._begun.pop(dispatch_id, None)
        self._settled(dispatch_id)

    def _again(self, dispatch_id: str, error: BaseException) -> None:
        self._lane.leave(int(dispatch_id[1:]))
        if self._stopping or dispatch_id in self._resting:
            return
        failures = self._failures[dispatch_id] = self._failures.get(dispatch_id, 0) + 1
        rest_s = _AGAIN_S[min(failures, len(_AGAIN_S)) - 1]
        cause = str(error) or type(error).__name__
        self._report(f"{dispatch_id} could not go on ({cause}); it is tried again in {rest_s:g} s.")
        self._resting.add(dispatch_id)
        self._spawn(self._rest(dispatch_id, rest_s))

    async def _rest(self, dispatch_id: str, rest_s: float) -> None:
        await asyncio.sleep(rest_s)
        self._resting.discard(dispatch_id)
        self.begin(dispatch_id)
