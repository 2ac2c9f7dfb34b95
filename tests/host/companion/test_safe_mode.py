"""A pin that advertises its safe mode: told once, everywhere, and over when a pin proves itself again."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest

from lapel_companion import channels, doctor, timeline
from lapel_companion.cli import show
from lapel_companion.link import safe_mode
from lapel_companion.link.safe_mode import SafeModeWatch
from lapel_wire import gatt, rescue
from simulator.air import Air, Pace
from tests.host.companion.companion_bumble import RadioPin
from tests.host.companion.companion_fakes import FakeClient, Faults, Rig, poll, run
from tests.host.companion.companion_keeper import linked_up
from tests.host.companion.companion_pin import Pin

CAUSE = "OSError: no radio"


def test_no_session_is_tried_with_it(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path)
        await rig.start()
        for version in (gatt.PROTOCOL_VERSION, 99):
            info = bytes((version,)) + rescue.safe_info(CAUSE)[1:]
            client = FakeClient(Pin(), Faults(), info=info)
            # It has nothing but `info`.
            found = client.services.get_characteristic
            client.services.get_characteristic = lambda uuid, found=found: (
                found(uuid) if uuid == gatt.INFO_UUID else None
            )
            assert await rig.connect(client) == CAUSE
            assert client.writes == 0
        await rig.stop()

    run(test)


def test_it_is_found_told_once_and_over_when_the_pin_is_back(tmp_path: Path) -> None:
    async def test() -> None:
        air, pin = Air(Pace(), 1), Pin()
        pin.record(1, b"\x11" * 400)
        broken = RadioPin(air, pin, 1, info=rescue.safe_info(CAUSE))
        async with linked_up(tmp_path, air, broken) as (rig, keeper, _):
            await poll(lambda: rig.log.last("safe_mode") is not None)
            await poll(lambda: broken.connections == 2)
            assert keeper.state != "linked" and keeper.strangers == 0
            # The app is back: another boot, another address.
            whole = RadioPin(air, pin, 2)
            await broken.stop()
            await whole.start()
            await poll(lambda: bool(pin.accepted))
            told = rig.log.read(kinds=["safe_mode"])
            assert [event.body for event in told] == [{"cause": CAUSE}]
            await whole.stop()

    run(test)


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_until_when_it_holds(tmp_path: Path) -> None:
    async def test() -> None:
        rig, clock = Rig(tmp_path), Clock()
        watch = SafeModeWatch(rig.log, clock)

        def holds() -> tuple[str | None, int]:
            return watch.cause, len(rig.log.read(kinds=["safe_mode"]))

        assert holds() == (None, 0)
        watch.found("a", CAUSE)
        watch.found("a", CAUSE)
        # Another cause, or another pin, is shown and not told again: anyone can advertise.
        watch.found("b", "MemoryError")
        assert holds() == ("MemoryError", 1)
        for _ in range(10):
            clock.now_s += safe_mode.STALE_S - 1
            watch.heard("b")
            assert holds() == ("MemoryError", 1)
        watch.heard("a")
        clock.now_s += safe_mode.STALE_S + 1
        assert holds() == (None, 1)
        watch.heard("b")
        assert holds() == (None, 1)
        watch.found("b", CAUSE)
        assert holds() == (CAUSE, 2)
        watch.over()
        assert holds() == (None, 2)
        await rig.start()
        await rig.stop()

    run(test)


def test_a_strangers_words_are_cleaned_and_cut(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    watch = SafeModeWatch(rig.log)
    cause = rescue.safe_cause(b"\x01\x80\x1b[2Jcall\n\xc2\x9b31m now " + b"x" * 200)
    assert cause is not None
    watch.found("a", cause)
    assert watch.cause is not None
    assert watch.cause.isprintable() and len(watch.cause) <= 60
    rig.die()


def test_a_full_disk_does_not_end_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    rig = Rig(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(rig.log, "append", full)
    watch = SafeModeWatch(rig.log)
    watch.found("a", CAUSE)
    assert watch.cause == CAUSE
    rig.die()


def test_the_readable_channel_says_it_with_the_way_on(tmp_path: Path) -> None:
    async def test() -> None:
        rig, out = Rig(tmp_path), io.StringIO()
        reader = channels.Reader(rig.log, rig.outbox, channels.make("terminal", out))
        running = asyncio.create_task(reader.run())
        await asyncio.sleep(0)
        SafeModeWatch(rig.log).found("a", CAUSE)
        await poll(lambda: "make logs" in out.getvalue())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert out.getvalue().splitlines()[0] == f"Lapel: Safe mode: your pin is in safe mode: {CAUSE}"
        assert "make flash" in out.getvalue()
        # It is no notice: nothing of it waits for the pin.
        assert rig.outbox.pending() == []
        line = timeline.line(rig.log.read(kinds=["safe_mode"])[0])
        assert line is not None and line.endswith(f"your pin is in safe mode: {CAUSE}")
        rig.die()

    run(test)


def test_status_and_doctor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    link = {"radio": "bleak", "state": "searching", "safe_mode": CAUSE}
    shown = show._link(link, 0.0)
    assert shown.startswith(f"pin: your pin is in safe mode: {CAUSE}; ")
    assert "make flash" in shown and "make logs" in shown
    (finding,) = doctor.pin(tmp_path, {"link": link})
    assert finding.level == doctor.BAD
    assert finding.text == f"your pin is in safe mode: {CAUSE}"
    assert "make flash" in finding.type
