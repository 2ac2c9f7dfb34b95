"""Runs cases in a process of its own: names on stdin, one verdict a line, as JSON, on stdout.

    python -m tests.torture.whole.worker [STRACE]

The word `count` in the place of a name runs once with nothing wrong, and tells how many calls there are to fail.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.torture.agent import scene
from tests.torture.agent.recogniser import Recogniser
from tests.torture.verdict import Verdict
from tests.torture.whole.calls import FAILING
from tests.torture.whole.run import play, run_case
from tests.torture.whole.stage import Stage
from tests.torture.whole.tier import COUNT
from tests.torture.whole.traced import Clean


async def count(strace: str) -> dict[str, object]:
    """{"syncs": calls of a clean run, "commits": begun in it, "last": calls while it ends, "threads": {name: the most
    of one thread}, "ops": flash operations of the pin}. RuntimeError when the run was not clean."""
    fault = Clean(strace)
    with tempfile.TemporaryDirectory(prefix="lapel-c-", ignore_cleanup_errors=True) as folder:
        with Recogniser(scene.text) as recogniser:
            fault.prepare(Path(folder), recogniser)
            stage = fault.stage = Stage(Path(folder), recogniser, fault.under)
            try:
                found, _ = await play(stage, fault)
                syncs, commits, operations = len(fault.calls), fault.commits, stage.flash_operations
                threads = {name: fault.most_by_one_thread(name) for name in FAILING}
            finally:
                await stage.close()
                fault.close()
    wrong = [*found.broken, *found.words]
    if wrong:
        raise RuntimeError(f"a run with nothing wrong was not well: {'; '.join(wrong)}")
    last = len(fault.calls) - syncs
    return {"syncs": syncs, "commits": commits, "last": last, "threads": threads, "ops": operations}


def main(arguments: list[str]) -> int:
    """Until stdin ends."""
    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    strace = arguments[0] if arguments else ""
    for line in sys.stdin:
        name = line.strip()
        if name == COUNT:
            try:
                counted = asyncio.run(count(strace))
            except RuntimeError as error:
                print(error, file=sys.stderr)
                return 1
            print(json.dumps(counted), flush=True)
            continue
        try:
            verdict = asyncio.run(run_case(name, strace))
        except Exception as error:  # noqa: BLE001 - whatever it is, the case is broken and the next one is run
            verdict = Verdict("c", "", name, broken=f"{type(error).__name__}: {error}")
        print(json.dumps(asdict(verdict)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
