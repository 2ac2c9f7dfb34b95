"""Where results can be read: at the moment they are recorded, and never in the daemon's way."""

import asyncio
import io
import os
import pty
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import channels, config
from lapel_companion.channels import Desktop, Reader, Terminal
from lapel_companion.events import EventLog
from lapel_companion.notices import Outbox

EPOCH = "0123456789abcdef"


class Screen:
    """A channel that keeps what it shows, or has a trouble."""

    def __init__(self, name: str = "screen", outside: bool = False) -> None:
        self.name = name
        self.outside = outside
        self.trouble: str | None = None
        self.shown: list[tuple[str, str, bool]] = []

    async def show(self, title: str, text: str, *, urgent: bool) -> str | None:
        if self.trouble is None:
            self.shown.append((title, text, urgent))
        return self.trouble


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    made = EventLog(tmp_path / "events.db")
    yield made
    made.close()


def follow(log: EventLog, reader: Reader, work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        task = asyncio.create_task(reader.run())
        try:
            async with asyncio.timeout(10):
                await work()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


async def until(log: EventLog, kind: str, many: int) -> None:
    async for _ in log.subscribe(0):
        if len(log.read(kinds=[kind])) >= many:
            return


def test_each_notice_is_shown_once_with_its_detail(log: EventLog) -> None:
    box, screen = Outbox(log, EPOCH), Screen()
    box.record("done", dispatch="d1", text="say hello: hello", detail="more", principal="pin")

    async def work() -> None:
        await until(log, "notice_shown", 1)
        box.record("reminder", dispatch="d2", text="remind me: now", principal="pin")
        await until(log, "notice_shown", 2)

    follow(log, Reader(log, box, [screen]), work)
    assert screen.shown == [
        ("Lapel: Done", "say hello: hello\nmore", False),
        ("Lapel: Reminder", "remind me: now", True),
    ]
    assert log.read(kinds=["notice_shown"])[0].body == {"seq": 1, "channel": "screen"}

    async def nothing() -> None:
        box.record("done", dispatch="d3", text="third", principal="pin")
        await until(log, "notice_shown", 3)

    follow(log, Reader(log, box, [screen]), nothing)
    assert [text for _, text, _ in screen.shown][2:] == ["third"]


def test_a_trouble_falls_through_with_one_sentence(log: EventLog) -> None:
    box, desktop, terminal = Outbox(log, EPOCH), Screen("desktop"), Screen("terminal")
    desktop.trouble = "there is no desktop session"
    said: list[str] = []

    async def work() -> None:
        for number in range(1, 4):
            box.record("done", dispatch="d1", text=f"number {number}", principal="pin")
            await until(log, "notice_shown", number)

    follow(log, Reader(log, box, [desktop, terminal], said.append), work)
    assert said == ["there is no desktop session; notices are shown by the terminal instead"]
    assert [text for _, text, _ in terminal.shown] == ["number 1", "number 2", "number 3"]
    assert {event.body["channel"] for event in log.read(kinds=["notice_shown"])} == {"terminal"}


def test_what_no_channel_took_stays_unshown(log: EventLog) -> None:
    box, screen = Outbox(log, EPOCH), Screen()
    screen.trouble = "the terminal does not take notices: gone"
    said: list[str] = []
    box.record("question", dispatch="d1", text="which one?", principal="pin")

    async def work() -> None:
        while not said:
            await asyncio.sleep(0.01)

    follow(log, Reader(log, box, [screen], said.append), work)
    assert said == ["the terminal does not take notices: gone"]
    # So the question is not signalled on the pin either.
    assert box.pending() == []
    assert len(box.unshown()) == 1


def test_a_long_absence_is_summed_up(log: EventLog) -> None:
    box, screen = Outbox(log, EPOCH), Screen()
    with log.transaction():
        for number in range(50):
            box.record("done", dispatch="d1", text=f"number {number}", principal="pin")

    async def work() -> None:
        await until(log, "notice_shown", 50)

    follow(log, Reader(log, box, [screen]), work)
    assert len(screen.shown) == 21
    assert "30 older notices" in screen.shown[0][0]
    assert screen.shown[-1][1] == "number 49"


def test_the_terminal() -> None:
    stream = io.StringIO()
    assert asyncio.run(Terminal(stream).show("Lapel: Done", "one\ntwo", urgent=False)) is None
    assert stream.getvalue() == "Lapel: Done: one\n    two\n"
    stream.close()
    trouble = asyncio.run(Terminal(stream).show("t", "x", urgent=False))
    assert trouble is not None
    assert trouble.startswith("the terminal does not take notices")


def test_the_choices() -> None:
    assert [channel.name for channel in channels.make("auto")] == ["desktop", "terminal"]
    assert [channel.name for channel in channels.make("desktop")] == ["desktop", "terminal"]
    assert [channel.name for channel in channels.make("terminal")] == ["terminal"]


def test_a_question_is_asked_when_a_channel_is_back(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_AGAIN_S", 0.02)
    box, screen = Outbox(log, EPOCH), Screen()
    screen.trouble = "the terminal does not take notices: gone"
    said: list[str] = []
    box.record("question", dispatch="d1", text="which one?", principal="pin")

    async def work() -> None:
        while not said:
            await asyncio.sleep(0.01)
        screen.trouble = None
        await until(log, "notice_shown", 1)

    follow(log, Reader(log, box, [screen], said.append), work)
    assert [text for _, text, _ in screen.shown] == ["which one?"]
    assert [notice.seq for notice in box.pending()] == [1]


def test_a_full_disk_does_not_end_the_reader_and_nothing_is_shown_twice(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "_AGAIN_S", 0.02)
    box, screen = Outbox(log, EPOCH), Screen()
    box.record("done", dispatch="d1", text="first", principal="pin")
    append, full = log.append, [3]

    def sometimes(kind: str, body: Any, **more: Any) -> Any:
        if kind == "notice_shown" and full[0]:
            full[0] -= 1
            raise sqlite3.OperationalError("database or disk is full")
        return append(kind, body, **more)

    monkeypatch.setattr(log, "append", sometimes)

    async def work() -> None:
        await until(log, "notice_shown", 1)

    follow(log, Reader(log, box, [screen]), work)
    assert [text for _, text, _ in screen.shown] == ["first"]


@pytest.mark.parametrize(
    ("texts", "outside", "whole"),
    [
        ("here", False, True),
        ("here", True, False),
        ("everywhere", False, True),
        ("everywhere", True, True),
        ("nowhere", False, False),
        ("nowhere", True, False),
    ],
)
def test_what_leaves_this_computer_is_a_title_unless_its_owner_wants_more(
    log: EventLog, texts: str, outside: bool, whole: bool
) -> None:
    box, screen = Outbox(log, EPOCH), Screen(outside=outside)
    box.record("failed", dispatch="d1", text="call the clinic: canary", detail="canary", principal="pin")
    box.record("question", dispatch="d2", text="canary?", principal="pin")

    async def work() -> None:
        await until(log, "notice_shown", 2)

    follow(log, Reader(log, box, [screen], texts=texts), work)
    assert [title for title, _, _ in screen.shown[:2]] == ["Lapel: Failed", "Lapel: Question"]
    assert ("canary" in repr(screen.shown)) is whole
    if not whole:
        assert {text for _, text, _ in screen.shown} == {channels.HOW_TO_READ}


def test_the_choice_is_the_configurations() -> None:
    assert config.parse("", Path("c")).texts == "here"
    assert config.parse('[notices]\ntexts = "nowhere"\n', Path("c")).texts == "nowhere"
    with pytest.raises(config.ConfigError, match="choose one of here, everywhere, nowhere"):
        config.parse('[notices]\ntexts = "title"\n', Path("c"))


def test_each_channel_says_where_it_is(log: EventLog) -> None:
    """Not by a default that a new one forgets: it is refused before it shows anything."""

    class Forgetful:
        name = "forgetful"

        async def show(self, title: str, text: str, *, urgent: bool) -> str | None:
            raise AssertionError("it was shown something")

    with pytest.raises(AttributeError, match="outside"):
        Reader(log, Outbox(log, EPOCH), [Forgetful()])  # type: ignore[list-item]
    assert "outside" not in vars(channels.Channel) or isinstance(vars(channels.Channel)["outside"], property)
    assert not Desktop().outside


def test_a_terminal_that_nobody_looks_at_is_a_log() -> None:
    assert Terminal(io.StringIO()).outside
    main, side = pty.openpty()
    with os.fdopen(main, "rb"), os.fdopen(side, "w") as stream:
        terminal = Terminal(stream)
        assert not terminal.outside
    assert terminal.outside
