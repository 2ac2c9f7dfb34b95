"""Another version of Lapel finds work that an earlier one began: it is finished, once, or said in words."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import ledger, workflows
from lapel_companion.workflows import Version
from tests.host.jobs import workflows_v0
from tests.host.jobs.conftest import Bench
from tests.host.jobs.test_crash import wait_for_ledger, worker

PREVIOUS = Path(__file__).parent / "previous"
WAITING = (
    "make a note kept",
    "mumble",
    "wait in silence",
    "wait again",
    "remind me in three seconds to go",
    "remind me in an hour to stay",
)


EARLIER = Version(workflows_v0.NAME, workflows_v0.register)


def begun(state: Path) -> dict[str, str]:
    """The workflow under way for each dispatch, by its version."""
    with contextlib.closing(sqlite3.connect(state / "dbos.sqlite")) as database:
        rows = database.execute("SELECT workflow_uuid, name, status FROM workflow_status ORDER BY created_at")
        return {row[0].split(".")[0]: row[1] for row in rows if row[2] not in ("SUCCESS", "CANCELLED")}


def kill_with_work(tmp_path: Path, bench: Any, version: str) -> None:
    """A companion of that version is killed with a command that runs, two reminders and a question waiting."""
    with worker(tmp_path, f"version:{version}", *WAITING) as process:
        missing = {"job d1 done", "notice d2", "job d3 running", "job d4 running", "notice d5", "notice d6"}
        assert process.stdout is not None
        for line in process.stdout:
            missing.discard(line.strip())
            if not missing:
                break
        wait_for_ledger(bench, 1)


async def finished(b: Any) -> None:
    """Everything of it, once."""
    assert (await b.until("notice", "d5", kind="reminder")).body["detail"] == "go"
    assert "may have run: run it again?" in (await b.until("notice", "d3", kind="held")).body["text"]
    await b.until("job", "d4", state="done")
    assert b.ledger() == ["ran"] * 2
    assert [ledger.need(b.log, f"d{n}").status for n in range(1, 7)] == [
        "done", "held", "held", "done", "done", "running"
    ]
    assert (b.state / "notes.md").read_text().count("kept") == 1
    for dispatch in ("d1", "d2", "d3", "d4", "d6"):
        assert len(b.log.read(kinds=["notice"], dispatch=dispatch)) == 1
    assert b.kinds("d5", "notice", "kind").count("reminder") == 1
    await b.engine.release("d2", "make a note late")
    await b.until("job", "d2", state="done")
    assert (b.state / "notes.md").read_text().count("late") == 1


@pytest.mark.parametrize("both", [True, False], ids=["registered", "no longer registered"])
def test_what_an_earlier_version_began(
    tmp_path: Path, bench: Any, monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    kill_with_work(tmp_path, bench, "v0")
    old = EARLIER.name
    assert {begun(tmp_path)[dispatch] for dispatch in ("d3", "d4", "d5", "d6")} == {old}
    if both:
        monkeypatch.setattr(workflows, "VERSIONS", (EARLIER, *workflows.VERSIONS))

    async def work(b: Any) -> None:
        await finished(b)
        # What waits goes on as it was begun, if that is known here; what begins, begins with the newest.
        newest = workflows.VERSIONS[-1].name
        assert begun(tmp_path)["d6"] == (old if both else newest)

    bench.run(work)
    # One whose job had just ended may still be among them.
    said = [report for report in bench.reports if "another version of Lapel began with" in report]
    assert len(said) == (0 if both else 1)
    assert both or "d3, d4, d5, d6: this one begins anew from what is written down." in said[0]


def test_back_to_an_earlier_version(tmp_path: Path, bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that is not known yet is one that is not known."""
    kill_with_work(tmp_path, bench, "v1")
    monkeypatch.setattr(workflows, "VERSIONS", (EARLIER,))
    bench.run(finished)
    assert any("d3, d4, d5, d6: this one begins anew" in report for report in bench.reports)


def restored(tmp_path: Path, name: str) -> None:
    """A database of the release before, from its text."""
    text = (PREVIOUS / f"{name}.sql").read_text().replace("{state}", str(tmp_path))
    with contextlib.closing(sqlite3.connect(tmp_path / name)) as database:
        database.executescript(text)


@pytest.mark.skipif(not PREVIOUS.exists(), reason="nothing was kept")
def test_the_state_of_the_release_before(tmp_path: Path) -> None:
    """Its tables, and a reminder, a question and a command that it had under way when it was killed."""
    for name in ("events.db", "dbos.sqlite"):
        restored(tmp_path, name)
    # What its two commands had written themselves.
    (tmp_path / "ledger").write_text("ran\nran\n")
    bench = Bench(tmp_path)

    async def work(b: Any) -> None:
        assert (await b.until("notice", "d5", kind="reminder")).body["detail"] == "go"
        assert "may have run: run it again?" in (await b.until("notice", "d3", kind="held")).body["text"]
        await b.until("job", "d4", state="done")
        assert ledger.need(b.log, "d1").status == "done"
        assert b.ledger() == ["ran"] * 3
        assert not (b.state / "notes.md").exists()
        await b.engine.release("d2", "make a note late")
        await b.until("job", "d2", state="done")

    bench.run(work)
    bench.log.close()
