"""The workflow of a dispatch, version 1. Frozen: what waits was begun by these lines and must find them
unchanged.

A change to the order, names or arguments of the steps is a new module (workflows_v2) beside this one, and a
line in workflows.VERSIONS; this one stays there until nothing of it waits. What the steps do inside may change.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from dbos import DBOS

NAME = "lapel.dispatch.v1"


class Hooks(Protocol):
    """The steps. Each may be repeated, and must then do nothing twice."""

    async def hear(self, dispatch: str, round_: int) -> str | None: ...

    async def decide(self, dispatch: str, round_: int, failure: str | None) -> dict[str, Any]: ...

    async def run(self, job: str) -> str: ...

    def ended(self, dispatch: str, round_: int, error: Exception | None) -> None:
        """Not a step, only a sign: the workflow is through, or broke."""


def register(hooks: Hooks) -> Callable[[str, int], Coroutine[Any, Any, str]]:
    """Make the workflow known to DBOS, before it is launched."""

    @DBOS.workflow(name=NAME, max_recovery_attempts=None)
    async def dispatch_v1(dispatch: str, round_: int) -> str:
        try:
            failure = await DBOS.run_step_async({"name": "hear"}, hooks.hear, dispatch, round_)
            decided = await DBOS.run_step_async({"name": "decide"}, hooks.decide, dispatch, round_, failure)
            for job in decided["jobs"]:
                await DBOS.run_step_async({"name": "run"}, hooks.run, job)
        except Exception as error:
            hooks.ended(dispatch, round_, error)
            raise
        hooks.ended(dispatch, round_, None)
        return str(decided["outcome"])

    return dispatch_v1
