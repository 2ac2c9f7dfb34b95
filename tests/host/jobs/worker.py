"""A companion that is killed: an engine on a state folder, in a process of its own.

`worker.py STATE POINT TEXT...`: says each text, and prints a line for each event. POINT is `-`, or the point of
lapel_companion.durable at which the process kills itself, or `version:v0` for a companion whose workflows are an
earlier version's.
"""

import asyncio
import importlib
import os
import signal
import sys
from pathlib import Path

from lapel_companion import durable, workflows


def arm(point: str) -> None:
    def reached(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    durable.watch(reached)


async def main(state: Path, point: str, texts: list[str]) -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    bench = importlib.import_module("conftest").Bench(state)
    if point == "version:v0":
        v0 = importlib.import_module("workflows_v0")
        workflows.VERSIONS = (workflows.Version(v0.NAME, v0.register),)
    await bench.engine.start()
    arm(point)
    for text in texts:
        await bench.engine.say(text)
    async for event in bench.log.subscribe(0):
        print(event.kind, event.dispatch, event.body.get("state", ""), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
