"""Notes: one line each, durable, exactly once, whatever happens in between."""

import asyncio
import errno
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import durable
from lapel_companion.agents.base import Context, Job, Request, Result
from lapel_companion.agents.note import NoteAgent
from lapel_companion.agents.reminder import ReminderAgent
from lapel_companion.config import Phrase
from lapel_companion.dispatcher import Refused

PHRASE = Phrase(say="make a note {text}", agent="note", harmless=True)
SAID = time.mktime((2026, 3, 4, 17, 5, 30, 0, 0, -1))
LINE = "- [2026-03-04 17:05] buy milk"


class Crash(Exception):
    """Stands for the process being gone."""


class Notebook:
    def __init__(self) -> None:
        self.attempts: list[Mapping[str, Any]] = []
        self.cancelled = asyncio.Event()
        self.crash = False

    async def attempt(self, body: Mapping[str, Any]) -> None:
        self.attempts.append(body)
        if self.crash:
            raise Crash


def make(file: Path, notebook: Notebook, text: str = "buy milk", job_id: str = "d1.1") -> Result:
    agent = NoteAgent(file)
    plan = agent.plan(PHRASE, Request("heard", {"text": text}, SAID, SAID + 5))
    job = Job(job_id, "d1", "heard", plan, tuple(notebook.attempts))
    return asyncio.run(agent.run(job, Context(notebook.attempt, notebook.cancelled, time.time)))


def test_a_note(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "er" / "notes.md"
    assert make(file, Notebook()).text == "noted"
    assert file.read_text() == LINE + "\n"
    assert make(file, Notebook(), "and bread").state == "done"
    assert file.read_text() == f"{LINE}\n- [2026-03-04 17:05] and bread\n"


def test_the_same_note_twice_is_two_notes(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    make(file, Notebook())
    make(file, Notebook())
    assert file.read_text() == f"{LINE}\n" * 2


def test_what_is_there_stays_and_a_missing_line_end_is_added(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_bytes(b"# mine\r\n\xff no line end")
    make(file, Notebook())
    assert file.read_bytes() == b"# mine\r\n\xff no line end\n" + LINE.encode() + b"\n"


@pytest.mark.parametrize("before", ["", "mine\n", "no end", LINE + "\n"])
@pytest.mark.parametrize("written", [0, 1, 5, len(LINE), len(LINE) + 1])
def test_a_crash_at_any_byte_of_it(tmp_path: Path, before: str, written: int) -> None:
    file = tmp_path / "notes.md"
    file.write_text(before)
    notebook = Notebook()
    notebook.crash = True
    with pytest.raises(Crash):
        make(file, notebook)
    whole = before + ("\n" if before and not before.endswith("\n") else "") + LINE + "\n"
    start = len(whole) - len(LINE) - 1
    file.write_text(whole[: start + written] if written else before)
    notebook.crash = False
    # Twice, as a crash right before the result is written down would have it.
    for _ in range(2):
        assert make(file, notebook).state == "done"
        # Only a missing line end may be missing: the next note adds it.
        assert file.read_text().removesuffix("\n") == whole.removesuffix("\n")
    make(file, Notebook(), "more")
    assert file.read_text() == f"{whole}- [2026-03-04 17:05] more\n"


def test_the_owner_edits_between_crash_and_start(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("one\ntwo\n")
    notebook = Notebook()
    make(file, notebook)
    file.write_text(f"two\n{LINE}\nthree, mine")
    make(file, notebook)
    assert file.read_text() == f"two\n{LINE}\nthree, mine"
    fresh = Notebook()
    fresh.crash = True
    with pytest.raises(Crash):
        make(file, fresh)
    file.write_text("all else is gone")
    fresh.crash = False
    make(file, fresh)
    assert file.read_text() == f"all else is gone\n{LINE}\n"


def test_it_is_synced_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(durable, "sync_file", lambda handle, what: synced.append("file"))
    monkeypatch.setattr(durable, "sync_dir", lambda folder, what: synced.append(folder.name))
    make(tmp_path / "new" / "notes.md", Notebook())
    assert synced == ["file", "new", tmp_path.name]


def test_a_full_disk_leaves_no_half_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "notes.md"
    file.write_text("mine\n")

    def full(handle: int, data: bytes) -> None:
        os.write(handle, data[:7])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable, "write_all", full)
    found = make(file, Notebook())
    assert (found.state, found.text) == ("failed", f"not noted, no space left on device: {file}")
    assert file.read_text() == "mine\n"


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "it is no ordinary file" in make(tmp_path, Notebook()).text
    os.mkfifo(tmp_path / "pipe")
    assert "it is no ordinary file" in make(tmp_path / "pipe", Notebook()).text
    (tmp_path / "blocked").write_text("")
    assert make(tmp_path / "blocked" / "notes.md", Notebook()).state == "failed"


def test_cancelled_before_it_is_written(tmp_path: Path) -> None:
    notebook = Notebook()
    notebook.cancelled.set()
    assert make(tmp_path / "notes.md", notebook).state == "cancelled"
    assert not (tmp_path / "notes.md").exists()


@pytest.mark.parametrize("text", ["", "a\x1b[2J", "x" * 501])
def test_words_that_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused):
        make(tmp_path / "notes.md", Notebook(), text)


def test_lines_cannot_be_forged(tmp_path: Path) -> None:
    make(tmp_path / "notes.md", Notebook(), "one\n- [2020-01-01 00:00] two")
    assert (tmp_path / "notes.md").read_text().count("\n") == 1


REMIND = Phrase(say="remind me in {when} to {text}", agent="reminder", harmless=True)


def remind(when: str, said: float | None, now: float, clock: list[float], cancelled: bool = False) -> Result:
    agent = ReminderAgent()
    plan = agent.plan(REMIND, Request("heard", {"when": when, "text": "call mum"}, said, now))
    notebook = Notebook()
    if cancelled:
        notebook.cancelled.set()
    context = Context(
        notebook.attempt, notebook.cancelled, lambda: clock.pop(0) if len(clock) > 1 else clock[0]
    )
    return asyncio.run(agent.run(Job("d1.1", "d1", "heard", plan), context))


def test_a_reminder_counts_from_the_press() -> None:
    plan = ReminderAgent().plan(REMIND, Request("h", {"when": "ten minutes", "text": "x"}, 1000.0, 1300.0))
    assert plan["due_unix_s"] == 1600.0
    assert str(plan["promise"]).startswith("you will be reminded at ")


def test_a_reminder_that_is_due() -> None:
    found = remind("ten minutes", 1000.0, 1600.0, [1600.5])
    assert (found.state, found.kind, found.text, found.detail) == ("done", "reminder", "now", "call mum")


def test_a_reminder_past_due_says_so() -> None:
    found = remind("ten minutes", SAID, SAID + 3600, [SAID + 3600])
    assert found.text == "was due at 2026-03-04 17:15"
    assert found.facts["late_s"] == 3000


def test_the_wall_clock_counts_even_when_it_jumps() -> None:
    # The computer slept: after one short wait, an hour has passed.
    found = remind("one minute", 1000.0, 1000.0, [1059.99, 4600.0])
    assert found.state == "done"
    assert found.text.startswith("was due at ")


def test_a_reminder_is_cancelled() -> None:
    assert remind("an hour", 1000.0, 1000.0, [1000.0], cancelled=True).state == "cancelled"


def test_reminders_that_are_refused() -> None:
    with pytest.raises(Refused, match='"a while" is no time'):
        remind("a while", 1000.0, 1000.0, [1000.0])
    with pytest.raises(Refused, match="nobody knows when it was said"):
        remind("ten minutes", None, 1000.0, [1000.0])
