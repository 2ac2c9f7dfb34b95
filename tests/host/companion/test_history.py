"""A state that was put back: the whole of it, a part of it, or the same that ran last."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import history
from lapel_companion.clips import ClipFiles
from lapel_companion.events import EventLog
from lapel_companion.notices import Outbox
from lapel_companion.state import StateFolder
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, run
from tests.host.companion.companion_pin import EPOCH, Pin

pytestmark = pytest.mark.usefixtures("hasty")


async def link(folder: Path, pin: Pin, until: Callable[[Rig], bool], record: int = 0) -> Rig:
    """A run of the companion on the folder, linked until that holds; it is stopped then."""
    rig = Rig(folder)
    await rig.start()
    for number in range(record):
        rig.record("done", f"result {number}")
    done: list[bool] = []

    def settled() -> bool:
        if until(rig):
            done.append(True)
        return bool(done)

    while not done:
        await rig.connect(FakeClient(pin, Faults()), until=settled)
    await rig.stop()
    return rig


def everything(rig: Rig) -> bool:
    return not rig.outbox.pending() and rig.desk.pin is not None


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    log = EventLog(folder / "events.db")
    found = [event.body for event in log.read(kinds=[kind])]
    log.close()
    return found


def backup(folder: Path, to: str) -> Path:
    return Path(shutil.copytree(folder, folder.with_name(to)))


def restore(saved: Path, folder: Path, *names: str) -> None:
    for name in names or [path.name for path in saved.iterdir()]:
        target = folder / name
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        (shutil.copytree if (saved / name).is_dir() else shutil.copy2)(saved / name, target)
    if "events.db" in (names or ["events.db"]):
        for journal in folder.glob("events.db-*"):
            journal.unlink()


@pytest.mark.parametrize("recorded", [0, 1, 3, 6])
def test_an_older_backup_is_noticed_whatever_it_recorded_before_the_pin_came(tmp_path: Path, recorded: int) -> None:
    """Had it only counted, three new notices would pass for the three that were lost, and never be felt."""

    async def test() -> None:
        folder, pin = tmp_path / "state", Pin()
        await link(folder, pin, everything, record=2)
        saved = backup(folder, "saved")
        await link(folder, pin, everything, record=3)
        restore(saved, folder)
        felt = len(pin.notices_felt)
        rig = await link(folder, pin, everything, record=recorded)
        (began,) = events(folder, "epoch")
        assert (began["why"], began["pin_knows"]) == ("pin", 5)
        assert pin.notices[max(pin.notices)]["ep"] == rig.state.epoch == began["new"]
        # Those recorded since, the two that nobody has seen, and the word that something was lost.
        texts = [pin.notices[seq]["x"] for seq in pin.notices_felt[felt:]]
        assert len(texts) == recorded + 3
        assert [text for text in texts if text.startswith("The state of Lapel on this computer was put back")]
        assert any("a new history begins" in report for report in rig.reports)
        assert len(rig.reports) == 1

    run(test)


def test_the_same_state_put_back_changes_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        folder, pin = tmp_path / "state", Pin()
        pin.record(1, b"abc" * 100)
        await link(folder, pin, lambda rig: everything(rig) and bool(pin.accepted), record=2)
        saved = backup(folder, "saved")
        restore(saved, folder)
        felt = list(pin.notices_felt)
        pin.record(2, b"def" * 100)
        rig = await link(folder, pin, lambda rig: everything(rig) and 2 in pin.accepted)
        assert (rig.reports, pin.notices_felt, events(folder, "epoch")) == ([], felt, [])
        assert check(folder) is None

    run(test)


def test_a_clip_that_the_pin_still_has_is_one_dispatch_that_may_have_been_done(tmp_path: Path) -> None:
    async def test() -> None:
        folder, pin = tmp_path / "state", Pin()
        await link(folder, pin, everything, record=1)
        saved = backup(folder, "saved")
        # Accepted, but the pin never heard of it; and so the lost history may have done it.
        clip_id = pin.record(1, b"abc" * 100)
        await link(folder, pin, lambda rig: everything(rig) and bool(pin.accepted), record=1)
        pin.accepted.clear()
        pin.record(1, b"abc" * 100)
        restore(saved, folder)
        rig = await link(folder, pin, lambda rig: everything(rig) and bool(pin.accepted and rig.submitted))
        assert rig.submitted == ["d1"]
        fresh = pin.record(2, b"def" * 100)
        await link(folder, pin, lambda rig: everything(rig) and 2 in pin.accepted)
        log = EventLog(folder / "events.db")
        doubtful, new = log.find("clip", "id", clip_id), log.find("clip", "id", fresh)
        assert doubtful is not None and history.may_have_been_done(log, doubtful.body)
        assert new is not None and not history.may_have_been_done(log, new.body)
        assert [event.body for event in log.read(kinds=["restored"])] == [{"ep": EPOCH, "high": 1}]
        log.close()

    run(test)


def check(folder: Path) -> str | None:
    """What a start of the daemon finds."""
    state = StateFolder.open(folder)
    log = EventLog(folder / "events.db")
    outbox = Outbox(log, state.epoch)
    try:
        return history.History(state, log, outbox).check(ClipFiles(state.clips_dir))
    finally:
        log.close()
        state.close()


def clips(folder: Path, numbers: range) -> None:
    async def test() -> None:
        pin = Pin()
        for number in numbers:
            pin.record(number, b"%03d" % number * 100)
        rig = Rig(folder)
        await rig.start()
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(pin.accepted) == len(numbers))
        while list((folder / "clips").glob("*.part")):
            rig.files.finish(next((folder / "clips").glob("*.part")).stem)
        await rig.stop()

    run(test)


def test_older_events_beside_newer_recordings_are_noticed_without_the_pin(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    clips(folder, range(1, 3))
    assert check(folder) is None
    saved = backup(folder, "saved")
    clips(folder, range(3, 5))
    restore(saved, folder, "events.db")
    sentence = check(folder)
    assert sentence is not None and "was put back or lost a part" in sentence
    dispatches = events(folder, "dispatch")
    assert [body["clip"].rpartition("-")[2] for body in dispatches] == ["1", "2", "3", "4"]
    assert [body.get("recovered") for body in events(folder, "clip")] == [None, None, True, True]
    (notice,) = events(folder, "notice")
    assert "Recordings found without a record are held as d3 to d4" in notice["detail"]
    # Once is enough.
    assert check(folder) is None


@pytest.mark.parametrize("damage", ["gone", "empty"])
def test_events_that_are_gone_are_not_forgotten_in_silence(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ASKED_MAX", 2)
    folder = tmp_path / "state"
    clips(folder, range(1, 4))
    (folder / "events.db").unlink() if damage == "gone" else (folder / "events.db").write_bytes(b"")
    assert check(folder) is not None
    assert len(events(folder, "dispatch")) == 2
    assert "1 more are left in the folder clips" in events(folder, "notice")[0]["detail"]
    assert check(folder) is None


def test_an_empty_table_beside_the_engines_is_no_first_start(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert check(folder) is None
    assert check(folder) is None
    (folder / "dbos.sqlite").write_bytes(b"")
    assert check(folder) is not None


def test_an_epoch_that_is_not_that_of_the_events(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    state = StateFolder.open(folder)
    log = EventLog(folder / "events.db")
    box = Outbox(log, state.epoch)
    box.record("done", dispatch="d1", text="first", principal="pin")
    log.close()
    state.close()
    assert check(folder) is None
    (folder / "epoch").unlink()
    assert check(folder) is not None
    assert check(folder) is None
    # What nobody has seen goes on under a new number.
    assert [body["text"] for body in events(folder, "notice")].count("first") == 2
