"""The command agent: what a run may do."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import processes
from lapel_companion.agents.base import Context, Job, Request, Result
from lapel_companion.agents.command import CommandAgent
from lapel_companion.agents.output import Capture, summary
from lapel_companion.config import Jobs, Phrase

LIMITS = Jobs(at_once=2, timeout_s=20.0, max_output_bytes=4096)


ASKED = Request("heard", {}, 100.0, 100.0)


class Notebook:
    """Stands for the events: keeps the attempts."""

    def __init__(self) -> None:
        self.attempts: list[Mapping[str, Any]] = []
        self.cancelled = asyncio.Event()
        self.fails: Exception | None = None

    async def attempt(self, body: Mapping[str, Any]) -> None:
        if self.fails:
            raise self.fails
        self.attempts.append(body)

    def context(self) -> Context:
        return Context(self.attempt, self.cancelled, time.time)


def run(*argv: str, notebook: Notebook | None = None, **settings: Any) -> Result:
    phrase = Phrase(say="x", agent="command", harmless=True, run=argv, **settings)
    agent = CommandAgent(LIMITS)
    job = Job("d1.1", "d1", "x", agent.plan(phrase, ASKED))

    async def main() -> Result:
        nonlocal notebook
        return await agent.run(job, (notebook or Notebook()).context())

    return asyncio.run(main())


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def test_a_run() -> None:
    found = run("printf", "one\\ntwo\\n")
    assert (found.state, found.text) == ("done", "one, two")
    assert found.log == b"one\ntwo\n"
    assert found.facts["exit"] == 0


def test_there_is_no_shell(tmp_path: Path) -> None:
    found = run("printf", "%s", f"$HOME; touch {tmp_path}/x * > {tmp_path}/y")
    assert found.text == f"$HOME; touch {tmp_path}/x * > {tmp_path}/y"
    assert list(tmp_path.iterdir()) == []


def test_failures_are_words() -> None:
    assert run("sh", "-c", "echo no luck >&2; exit 3").text == "failed, exit status 3: no luck"
    assert run("sh", "-c", "kill -9 $$").text == "failed, ended by SIGKILL"
    assert run("/nowhere/prog").text == "it could not be run: /nowhere/prog is not there"
    assert run("/etc/passwd").text == "it could not be run: /etc/passwd: permission denied"
    assert run("true", cwd=Path("/nowhere")).text == "it could not be started: /nowhere is not there"


def test_its_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAPEL_SECRET", "x")
    monkeypatch.setenv("LAPEL_ALLOWED", "y")
    found = run("env", env=("LAPEL_ALLOWED", "LAPEL_ABSENT"))
    names = {line.split("=")[0] for line in (found.log or b"").decode().splitlines()}
    assert "LAPEL_ALLOWED" in names
    assert "LAPEL_SECRET" not in names
    usual = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LAPEL_ALLOWED"}
    assert names <= usual | {processes.MARK}
    assert {"PATH", "HOME"} <= names


def test_it_has_no_input_no_other_files_and_a_session_of_its_own() -> None:
    code = (
        "import os, sys; print(repr(sys.stdin.read()));"
        "print(os.getpid() == os.getsid(0) == os.getpgid(0));"
        "print(sorted(int(f) for f in os.listdir('/dev/fd') if os.path.exists('/dev/fd/' + f)))"
    )
    lines = (run(*python(code)).log or b"").decode().splitlines()
    assert lines[0] == "''"
    assert lines[1] == "True"
    # 3 is the listing itself.
    assert set(eval(lines[2])) <= {0, 1, 2, 3}


def test_its_signals_are_as_a_program_expects() -> None:
    # Python ignores SIGPIPE for itself; a program that writes into a closed pipe must end as it always does.
    found = run("bash", "-c", "set -o pipefail; yes | head -n 1; exit ${PIPESTATUS[0]}")
    assert (found.state, found.facts["exit"]) == ("failed", 141)


def test_too_long_is_ended() -> None:
    found = run("sh", "-c", "echo begun; sleep 60", timeout_s=1.5)
    assert (found.state, found.text) == ("failed", "ended after 1.5 s, its limit")
    assert found.log == b"begun\n"


def test_one_that_does_not_listen_is_ended_with_its_children() -> None:
    notebook = Notebook()
    found = run("sh", "-c", "trap '' TERM; sleep 60 & sleep 60; sleep 60", timeout_s=0.3, notebook=notebook)
    assert found.state == "failed"
    assert processes.members(int(notebook.attempts[0]["pgid"])) == []


@pytest.mark.parametrize("where", ["", ">/dev/null 2>&1"])
def test_what_it_leaves_in_the_background_ends_with_it(where: str) -> None:
    notebook = Notebook()
    start = time.monotonic()
    found = run("sh", "-c", f"echo gone; sleep 60 {where} &", notebook=notebook)
    assert (found.state, found.text) == ("done", "gone")
    assert time.monotonic() - start < 15
    assert processes.members(int(notebook.attempts[0]["pgid"])) == []


def test_too_much_output_is_dropped_counted_and_said() -> None:
    found = run("head", "-c", "1000000", "/dev/zero", max_output_bytes=1000)
    assert found.facts["dropped_bytes"] == 999_000
    assert found.log is not None
    assert len(found.log) < 1100
    assert b"999000 bytes more were dropped" in found.log
    text = run("sh", "-c", "yes line | head -n 5000", max_output_bytes=1000).text
    assert text.startswith("line, line, line, and ")
    assert text.endswith("(more was dropped)")


def test_nothing_is_run_before_its_attempt_is_durable(tmp_path: Path) -> None:
    notebook = Notebook()
    notebook.fails = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space"):
        run("touch", str(tmp_path / "ran"), notebook=notebook)
    assert not (tmp_path / "ran").exists()


def test_an_attempt_names_its_process() -> None:
    notebook = Notebook()
    found = run("sh", "-c", "echo $$", notebook=notebook)
    (attempt,) = notebook.attempts
    assert attempt["pid"] == attempt["pgid"] == int(found.text)
    assert (attempt["job"], attempt["n"]) == ("d1.1", 1)
    assert attempt["started"]


def test_cancel_while_it_runs(tmp_path: Path) -> None:
    agent = CommandAgent(LIMITS)
    phrase = Phrase(say="x", agent="command", harmless=True, run=("sh", "-c", "echo begun; exec sleep 60"))
    job = Job("d1.1", "d1", "x", agent.plan(phrase, ASKED))

    async def main() -> Result:
        notebook = Notebook()
        task = asyncio.create_task(agent.run(job, notebook.context()))
        while not (agent.captures.get("d1.1") and agent.captures["d1.1"].out.data):
            await asyncio.sleep(0.01)
        notebook.cancelled.set()
        return await task

    found = asyncio.run(main())
    assert (found.state, found.log) == ("cancelled", b"begun\n")
    assert agent.captures == {}


def test_only_so_many_at_once(tmp_path: Path) -> None:
    agent = CommandAgent(Jobs(at_once=1, timeout_s=20, max_output_bytes=1000))
    code = f"mkdir {tmp_path}/lock && rmdir {tmp_path}/lock"
    phrase = Phrase(say="x", agent="command", harmless=True, run=("sh", "-c", code))

    async def main() -> list[Result]:
        jobs = [Job(f"d{n}.1", f"d{n}", "x", agent.plan(phrase, ASKED)) for n in range(4)]
        return await asyncio.gather(*(agent.run(job, Notebook().context()) for job in jobs))

    assert [found.state for found in asyncio.run(main())] == ["done"] * 4


DF = b"Filesystem  Size  Used Avail Use% Mounted on\n/dev/sda1   252G  217G   35G  87% /\n"

SUMMARIES = [
    (DF, "{2.4} free of {2.2}", "35G free of 252G"),
    (DF, "{3.1} free", "Filesystem  Size  Used Avail Use% Mounted on, /dev/sda1   252G  217G   35G  87% /"),
    (b"one\n", "{0.1}", "one"),
    (b"", None, "done, it printed nothing"),
    (b"\n \n", None, "done, it printed nothing"),
    (b"a\nb\nc\n", None, "a, b, c"),
    (b"a\nb\nc\nd\ne\n", None, "a, b, c, and 2 more"),
    (b"\x1b[31mred\x1b[0m\x07 alert\n", None, "red alert"),
    (b"\xff\xfe\n", None, "\ufffd\ufffd"),
]


@pytest.mark.parametrize(("printed", "template", "text"), SUMMARIES)
def test_summary(printed: bytes, template: str | None, text: str) -> None:
    capture = Capture(10_000)
    capture.out.take(printed)
    assert summary(capture, template) == text


def test_both_streams_share_the_bound() -> None:
    capture = Capture(10)
    capture.out.take(b"1234567")
    capture.err.take(b"12345")
    assert (bytes(capture.out.data), bytes(capture.err.data), capture.dropped_bytes) == (
        b"1234567",
        b"123",
        2,
    )


def test_this_process_is_found_and_others_are_not() -> None:
    me = processes.look(os.getpid())
    assert me is not None
    assert me.pgid == os.getpgid(0)
    assert any(process.pid == os.getpid() for process in processes.members(me.pgid))
    assert processes.look(2**22 + 1) is None


def test_a_group_that_only_has_the_number_is_left_alone() -> None:
    me = processes.look(os.getpid())
    assert me is not None
    for attempt in (
        {"pgid": me.pgid, "started": "other-boot/1"},
        {"pgid": me.pgid, "started": ""},
        {"pgid": 1, "started": "x/1"},
        {"pgid": 0, "started": "x/1"},
        {"pgid": None, "started": "x/1"},
        {},
    ):
        assert asyncio.run(processes.end_leftover(attempt)) is False


def test_what_a_dead_leader_left_is_ended_too(tmp_path: Path) -> None:
    leader = subprocess.Popen(
        ["sh", "-c", "sleep 60 & read line"], stdin=subprocess.PIPE, start_new_session=True
    )
    seen = processes.look(leader.pid)
    assert seen is not None
    while len(processes.members(leader.pid)) < 2:
        time.sleep(0.01)
    leader.communicate(b"go\n")
    (left,) = processes.members(leader.pid)
    other_boot = {"pgid": leader.pid, "started": "another-boot/" + seen.started.split("/")[1]}
    assert asyncio.run(processes.end_leftover(other_boot)) is False
    assert processes.look(left.pid) == left
    assert asyncio.run(processes.end_leftover({"pgid": leader.pid, "started": seen.started})) is True
    assert processes.members(leader.pid) == []
