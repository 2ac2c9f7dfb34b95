"""A version of the workflow as an earlier release might have had it: other steps, and one more. Only tests
register it, in the place of a version that is no longer the newest."""

from collections.abc import Callable, Coroutine
from typing import Any

from dbos import DBOS

from lapel_companion.workflows_v1 import Hooks

NAME = "lapel.dispatch.v0"


async def greet(dispatch: str) -> str:
    return f"hello {dispatch}"


def register(hooks: Hooks) -> Callable[[str, int], Coroutine[Any, Any, str]]:
    @DBOS.workflow(name=NAME, max_recovery_attempts=None)
    async def dispatch_v0(dispatch: str, round_: int) -> str:
        try:
            await DBOS.run_step_async({"name": "greet"}, greet, dispatch)
            failure = await DBOS.run_step_async({"name": "listen"}, hooks.hear, dispatch, round_)
            decided = await DBOS.run_step_async({"name": "choose"}, hooks.decide, dispatch, round_, failure)
            for job in decided["jobs"]:
                await DBOS.run_step_async({"name": "work"}, hooks.run, job)
            await DBOS.run_step_async({"name": "farewell"}, greet, dispatch)
        except Exception as error:
            hooks.ended(dispatch, round_, error)
            raise
        hooks.ended(dispatch, round_, None)
        return str(decided["outcome"])

    return dispatch_v0
