"""The tier as `make torture` knows it: which cases there are, by a run that is counted, and workers that run them."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.torture.verdict import Verdict
from tests.torture.whole import calls, faults
from tests.torture.whole.calls import FAILING

ROOT = Path(__file__).resolve().parents[3]
# They wait more than they compute: for speech, for radio and flash as slow as real ones.
AT_ONCE_EACH_WORKER = 2
NOT_RUN = "not run: "
COUNT = "count"
_LAST_CASE_S = 20.0
_AGAIN, _BOTH, _OPS, _FAILS = 8, 6, 10, 4
# What stands for a run that could not be counted.
_UNCOUNTED: Mapping[str, Any] = {"syncs": 1, "commits": 1, "last": 1, "ops": 60, "threads": dict.fromkeys(FAILING, 1)}


class Whole:
    """`strace` None: the one that is found; "" for none."""

    name = "c"

    def __init__(self, strace: str | None = None) -> None:
        self._why_not = ""
        self._strace = strace or ""
        if strace is None:
            try:
                self._strace = calls.find_strace()
            except calls.NoStrace as error:
                self._why_not = str(error)

    def cases(self, n: int, seed: int) -> Mapping[str, Sequence[str]]:
        """Every sync of a run that is counted; of the rest a sample by `seed`. Without strace, one name of each kind
        that needs it stands for all of them, and is told as not run."""
        chance = random.Random(seed)
        counted = self._count() if self._strace else _UNCOUNTED
        names = ["c/clean/run", *_of_calls(counted, chance)]
        operations = range(1, int(counted["ops"]) + 1)
        for place in sorted(chance.sample(operations, min(_OPS, len(operations)))):
            names.append(f"c/op-{place}/{chance.choice(('cut', 'torn'))}")
        names += [f"c/stop/{when}" for when in ("idle", "speaking", "working")]
        names += [f"c/agent/{what}" for what in ("process", "group")]
        names += [f"c/recogniser-{times}/refuses" for times in (1, 9)]
        names += [f"c/backup/{when}" for when in ("linked", "accepted", "done")]
        kinds: dict[str, list[str]] = {}
        for name in names:
            kinds.setdefault(faults.made(name, self._strace).kind, []).append(name)
        return kinds

    def kind_of(self, name: str) -> str:
        """See verdict.Tier."""
        try:
            return faults.made(name, self._strace).kind
        except ValueError:
            return ""

    def run(self, names: Sequence[str], *, workers: int) -> Generator[Verdict, None, None]:
        """One verdict each, in the order in which they end."""
        wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
        found: queue.SimpleQueue[Verdict | BaseException] = queue.SimpleQueue()
        left = 0
        # The long ones first, so that nobody waits for one at the end.
        for name in sorted(names, key=lambda name: not name.startswith("c/stop")):
            fault = faults.made(name, self._strace)
            if self._why_not and fault.needs_strace:
                yield Verdict("c", fault.kind, name, broken=f"{NOT_RUN}{self._why_not}")
            else:
                wanted.put(name)
                left += 1
        processes = [_worker(self._strace) for _ in range(min(left, AT_ONCE_EACH_WORKER * workers))]
        for process in processes:
            threading.Thread(target=_serve, args=(process, wanted, found), daemon=True).start()
        try:
            for _ in range(left):
                verdict = found.get()
                if isinstance(verdict, BaseException):
                    raise verdict
                yield verdict
        finally:
            _end(processes)

    def _count(self) -> Mapping[str, Any]:
        process = _worker(self._strace)
        try:
            return dict(json.loads(_ask(process, COUNT)))
        except RuntimeError:
            # Even a run with nothing wrong is not well; c/clean/run will say what it is.
            return _UNCOUNTED
        finally:
            _end([process])


def _of_calls(counted: Mapping[str, Any], chance: random.Random) -> list[str]:
    syncs = range(1, int(counted["syncs"]) + 1)
    names = ["c/clean/written", *(f"c/sync-{number}/kill" for number in syncs)]
    for number in sorted(chance.sample(syncs, min(_AGAIN, len(syncs)))):
        # A start that has something to recover makes a dozen calls and more.
        names.append(f"c/sync-{number}/kill-{chance.randint(1, 12)}")
    names += [f"c/sync-{number}/both" for number in sorted(chance.sample(syncs, min(_BOTH, len(syncs))))]
    names += [f"c/commit-{number}/kill" for number in range(1, int(counted["commits"]) + 1)]
    names += [f"c/bye-{number}/kill" for number in range(1, int(counted["last"]) + 1)]
    threads = counted["threads"]
    for call, error in (
        ("fsync", "eio"), ("fdatasync", "eio"), ("rename", "eio"), ("pwrite64", "enospc"), ("write", "enospc"),
    ):  # fmt: skip
        # The busiest thread of another run may be less busy.
        most = max(1, int(threads[call]) * 2 // 3)
        names += [f"c/{call}-{first}/{error}" for first in sorted(chance.sample(range(1, most + 1), min(_FAILS, most)))]
    return [*names, "c/fsync/late-250", "c/fdatasync/late-250"]


def _worker(strace: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([*(str(ROOT / part) for part in ("", "tools", "lib")), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "tests.torture.whole.worker", *([strace] if strace else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
    )


def _ask(process: subprocess.Popen[str], name: str) -> str:
    assert process.stdin and process.stdout
    process.stdin.write(f"{name}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"the worker of {name} ended without a word (exit {process.wait()})")
    return answer


def _serve(
    process: subprocess.Popen[str],
    wanted: queue.SimpleQueue[str],
    found: queue.SimpleQueue[Verdict | BaseException],
) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            name = wanted.get_nowait()
            try:
                found.put(Verdict(**json.loads(_ask(process, name))))
            except (RuntimeError, OSError, ValueError, TypeError) as error:
                found.put(error)
                return


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Closed stdin ends them after their case; those in the middle of one are told, and end what they started."""
    left = list(processes)
    for process in left:
        assert process.stdin
        with contextlib.suppress(OSError):
            process.stdin.close()
    for end, wait_s in ((None, 1.0), (subprocess.Popen.terminate, _LAST_CASE_S), (subprocess.Popen.kill, _LAST_CASE_S)):
        for process in left:
            if end:
                end(process)
        until_s = time.monotonic() + wait_s
        for process in left:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until_s - time.monotonic()))
        left = [process for process in left if process.poll() is None]
    for process in processes:
        if process.stdout:
            process.stdout.close()
