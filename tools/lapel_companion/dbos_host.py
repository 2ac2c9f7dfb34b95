"""DBOS itself: started on its database and stopped, kept small and quiet. The only module that speaks to
its library beside the workflows. It is imported late: half a second that no command line should wait for."""

from __future__ import annotations

import asyncio
import platform
import struct
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lapel_companion.dbos_database import open_engine, set_aside
from lapel_companion.engine import EngineError

if TYPE_CHECKING:
    import sqlalchemy
    from dbos import DBOS

    from lapel_companion.workflows_v1 import Hooks

# Workflow bodies are frozen and named by version, so one version of the application can run them all.
APPLICATION_VERSION = "lapel"
EXECUTOR_ID = "companion"

_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_UNDER_WAY = ("PENDING", "ENQUEUED", "DELAYED")
_KEPT_S = 3600.0
_SWEEP_EVERY_S = 6 * 3600.0
_SWEEP_MANY = 500
_CALM_LOOK_S = 2.0
_THREADS_MAX = 16

# DBOS is one instance a process, whatever we do.
_INSTANCE = threading.Lock()


class Host:
    """One DBOS on the file `database`. Use it from one event loop, on which the workflows run too."""

    def __init__(self, database: Path, report: Callable[[str], None]) -> None:
        self._database = database
        self._report = report
        self._instance: DBOS | None = None
        self._connections: sqlalchemy.Engine | None = None
        self._known: frozenset[str] = frozenset()
        self._workflow: Callable[[str, int], Coroutine[Any, Any, str]] | None = None

    @property
    def running(self) -> bool:
        return self._workflow is not None

    async def launch(self, hooks: Hooks) -> None:
        """Start; workflows that an earlier run left begin to come back. Raises EngineError."""
        if not _INSTANCE.acquire(blocking=False):
            raise EngineError("a job engine runs in this process already.")
        try:
            await asyncio.to_thread(_import)
            self._launch_or_begin_anew(hooks)
        except BaseException:
            _INSTANCE.release()
            raise

    def destroy(self) -> None:
        """Stop. The caller has ended the tasks of the loop; workflows stay pending for the next launch."""
        if self._workflow is not None:
            self._workflow = None
            self._destroy()
            _INSTANCE.release()

    async def under_way(self, workflow_id: str) -> bool | None:
        """Whether a workflow runs or waits; None when there is none of that id."""
        from dbos import DBOS

        status = await DBOS.get_workflow_status_async(workflow_id)
        return None if status is None else status.status in _UNDER_WAY

    async def begin(self, workflow_id: str, dispatch: str, round_: int) -> None:
        """Begin a workflow of that id, unless there is one."""
        from dbos import DBOS, SetWorkflowID

        assert self._workflow is not None
        with SetWorkflowID(workflow_id):
            await DBOS.start_workflow_async(self._workflow, dispatch, round_)

    async def retire(self) -> list[str]:
        """Give up workflows that were begun by a version which is not known here; their ids.

        DBOS would leave them as they are for ever. Nothing is lost: the events say what they did.
        """
        from dbos import DBOS

        from lapel_companion import workflows

        found = await DBOS.list_workflows_async(status=list(_UNDER_WAY), load_input=False, load_output=False)
        strange = [
            one.workflow_id for one in found if one.name.startswith(workflows.FAMILY) and one.name not in self._known
        ]
        if strange:
            await DBOS.cancel_workflows_async(strange)
        return strange

    def current(self) -> str:
        """The id of the workflow that calls."""
        from dbos import DBOS

        return str(DBOS.workflow_id)

    async def sweep(self) -> None:
        """Forget workflows that ended long ago, for ever: the events remember what they did."""
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

    async def calm_down(self, came_back: Callable[[str], bool]) -> None:
        """Stop DBOS's polling when everything that an earlier run left has come back.

        It looks for queued, scheduled, delayed and timed-out workflows every second (0.6 % of a core). We
        begin workflows directly; only those that come back after a restart go through its queue. Its own
        shutdown sets the same events.
        """
        from dbos import DBOS

        while True:
            await asyncio.sleep(_CALM_LOOK_S)
            found = await DBOS.list_workflows_async(
                status=list(_UNDER_WAY), load_input=False, load_output=False
            )
            if all(came_back(one.workflow_id) for one in found):
                break
        assert self._instance is not None
        for event in self._instance.background_thread_stop_events:
            event.set()
        self._instance._background_jobs_stop_event.set()

    def _launch_or_begin_anew(self, hooks: Hooks) -> None:
        from sqlalchemy.exc import DatabaseError, OperationalError, SQLAlchemyError

        try:
            try:
                self._launch(hooks)
            except DatabaseError as error:
                if isinstance(error, OperationalError):
                    raise
                # Damaged. It is no loss: the events say what is unfinished.
                aside = set_aside(self._database)
                self._report(f"the engine's database was damaged; it is kept as {aside.name} and begun anew.")
                self._launch(hooks)
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise EngineError(f"the job engine cannot use {self._database}: {cause}.") from error

    def _launch(self, hooks: Hooks) -> None:
        from dbos import DBOS, DBOSPortableJSONSerializer

        from lapel_companion import workflows

        self._connections = open_engine(self._database)
        self._instance = DBOS(
            config={
                "name": "lapel",
                "application_version": APPLICATION_VERSION,
                "executor_id": EXECUTOR_ID,
                "system_database_engine": self._connections,
                "serializer": DBOSPortableJSONSerializer(),
                "max_executor_threads": _THREADS_MAX,
                # Its listener listens to nothing of ours; it only delays the shutdown by this much.
                "notification_listener_polling_interval_sec": 0.25,
                "enable_otlp": False,
                # What matters of it is reported in sentences.
                "log_level": "CRITICAL",
            }
        )
        try:
            known = {version.name: version.register(hooks) for version in workflows.VERSIONS}
            # From inside our loop, so that recovered workflows run on it too.
            DBOS.launch()
        except BaseException:
            self._destroy()
            raise
        self._known = frozenset(known)
        # New dispatches begin with the newest.
        *_, self._workflow = known.values()

    def _destroy(self) -> None:
        from dbos import DBOS

        DBOS.destroy(destroy_registry=True)
        self._instance = None
        if self._connections is not None:
            # DBOS leaves an engine that it was given open.
            self._connections.dispose()


def _import() -> None:
    # croniter, which DBOS imports, asks of how many bits this Python is. Python's own answer starts the program `file`
    # with our whole environment, secrets included.
    asked = platform.architecture
    platform.architecture = lambda *_: (f"{8 * struct.calcsize('P')}bit", "")
    try:
        import dbos  # noqa: F401
    finally:
        platform.architecture = asked
