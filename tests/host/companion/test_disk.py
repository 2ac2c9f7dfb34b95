"""A disk that lies, fills up, turns read-only or goes away: nothing is promised that it does not hold."""

import asyncio
import errno
import hashlib
import os
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import durable
from lapel_companion.clips import ClipFiles, ClipMeta, Partial
from lapel_companion.events import EventLog, EventLogError
from lapel_companion.state import StateFolder
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, poll, run
from tests.host.companion.companion_pin import Pin

META = ClipMeta(
    "0a0b0c0d-00112233445566aa-1", "0a0b0c0d", "00112233445566aa", 1, "ima-adpcm", 16000, "b007b007", 500, None, None
)


class Disk:
    """Syncs of files by name: what the last good one left is what is really there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fails: list[str] = []
        self.written: dict[int, set[int]] = {}
        self._sync, self._sync_dir = durable.sync_file, durable.sync_dir
        monkeypatch.setattr(durable, "sync_file", self.sync_file)
        monkeypatch.setattr(durable, "sync_dir", self.sync_dir)

    def sync_file(self, handle: int, what: str) -> None:
        self._fail(f"{what}.sync")
        self._sync(handle, what)

    def sync_dir(self, folder: Path, what: str) -> None:
        self._fail(f"{what}.folder")
        self._sync_dir(folder, what)

    def _fail(self, what: str) -> None:
        if what in self.fails:
            self.fails.remove(what)
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def partial(folder: Path) -> Partial:
    return ClipFiles(folder).begin(META)


@pytest.mark.parametrize("where", ["clip.meta.sync", "clip.meta.folder", "clip.open.sync", "clip.open.folder"])
def test_an_open_that_failed_is_done_again_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """It was taken for done when the file itself was open, and its name was never synced."""
    disk = Disk(monkeypatch)
    clip = partial(tmp_path)
    disk.fails = [where]
    with pytest.raises(OSError, match="Input/output"):
        clip.append(b"abc")
    synced: list[str] = []
    durable.watch(synced.append)
    try:
        assert clip.append(b"abc") == 3
    finally:
        durable._observers.remove(synced.append)
    wanted = ["clip.meta.sync.after", "clip.meta.folder.after", "clip.open.sync.after", "clip.open.folder.after"]
    assert [point for point in synced if point in wanted] == wanted
    assert clip.path.read_bytes() == b"abc"


def test_what_a_failed_sync_may_have_lost_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system holds the pages of a failed sync for clean: a second sync of the same pages says yes to nothing."""
    disk = Disk(monkeypatch)
    clip = partial(tmp_path)
    clip.append(b"first ")
    disk.fails = ["clip.part.sync"]
    monkeypatch.setattr(os, "ftruncate", lambda handle, size: None)
    with pytest.raises(OSError, match="Input/output"):
        clip.append(b"second")
    monkeypatch.undo()
    written: list[bytes] = []
    write_all = durable.write_all

    def noted(handle: int, data: bytes) -> None:
        written.append(bytes(data))
        write_all(handle, data)

    monkeypatch.setattr(durable, "write_all", noted)
    assert clip.append(b"second") == 12
    assert clip.path.read_bytes() == b"first second"
    assert written[-2:] == [b"first ", b"second"]
    # So does the next run, which cannot know what the last one saw.
    clip.close()
    written.clear()
    again = partial(tmp_path)
    again.open()
    assert (written, again.durable_bytes) == ([b"first second"], 12)


@pytest.mark.parametrize("what", ["clips", "events.db", "state"])
def test_a_folder_that_is_taken_away_is_not_written_to_in_the_dark(tmp_path: Path, what: str) -> None:
    """Its files can still be written and synced, and nobody would ever find them."""

    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path / "state")
        await rig.start()
        pin.record(1, bytes(9_000))
        client = FakeClient(pin, Faults(cut_after=20))
        await rig.connect(client)
        away = tmp_path / "state" if what == "state" else tmp_path / "state" / what
        away.rename(tmp_path / "away")
        await rig.connect(FakeClient(pin, Faults()), until=lambda: rig.intake.trouble is not None)
        assert 1 in pin.clips and not pin.accepted
        assert rig.intake.trouble is not None and "the pin keeps it" in rig.intake.trouble
        (tmp_path / "away").rename(away)
        await rig.connect(FakeClient(pin, Faults()), until=lambda: bool(pin.accepted))
        await rig.stop()
        assert pin.accepted == {1: "d1"}

    run(test)


def offered(rig: Rig, number: int, data: bytes) -> ClipMeta:
    """A whole clip comes in at once."""
    meta = replace(META, id=f"0a0b0c0d-00112233445566aa-{number}", number=number, press_ms=number)
    rig.intake.offer(meta)
    rig.intake.take(number, 0, memoryview(data), 0)
    sha = hashlib.sha256(data).hexdigest()
    rig.intake.end({"n": number, "bytes": len(data), "ms": 100, "sha": sha, "cut": False}, 0)
    return meta


def test_what_is_whole_at_the_goodbye_becomes_a_dispatch(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path)
        metas = [offered(rig, number, b"abc") for number in (1, 2)]
        await rig.intake.close()
        assert all(rig.log.find("clip", "id", meta.id) for meta in metas)
        await rig.stop()

    run(test)


def test_a_goodbye_waits_for_what_is_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread goes on: the same bytes were written once more beside it."""
    writing, may_end = threading.Event(), threading.Event()
    sync_file = durable.sync_file

    def slowly(handle: int, what: str) -> None:
        if what == "clip.part" and not writing.is_set():
            writing.set()
            may_end.wait(30)
        sync_file(handle, what)

    async def test() -> None:
        rig = Rig(tmp_path)
        await rig.start()
        meta = offered(rig, 1, b"abc")
        await asyncio.to_thread(writing.wait, 30)
        stopping = asyncio.create_task(rig.stop())
        await asyncio.wait((stopping,), timeout=0.2)
        assert not stopping.done()
        may_end.set()
        await stopping
        assert (tmp_path / "clips" / f"{meta.id}.part").read_bytes() == b"abc"

    monkeypatch.setattr(durable, "sync_file", slowly)
    run(test)


def test_damage_is_a_sentence_and_nothing_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    log = EventLog(path)
    for number in range(400):
        log.append("note", {"text": "x" * 100, "n": number}, principal="person")
    log.close()
    whole = path.read_bytes()
    wrong = [
        whole[:8192] + b"\xff" * 4096 + whole[12288:],
        whole[: len(whole) // 2],
        b"no database" * 1000,
        whole.replace(b'"n":200}', b'"n":200]'),
    ]
    for data in wrong:
        path.write_bytes(data)
        with pytest.raises(EventLogError, match=r"events\.db is damaged .* nothing was begun\. Put a backup"):
            EventLog(path)
        assert path.read_bytes()[:4096] == data[:4096]
    path.write_bytes(whole)
    EventLog(path).close()


def test_a_state_folder_is_found_again_after_power_was_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(durable, "sync_dir", lambda folder, what: synced.append(folder))
    StateFolder.open(tmp_path / "deep" / "state").close()
    assert {tmp_path, tmp_path / "deep", tmp_path / "deep" / "state"} <= set(synced)


def test_a_full_disk_neither_ends_the_desk_nor_sends_what_is_not_noted(tmp_path: Path, hasty: None) -> None:
    """What the pin may have is written down first: else a restored backup could not be told from this one."""

    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        rig.record("done", "first")
        append, full, tried = rig.log.append, [True], []

        def sometimes(kind: str, body: Any, **more: Any) -> Any:
            if full[0]:
                tried.append(kind)
                raise sqlite3.OperationalError("database or disk is full")
            return append(kind, body, **more)

        rig.log.append = sometimes  # type: ignore[method-assign]
        connection = asyncio.create_task(
            rig.connect(FakeClient(pin, Faults()), until=lambda: not rig.outbox.pending())
        )
        await poll(lambda: tried.count("notice_sent") > 3)
        assert not pin.notices
        full[0] = False
        await connection
        await rig.stop()
        assert pin.notices_felt == [1]

    run(test)


def test_copying_a_folder_is_no_reason_to_complain(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.db")
    log.append("note", {}, principal="person")
    log.close()
    shutil.copytree(tmp_path, tmp_path / "copy")
    copied = EventLog(tmp_path / "copy" / "events.db")
    assert copied.head() == 1
    copied.close()
