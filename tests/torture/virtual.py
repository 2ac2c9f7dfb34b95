"""Tier (a), the host's half: batches of cases for MicroPython workers.

A worker starts once for a batch and makes a copy of itself for each case (device/forks.py), so a case costs what
it does and nothing more, and one that dies takes no other with it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.torture.verdict import COUNTS, Verdict

ROOT = Path(__file__).resolve().parents[2]
DEVICE = "tests/torture/device"
MODULES = ("firmware", "lib", "tests/unit/helpers", DEVICE)
BATCH = 150
HEAP = "24M"
# A batch that takes longer hangs as a whole; single cases have their own limit.
BATCH_S = 600


class WorkerFailed(Exception):
    """The worker could not even say what there is; the text is what it printed."""


def interpreter() -> str:
    """The MicroPython to use: LAPEL_MICROPYTHON, else the one `make` fetched."""
    return os.environ.get("LAPEL_MICROPYTHON") or str(ROOT / ".tools" / "micropython")


class Virtual:
    """The tier of the pin's own code in virtual time. `checkout` may be a copy, with a mistake in it."""

    name = "a"

    def __init__(self, checkout: Path = ROOT) -> None:
        self._checkout = checkout
        self._kinds: dict[str, str] = {}

    def cases(self, n: int, seed: int) -> Mapping[str, Sequence[str]]:
        """Raises WorkerFailed."""
        found: dict[str, list[str]] = {}
        with Worker(self._checkout, "list", str(n), str(seed)) as worker:
            for line in worker.lines(()):
                found.setdefault(line["kind"], []).extend(line["names"])
            if worker.code:
                raise WorkerFailed(worker.words)
        self._kinds = {name: kind for kind, names in found.items() for name in names}
        return found

    def kind_of(self, name: str) -> str:
        """See verdict.Tier."""
        return ""

    def run(self, names: Sequence[str], *, workers: int) -> Iterator[Verdict]:
        """Verdicts as they come."""
        batches: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()
        verdicts: queue.SimpleQueue[Verdict | None] = queue.SimpleQueue()
        stop = threading.Event()
        for batch in _batches(names):
            batches.put(batch)

        def work() -> None:
            with suppress(queue.Empty):
                while not stop.is_set():
                    self._run_batch(batches.get_nowait(), verdicts, stop)
            verdicts.put(None)

        threads = [threading.Thread(target=work, name=f"batch-{k}") for k in range(workers)]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                verdict = verdicts.get()
                if verdict is None:
                    running -= 1
                else:
                    yield verdict
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _run_batch(
        self, names: Sequence[str], verdicts: queue.SimpleQueue[Verdict | None], stop: threading.Event
    ) -> None:
        left = list(dict.fromkeys(names))
        while left and not stop.is_set():
            before = len(left)
            with Worker(self._checkout, "run") as worker:
                for line in worker.lines(left):
                    if line["case"] in left:
                        left.remove(line["case"])
                        verdicts.put(self._verdict(line))
                    if stop.is_set():
                        return
                words = worker.words
            if len(left) == before:
                # It came to nothing at all: the first is to blame, the others get another worker.
                broken = {"case": left.pop(0), "broken": f"the worker ended without a verdict: {words[-2000:]}"}
                verdicts.put(self._verdict(broken))

    def _verdict(self, line: dict[str, Any]) -> Verdict:
        case = str(line["case"])
        counts = {name: int(str(line.get(name, 0))) for name in COUNTS}
        recovery = line.get("recovery_ms")
        return Verdict(
            tier=self.name,
            kind=self._kinds.get(case) or str(line.get("kind")),
            case=case,
            broken=str(line.get("broken", "")),
            why=str(line.get("why", "")),
            recovery_ms=None if recovery is None else int(str(recovery)),
            **counts,
        )


class Worker:
    """One process of MicroPython, and its children; they end with the `with`."""

    def __init__(self, checkout: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [interpreter(), "-X", f"heapsize={HEAP}", str(checkout / DEVICE / "worker.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=ROOT,
            env={**os.environ, "MICROPYPATH": ":".join([".frozen", *(str(checkout / part) for part in MODULES)])},
            start_new_session=True,
        )
        self._limit = threading.Timer(BATCH_S, self._kill)
        self._limit.start()
        # What it printed that is no verdict: its last words.
        self.words = ""
        self.code = 0

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._limit.cancel()
        self._kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def lines(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """What it says to these names on its input; `words` and `code` are known at the end."""
        assert self._process.stdin and self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.write("".join(f"{name}\n" for name in names))
            self._process.stdin.close()
        for line in self._process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
            else:
                self.words += line
        self.code = self._process.wait()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    # Cases of one family lie together: they share a run.
    for at in range(0, len(names), BATCH):
        yield names[at : at + BATCH]
