"""A pin that remembers more than the computer: a new history begins."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from lapel_companion import durable
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, run
from tests.host.companion.companion_pin import Pin


def test_a_state_from_a_backup_begins_a_new_history(tmp_path: Path) -> None:
    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        rig.record("done", "first")
        pin.notice_epoch, pin.notice_high = rig.state.epoch, 9
        old = rig.state.epoch
        await rig.connect(FakeClient(pin, Faults()))
        event = rig.log.last("epoch")
        assert event is not None and rig.state.epoch != old
        assert event.body == {"old": old, "new": rig.state.epoch, "why": "pin", "pin_knows": 9, "we_know": 1}
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(pin.notices) == 2)
        await rig.stop()
        # The old number belonged to the old history: the notice has a new one, and is felt. So is what happened.
        assert {body["ep"] for body in pin.notices.values()} == {rig.state.epoch}
        assert sorted(body["x"][:9] for body in pin.notices.values()) == ["The state", "first"]

    run(test)


@pytest.mark.parametrize(
    "point",
    [
        "epoch.sync.before",
        "epoch.folder.before",
        "events.commit[epoch+notice].before",
        "events.commit[notice+notice_moved].before",
    ],
)
def test_a_full_disk_only_delays_the_new_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    full = [point]

    def fail(reached: str) -> None:
        if reached in full:
            full.remove(reached)
            if reached.startswith("events."):
                raise sqlite3.OperationalError("database or disk is full")
            raise OSError(errno.ENOSPC, "No space left on device")

    async def test() -> None:
        pin, rig = Pin(), Rig(tmp_path)
        await rig.start()
        rig.record("done", "first")
        pin.notice_epoch, pin.notice_high = rig.state.epoch, 9
        monkeypatch.setattr(durable, "_observers", [fail])
        assert "cannot be written down" in await rig.connect(FakeClient(pin, Faults()))
        await rig.connect(FakeClient(pin, Faults()))
        await rig.connect(FakeClient(pin, Faults()), until=lambda: len(pin.notices) == 2)
        await rig.stop()
        assert not full
        assert {body["ep"] for body in pin.notices.values()} == {rig.state.epoch}
        assert sorted(body["x"][:9] for body in pin.notices.values()) == ["The state", "first"]

    run(test)
