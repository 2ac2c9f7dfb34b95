"""What goes when it is old or too much, and what never does."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import doctor, retention
from lapel_companion.config import Keep
from lapel_companion.events import EventLog
from lapel_companion.retention import Retention

DAY_S = 86_400.0


class Folder:
    """A state with recordings and logs of any age. `sizes` are bytes of one recording."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("clips", "blobs/ab"):
            (path / name).mkdir(parents=True)
        self.log = EventLog(path / "events.db")

    def file(self, name: str, days: float, size: int = 1000) -> Path:
        file = self.path / name
        file.write_bytes(bytes(size))
        os.utime(file, (time.time() - days * DAY_S,) * 2)
        return file

    def clip(self, number: int, days: float, outcome: str | None = "unheard", job: str | None = None) -> str:
        clip_id = f"0a0b0c0d-00112233445566aa-{number}"
        for suffix in ("adpcm", "wav", "meta.json", "1.conflict"):
            self.file(f"clips/{clip_id}.{suffix}", days)
        dispatch = f"d{number}"
        facts: dict[str, Any] = {"principal": "pin", "dispatch": dispatch}
        self.log.append("clip", {"id": clip_id}, **facts)
        self.log.append("dispatch", {"id": dispatch, "clip": clip_id, "source": "pin"}, **facts)
        if outcome:
            self.log.append("outcome", {"outcome": outcome, "heard": "", "round": 1}, **facts)
        for state in ("queued", job) if job else ():
            body = {"id": f"{dispatch}.1", "agent": "command", "state": state}
            self.log.append("job", body, job=f"{dispatch}.1", **facts)
        return clip_id

    def left(self) -> set[str]:
        files = [path for path in self.path.rglob("*") if path.is_file() and not path.name.startswith("events.db")]
        return {path.name.partition(".")[0] if path.parent.name == "clips" else path.name for path in files}

    def sweep(self, days: float = 30, mb: float = 1000, **more: Any) -> int:
        return Retention(self.path, self.log, Keep(days, mb), **more).sweep()  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    yield made
    made.log.close()


def test_what_is_old_goes_and_its_events_stay(folder: Folder) -> None:
    old, fresh = folder.clip(1, 31), folder.clip(2, 29)
    folder.file("blobs/ab/ab00.log", 31)
    folder.file("blobs/ab/ab01.log", 29)
    events = folder.log.head()
    assert folder.sweep() == 5000
    assert folder.left() == {fresh, "ab01.log"}
    assert folder.log.head() == events and folder.log.find("clip", "id", old) is not None
    assert folder.sweep() == 0


def test_what_waits_stays_however_old_and_however_much(folder: Folder) -> None:
    waiting = {
        folder.clip(1, 400, outcome=None),
        folder.clip(2, 400, outcome="held"),
        folder.clip(3, 400, outcome="jobs", job="running"),
    }
    folder.clip(4, 400, outcome="jobs", job="done")
    coming = "0a0b0c0d-00112233445566aa-9"
    folder.file(f"clips/{coming}.part", 400)
    assert folder.sweep(days=1, mb=0, coming=lambda: {coming}) == 4000
    assert folder.left() == waiting | {coming}
    # The pin that began it was erased since.
    assert folder.sweep() == 1000


def test_what_is_too_much_goes_oldest_first(folder: Folder) -> None:
    folder.clip(1, 3)
    folder.file("blobs/ab/ab00.log", 2.5)
    kept = {folder.clip(2, 2), folder.clip(3, 0.5)}
    assert folder.sweep(mb=0.0081) == 5000
    assert folder.left() == kept


def test_a_log_that_is_just_being_written_stays(folder: Folder) -> None:
    folder.file("blobs/ab/ab00.log", 0.01)
    assert folder.sweep(mb=0) == 0


def test_what_a_crash_left_goes(folder: Folder) -> None:
    for name in (".epoch.0123.tmp", "clips/.x.wav.0123.tmp", "blobs/ab/.ab02.0123.tmp"):
        folder.file(name, 2)
    folder.file("clips/.y.wav.0123.tmp", 0.1)
    folder.file("dbos.sqlite.damaged-1", 40)
    folder.sweep()
    assert folder.left() == {""}


def test_sizes_are_said(folder: Folder) -> None:
    folder.clip(1, 1)
    folder.file("blobs/ab/ab00.log", 1, 2_500_000)
    found = retention.sizes(folder.path)
    assert (found["recordings"], found["logs"]) == (4000, 2_500_000)
    assert found["events"] > 0
    assert "logs 2.5 MB" in doctor.state_folder(folder.path).text
