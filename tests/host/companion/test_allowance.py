"""What of a pin is written down in a day is bounded, counted and told, and comes back with time."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import allowance
from lapel_companion.allowance import Allowance
from lapel_companion.link.reading import NoPin
from lapel_wire import messages
from tests.host.companion.companion_fakes import Rig, run
from tests.host.companion.companion_pin import BOOT, DEVICE, EPOCH

DAY_S = 86_400.0


def test_it_is_full_at_first_and_fills_up_again_evenly() -> None:
    now, told = [0.0], list[str]()
    one = Allowance(told.append, a_day={"cups": 4}, now=lambda: now[0])
    assert [one.take("cups") for _ in range(5)] == [True] * 4 + [False]
    assert len(told) == 1 and "4 cups in a day" in told[0] and one.refused == {"cups": 1}
    now[0] += DAY_S / 4
    assert [one.take("cups") for _ in range(2)] == [True, False]
    # Told once a day, however often it is asked for.
    assert len(told) == 1 and one.refused == {"cups": 2}
    now[0] += 9 * DAY_S
    assert [one.take("cups", 2) for _ in range(3)] == [True, True, False] and len(told) == 2


def test_what_could_not_be_written_is_given_back() -> None:
    one = Allowance(lambda _: None, a_day={"cups": 1}, now=lambda: 0.0)
    with pytest.raises(OSError, match="full"), one.taking("cups") as taken:
        assert taken
        raise OSError("full")
    with one.taking("cups") as taken:
        assert taken
    with one.taking("cups") as taken:
        assert not taken


def hello(**changes: Any) -> dict[str, Any]:
    said = {"v": 1, "dev": DEVICE, "ep": EPOCH, "hw": 0, "q": 0, "ne": None, "nh": 0, "boot": BOOT}
    return {**said, "ms": 1, "bat": None, "set": 0, **changes}


def test_a_day_has_so_many_recordings(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path / "s")
        desk, intake = rig.desk, rig.intake
        intake.allowance = Allowance(rig.reports.append, a_day={**allowance.A_DAY, allowance.RECORDINGS: 3})
        await rig.start()
        await desk.welcome(hello(), 247, 30)
        facts = {"ep": EPOCH, "codec": "ima-adpcm", "rate": 16000, "boot": BOOT, "ms": 500, "t": None, "re": None}
        end = {"bytes": 8, "ms": 1, "sha": hashlib.sha256(b"12345678").hexdigest(), "cut": False}
        for number in range(1, 7):
            await desk.received(messages.CLIP, {**facts, "n": number}, 0)
            await desk.received(messages.AUDIO, (number, 0, memoryview(b"12345678")), 0)
            await desk.received(messages.END, {"n": number, **end}, 0)
        while len(rig.submitted) < 3:
            await asyncio.sleep(0.005)
        assert len(rig.log.read(kinds=["clip"])) == 3 and not intake.coming()
        # What is not taken is not answered: the pin keeps it.
        asked = [wish for wish in iter(desk.wishes.take, None) if wish[1].get("n") in (4, 5, 6)]
        assert not asked and intake.allowance.refused == {allowance.RECORDINGS: 3}
        assert sum("3 recordings in a day" in one for one in rig.reports) == 1
        await rig.stop()

    run(test)


def test_a_pin_that_knows_another_history_again_and_again_is_not_believed(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path / "s")
        few = Allowance(rig.reports.append, a_day={**allowance.A_DAY, allowance.HISTORIES: 2})
        rig.desk._allowance = few
        await rig.start()
        for _ in range(5):
            with pytest.raises(Exception, match="history"):
                await rig.desk.welcome(hello(ne=rig.state.epoch, nh=7), 247, 30)
            await rig.desk.left("it was refused")
        assert len(rig.log.read(kinds=["epoch"])) == 2 and few.refused == {allowance.HISTORIES: 3}
        # An honest one is linked all the same.
        await rig.desk.welcome(hello(), 247, 30)
        await rig.stop()

    run(test)


def test_what_a_pin_says_of_itself_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path / "s")
        desk = rig.desk
        await rig.start()
        await desk.welcome(hello(), 247, 30)
        facts = {"ep": EPOCH, "n": 1, "rate": 16000, "boot": BOOT, "ms": 500, "t": (1 << 53) - 1, "re": None}
        await desk.received(messages.CLIP, {**facts, "codec": "\x1b[2Jmp3"}, 0)
        await desk.received(messages.SETTINGS_OK, {"id": desk._settings_id, "err": "\x9b2Jno\x07"}, 0)
        assert rig.reports and all(sentence.isprintable() for sentence in rig.reports), rig.reports
        settings = rig.log.last("settings")
        assert settings is not None and settings.body["error"].isprintable()
        # A press in the year 287396 is one of which nobody knows the time.
        assert desk._meta({**facts, "codec": "ima-adpcm"}).press_unix_ms is None
        reading = asyncio.create_task(desk.read("flight"))
        await asyncio.sleep(0)
        await desk.received(messages.DATA, {"w": "flight", "off": 0, "n": 2, "b": "no hex"}, 0)
        with pytest.raises(NoPin, match="no record"):
            await reading
        await rig.stop()

    run(test)


def test_a_notice_that_was_never_sent_is_neither_stored_nor_seen(tmp_path: Path) -> None:
    async def test() -> None:
        rig = Rig(tmp_path / "s")
        await rig.start()
        seq = rig.record("done", "how much: 77G")
        rig.record("question", "again?")
        epoch = rig.outbox.epoch
        # Not told yet: the pin cannot have it.
        await rig.desk._teller.stored(epoch, seq)
        await rig.desk._teller.seen({"ep": epoch, "s": [seq], "a": False})
        assert [notice.seq for notice in rig.outbox.unseen()] == [seq, seq + 1]
        await rig.desk.welcome(hello(), 247, 30)
        await rig.desk.received(messages.STORED, {"ep": epoch, "s": seq}, 0)
        await rig.desk.received(messages.SEEN, {"ep": epoch, "s": [seq], "a": False}, 0)
        assert [notice.seq for notice in rig.outbox.unseen()] == [seq + 1]
        await rig.stop()

    run(test)
