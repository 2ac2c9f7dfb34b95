"""The companion is killed, and starts again: nothing is lost, nothing is done twice, and nobody is told
otherwise.

What was really done stands in a file that the commands themselves write.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import ledger, processes

WORKER = Path(__file__).with_name("worker.py")


@contextmanager
def worker(state: Path, point: str, *texts: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(WORKER), str(state), point, *texts], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    # One that hangs must fail its test, not hang it.
    watchdog = threading.Timer(90, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def kill_when(state: Path, line: str, *texts: str) -> None:
    """Start a companion, say the texts, and kill it when it prints the line."""
    with worker(state, "-", *texts) as process:
        assert process.stdout is not None
        for printed in process.stdout:
            if printed.strip() == line:
                return
        raise AssertionError(f"it never came to {line}")


def die_at(state: Path, point: str, *texts: str) -> None:
    with worker(state, point, *texts) as process:
        assert process.stdout is not None
        process.stdout.read()
        assert process.wait() == -signal.SIGKILL


def group_of(bench: Any, dispatch: str) -> int:
    return int(bench.log.read(kinds=["attempt"], dispatch=dispatch)[0].body["pgid"])


def wait_for_ledger(bench: Any, lines: int) -> None:
    """The command's own words that it ran; it may be a moment behind the event that it runs."""
    for _ in range(400):
        if len(bench.ledger()) >= lines:
            return
        time.sleep(0.02)
    raise AssertionError("the command never ran")


def test_a_command_that_ran_is_ended_and_asked_about_never_run_again(tmp_path: Path, bench: Any) -> None:
    with worker(tmp_path, "-", "wait for it") as process:
        assert process.stdout is not None
        for printed in process.stdout:
            if printed.strip() == "job d1 running":
                break
        wait_for_ledger(bench, 1)
    group = group_of(bench, "d1")
    assert processes.members(group)

    async def work(b: Any) -> None:
        # It was ended before the engine said that it had started.
        assert processes.members(group) == []
        notice = await b.until("notice", "d1")
        assert (notice.body["kind"], notice.body["text"]) == (
            "held",
            "Heard: wait for it. It was interrupted and may have run: run it again?",
        )
        assert "lapel release d1" in notice.body["detail"] and "lapel cancel d1" in notice.body["detail"]
        await b.idle()
        assert ledger.need(b.log, "d1").status == "held"
        assert b.ledger() == ["ran"]
        assert any("d1.1 was still running from before" in report for report in b.reports)
        # Only a person runs it again.
        await b.engine.release("d1")
        await b.until("job", "d1", id="d1.2", state="running")
        wait_for_ledger(b, 2)

    bench.run(work)


def test_one_that_its_owner_marked_idempotent_is_run_again(tmp_path: Path, bench: Any) -> None:
    with worker(tmp_path, "-", "wait again") as process:
        assert process.stdout is not None
        for printed in process.stdout:
            if printed.strip() == "job d1 running":
                break
        wait_for_ledger(bench, 1)

    async def work(b: Any) -> None:
        await b.until("job", "d1", state="done")
        await b.idle()
        assert b.ledger() == ["ran", "ran"]
        assert len(b.log.read(kinds=["notice"], dispatch="d1")) == 1
        assert [event.body["n"] for event in b.log.read(kinds=["attempt"], dispatch="d1")] == [1, 2]

    bench.run(work)


POINTS = [
    ("events.commit[dispatch+transcript].before", 1, "none"),
    ("events.commit[dispatch+transcript].after", 1, "done"),
    ("events.commit[outcome+job].before", 1, "done"),
    ("events.commit[outcome+job].after", 1, "done"),
    ("events.commit[attempt+job].before", 1, "done"),
    ("events.commit[attempt+job].after", 0, "held"),
    ("job.gate.before", 0, "held"),
    ("events.commit[job+notice].before", 1, "held"),
    ("events.commit[job+notice].after", 1, "done"),
]


@pytest.mark.parametrize(("point", "runs", "told"), POINTS, ids=[point[0] for point in POINTS])
def test_killed_at(tmp_path: Path, bench: Any, point: str, runs: int, told: str) -> None:
    die_at(tmp_path, point, "write once down")

    async def work(b: Any) -> None:
        if told == "none":
            # It was never accepted: the person at the terminal saw the command fail.
            assert b.log.read(kinds=["dispatch"]) == []
            return
        notice = await b.until("notice", "d1")
        await b.idle()
        assert notice.body["kind"] == told
        assert b.ledger() == ["once"] * runs
        assert len(b.log.read(kinds=["notice"], dispatch="d1")) == 1
        assert b.kinds("d1", "outcome", "outcome") == (["jobs", "held"] if told == "held" else ["jobs"])
        assert ledger.need(b.log, "d1").status == told

    bench.run(work)


def test_what_waits_survives(tmp_path: Path, bench: Any) -> None:
    kill_when(tmp_path, "notice d2", "mumble", "remind me in two seconds to go")

    async def work(b: Any) -> None:
        await b.until("outcome", "d1", outcome="held")
        assert (await b.until("notice", "d2", kind="reminder")).body["detail"] == "go"
        await b.engine.release("d1", "make a note kept")
        await b.until("job", "d1", state="done")
        assert (b.state / "notes.md").read_text().count("kept") == 1

    bench.run(work)


def test_the_gate_runs_nothing_without_its_byte(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        command = processes.gate_command(theirs.fileno(), ["touch", str(tmp_path / "ran")])
        process = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
    ours.close()
    assert process.wait(10) == 125
    assert os.listdir(tmp_path) == []
