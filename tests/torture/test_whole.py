"""Tier (c): its instruments, its oracle on runs that went wrong, and a few of its cases by the commit's seed."""

from __future__ import annotations

import signal
import sqlite3
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.events import Event
from tests.torture.agent import recordings
from tests.torture.agent.recogniser import Received
from tests.torture.seeds import commit_seed
from tests.torture.whole import Whole, calls, faults
from tests.torture.whole.ear import Take
from tests.torture.whole.oracle import Findings, Truth, judge
from tests.torture.whole.stage import Press, Typed
from tests.torture.whole.touch import felt
from tests.torture.whole.written import Written

THREADS = """
import os, subprocess, sys, threading
def sync(name):
    handle = os.open(name, os.O_WRONLY | os.O_CREAT)
    for _ in range(3):
        os.fsync(handle)
    os.write(1, b"synced\\n")
for name in ("a", "b"):
    thread = threading.Thread(target=sync, args=(name,))
    thread.start()
    thread.join()
subprocess.run([sys.executable, "-c", "import os; os.fsync(os.open('c', os.O_WRONLY | os.O_CREAT))"])
"""


def strace() -> str:
    try:
        return calls.find_strace()
    except calls.NoStrace as error:
        pytest.skip(str(error))


def watched(
    folder: Path, kill_at: int, program: str = THREADS, commits: bool = False
) -> tuple[list[calls.Call], int, str]:
    """What a watch of a program saw, how that ended, and what it printed."""
    process: subprocess.Popen[str] | None = None

    def on_call(call: calls.Call) -> None:
        if call.number == kill_at and process:
            process.send_signal(signal.SIGKILL)

    watch = calls.Watch(strace(), folder, lambda: process.pid if process else 0, on_call, commits=commits)
    watch.start()
    command = [*watch.command, sys.executable, "-c", program]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=30)
    watch.close()
    return watch.calls, process.returncode, said


def test_calls_are_counted_over_all_threads_and_not_those_of_children(tmp_path: Path) -> None:
    seen, code, said = watched(tmp_path, 0)
    assert (code, said) == (0, "synced\nsynced\n")
    files = [Path(call.arguments.split("<")[1].rstrip(">")).name for call in seen]
    assert files == ["a"] * 3 + ["b"] * 3


def test_who_is_killed_at_a_call_has_not_made_it(tmp_path: Path) -> None:
    seen, code, said = watched(tmp_path, 3)
    assert (code, said, len(seen)) == (-signal.SIGKILL, "", 3)
    seen, code, said = watched(tmp_path, 4)
    assert (code, said, len(seen)) == (-signal.SIGKILL, "synced\n", 4)


COMMITS = """
import sqlite3
table = sqlite3.connect("events.db")
table.execute("PRAGMA journal_mode=WAL")
table.execute("PRAGMA synchronous=FULL")
table.execute("CREATE TABLE one(n)")
for n in range(3):
    with table:
        table.execute("INSERT INTO one VALUES(?)", (n,))
"""


def test_who_is_killed_before_a_commit_has_not_made_it(tmp_path: Path) -> None:
    seen, code, _ = watched(tmp_path, 4, COMMITS, commits=True)
    assert (code, len(seen)) == (-signal.SIGKILL, 4)
    # the journal's head, the table itself, and one row came before
    assert sqlite3.connect(tmp_path / "events.db").execute("SELECT n FROM one").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (['write(5</s/a>, "x", 1) = 1'], ["/s/a was written (write) and not synced"]),
        (['pwrite64(5</s/a>, "x", 1, 0) = 1', "fdatasync(5</s/a>) = 0"], []),
        (["fsync(5</s/a>) = 0", "ftruncate(5</s/a>, 0) = 0"], ["/s/a was written (ftruncate) and not synced"]),
        (['write(5</s/a>, "x", 1) = 1', "fsync(5</s/a>) = -1 EIO"], ["/s/a was written (write) and not synced"]),
        (['write(1</elsewhere>, "x", 1) = 1', 'pwrite64(5</s/dbos.sqlite-wal>, "x", 1, 0) = 1'], []),
        (
            ['openat(AT_FDCWD</>, "/s/a", O_WRONLY|O_CREAT, 0600) = 5</s/a>'],
            ["/s/a got its name and /s was not synced"],
        ),
        (['openat(AT_FDCWD</>, "/s/a", O_WRONLY|O_CREAT, 0600) = 5</s/a>', "fsync(6</s>) = 0"], []),
        (['rename("/s/.a.tmp", "/s/a") = 0', "fsync(6</s>) = 0"], []),
        (['openat(AT_FDCWD</>, "/s/a", O_CREAT) = 5</s/a>', 'write(5</s/a>, "x", 1) = 1', 'unlink("/s/a") = 0'], []),
        (
            ['write(5</s/.t>, "x", 1) = 1', 'rename("/s/.t", "/s/a") = 0', "fsync(5</s/a>) = 0", "fsync(6</s>) = 0"],
            ["/s/a got its name before its bytes were synced"],
        ),
    ],
)
def test_what_is_written_must_be_synced(lines: list[str], left: list[str]) -> None:
    look = Written("/s")
    look.feed(f"17 {line}" for line in lines)
    assert look.left() == left


def test_every_name_has_its_fault_and_without_strace_a_case_is_told_as_not_run() -> None:
    whole = Whole(strace="")
    whole._why_not = "there is none"
    kinds = whole.cases(1, 7)
    names = ["c/sync-1/kill", "c/sync-1/both", "c/fdatasync-1/eio"]
    assert all(any(name in listed for listed in kinds.values()) for name in names)
    found = list(whole.run(names, workers=1))
    assert [verdict.case for verdict in found] == names
    assert all(verdict.broken == "not run: there is none" and not verdict.good for verdict in found)
    assert [kind for kind in kinds if kind == found[0].kind]
    assert whole.kind_of(names[0]) == found[0].kind and not whole.kind_of("c/sync") + whole.kind_of("")
    with pytest.raises(ValueError, match="c/sync-1/nothing"):
        faults.made("c/sync-1/nothing", "")


def events(*rows: tuple[float, str, str, Mapping[str, Any]]) -> list[Event]:
    return [Event(i, t_s, who, name, fields) for i, (t_s, who, name, fields) in enumerate(rows)]


def test_a_pattern_counts_only_when_the_motor_made_all_of_it() -> None:
    traced = events(
        (1.0, "pin", "haptic", {"pattern": "captured", "count": 0}), (1.3, "pin", "haptic_end", {"pattern": "captured"})
    )
    whole = [(1.0, 255), (1.09, 0), (1.17, 255), (1.26, 0)]
    assert [pattern.name for pattern in felt(traced, whole)] == ["captured"]
    # the next press came into it
    assert felt(traced, whole[:2]) == []
    cut = events((1.0, "pin", "haptic", {"pattern": "done"}), (1.1, "sim", "power", {"on": False}))
    assert felt(cut, whole) == []


class Scene:
    """A run as the oracle sees one; it begins as one in which all went well."""

    def __init__(self, folder: Path) -> None:
        silence, sound = [0] * 4300, recordings.samples(7)
        self.take = Take(1.0, bytearray(struct.pack(f"<{4300 + len(sound)}i", *(x << 16 for x in [*silence, *sound]))))
        self.received = [Received(7, self.take.pcm())]
        self.rows: list[tuple[float, str, str, Mapping[str, Any]]] = [
            (3.0, "pin", "haptic", {"pattern": "captured", "count": 0}),
            (3.3, "pin", "haptic_end", {"pattern": "captured"}),
            (4.0, "pin", "notice", {"kind": "done", "text": "task number 7: 7 is done"}),
            (4.0, "pin", "haptic", {"pattern": "done", "count": 1}),
            (4.7, "pin", "haptic_end", {"pattern": "done"}),
        ]
        self.driven = [(t_s, level) for t_s in (3.0, 3.2, 4.0, 4.2, 4.5) for t_s, level in ((t_s, 9), (t_s + 0.1, 0))]
        self.notices: list[dict[str, Any]] = [notice(1, "done", "task number 7: 7 is done")]
        self.unseen: int | None = 1
        self.typed: list[Typed] = []
        self.ledger = folder / "ledger"
        self.ledger.write_text("begin\t9\t7\nend\t9\t7\n")

    def judged(self, interrupted: bool = True) -> Findings:
        simulation = SimpleNamespace(hardware=SimpleNamespace(haptic=self.driven), failure="")
        stage: Any = SimpleNamespace(
            folder=self.ledger.parent, events=events(*self.rows), sim=simulation, presses=[Press(7, 0.5, 2.5)],
            typed=self.typed, recogniser=SimpleNamespace(received=self.received),
            ear=SimpleNamespace(take_of=lambda from_s, until_s: self.take),
        )  # fmt: skip
        return judge(Truth(stage, self.notices, self.unseen, frozenset(), interrupted))

    def only(self, name: str) -> bool:
        """That, once, and nothing else."""
        found = self.judged()
        counts = Counter({key: getattr(found, key) for key in vars(found) if key not in ("words", "broken")})
        assert found.words and not found.broken
        return +counts == Counter({name: 1})


def notice(seq: int, kind: str, text: str) -> dict[str, Any]:
    return {"seq": seq, "kind": kind, "text": text, "seen": False, "retracted": False}


@pytest.fixture
def run(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_good_run_is_good(run: Scene) -> None:
    assert run.judged().words == []


def test_what_was_promised_and_never_run_is_lost(run: Scene) -> None:
    run.ledger.write_text("")
    run.rows[2] = (4.0, "pin", "notice", {"kind": "unheard", "text": "nobody spoke of number 8"})
    run.notices = []
    run.unseen = None
    assert run.only("clips_lost")
    # the person was told
    run.rows[2] = (4.0, "pin", "notice", {"kind": "held", "text": "task number 7: no"})
    assert run.judged().words == []


def test_what_nobody_received_is_lost(run: Scene) -> None:
    run.received = []
    assert run.only("clips_lost")


def test_a_task_that_ran_twice_is_found_whatever_was_told(run: Scene) -> None:
    run.ledger.write_text("begin\t9\t7\nbegin\t10\t7\nend\t10\t7\n")
    assert run.only("run_twice")


def test_a_typed_task_counts_too(run: Scene) -> None:
    run.typed = [Typed(50, answered=True)]
    assert run.only("clips_lost")
    run.typed = [Typed(50, answered=False)]
    assert run.judged().words == []


def test_a_notice_that_was_not_felt_is_lost(run: Scene) -> None:
    run.notices.append(notice(2, "failed", "task number 8: failed"))
    run.unseen = 2
    assert run.only("notices_lost")


def test_the_unseen_count_is_exact(run: Scene) -> None:
    run.unseen = 0
    assert run.only("notices_lost")
    run.unseen = 2
    assert run.only("notices_doubled")


def test_two_notices_of_one_result_are_doubled(run: Scene) -> None:
    run.notices.append(notice(2, "done", "task number 7: 7 is done"))
    run.unseen = 2
    assert run.only("notices_doubled")


def test_data_is_compared_bit_by_bit(run: Scene) -> None:
    pcm = run.received[0].pcm
    run.received = [Received(7, pcm[:9000] + bytes([pcm[9000] ^ 1]) + pcm[9001:])]
    assert run.only("wrong_data")
    run.received = [Received(7, pcm[: len(pcm) // 2])]
    assert run.only("wrong_data")


def test_told_as_done_and_not_done_is_wrong(run: Scene) -> None:
    run.ledger.write_text("begin\t9\t7\n")
    assert run.only("wrong_data")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_some_cases_of_the_commits_seed() -> None:
    seed = commit_seed()
    names = [f"c/op-{1 + seed % 70}/torn", f"c/sync-{1 + seed % 90}/kill"]
    print(f"seed {seed}: {', '.join(names)}")
    found = list(Whole(strace()).run(names, workers=1))
    assert [verdict for verdict in found if not verdict.good] == []
    assert sorted(verdict.case for verdict in found) == sorted(names)
