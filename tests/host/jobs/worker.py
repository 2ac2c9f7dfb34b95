"""A companion that is killed: an engine on a state folder, in a process of its own.

`worker.py STATE POINT TEXT...`: says each text, and prints a line for each event. POINT is `-`, or a moment
at which the process kills itself, as `before:KIND:STATE` or `after:KIND:STATE` (of the events table; STATE
may be empty), or `gate` for the moment between the attempt's commit and the command's start.
"""

import asyncio
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lapel_companion import processes
from lapel_companion.agents import command


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(bench: Any, point: str) -> None:
    if point == "gate":
        command._through_the_gate = at_the_gate
        return
    if point == "-":
        return
    when, kind, state = point.split(":")
    append, transaction = bench.log.append, bench.log.transaction
    depth, hit = threading.local(), threading.Event()

    @contextmanager
    def counted() -> Iterator[Any]:
        depth.now = getattr(depth, "now", 0) + 1
        try:
            with transaction() as log:
                yield log
        finally:
            depth.now -= 1
        if hit.is_set() and not depth.now:
            die()

    def deadly(given: str, body: Mapping[str, Any], **more: Any) -> Any:
        if given == kind and state in ("", body.get("state")):
            if when == "before":
                die()
            hit.set()
        return append(given, body, **more)

    bench.log.transaction = counted
    bench.log.append = deadly


async def at_the_gate(job: Any, context: Any, pid: int, mark: str, ours: Any) -> None:
    leader = processes.look(pid)
    body = {"job": job.id, "n": 1, "pid": pid, "pgid": pid, "started": leader.started if leader else ""}
    await context.attempt(body)
    die()


async def main(state: Path, point: str, texts: list[str]) -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    bench = importlib.import_module("conftest").Bench(state)
    await bench.engine.start()
    arm(bench, point)
    for text in texts:
        await bench.engine.say(text)
    async for event in bench.log.subscribe(0):
        print(event.kind, event.dispatch, event.body.get("state", ""), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
