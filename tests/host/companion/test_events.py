"""The table of events: durable, ordered, one dispatch for each clip, and nobody misses one."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from lapel_companion.events import Event, EventLog, EventLogError
from lapel_companion.events_file import SCHEMA_VERSION
from tests.host.companion.companion_fakes import run


def add_dispatch(log: EventLog, clip: str | None) -> str:
    with log.transaction():
        dispatch = log.next_dispatch()
        log.append("dispatch", {"id": dispatch, "clip": clip}, principal="pin", dispatch=dispatch)
    return dispatch


def test_what_is_appended_is_read_back_after_a_restart(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.db", host="here", clock=lambda: 1234.5)
    event = log.append("note", {"text": "Grüße", "n": None}, principal="person", dispatch="d1", job="d1.1")
    log.close()
    again = EventLog(tmp_path / "e.db")
    assert again.read() == [event]
    assert event == Event(1, 1234.5, "person", "d1", "d1.1", "here", "note", {"text": "Grüße", "n": None})
    assert again.last("note") == event and again.last("other") is None and again.head() == 1
    again.close()


def test_the_table_is_as_durable_as_promised(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.db")
    assert log._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert log._writer.execute("PRAGMA synchronous").fetchone() == (2,)
    log.close()


def test_a_transaction_is_all_or_nothing_and_sees_itself(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.db")
    with log.transaction():
        log.append("a", {"id": "x"}, principal="p")
        assert log.find("a", "id", "x") is not None
        with log.transaction():
            log.append("b", {}, principal="p")
    with pytest.raises(ZeroDivisionError):
        with log.transaction():
            log.append("c", {}, principal="p")
            raise ZeroDivisionError
    assert [event.kind for event in log.read()] == ["a", "b"]
    log.append("d", {}, principal="p")
    assert log.head() == 3
    log.close()


def test_one_clip_is_one_dispatch_and_one_number_one_notice(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.db")
    assert [add_dispatch(log, clip) for clip in ("c1", None, None, "c2")] == ["d1", "d2", "d3", "d4"]
    with pytest.raises(sqlite3.IntegrityError):
        add_dispatch(log, "c1")
    assert add_dispatch(log, "c3") == "d5"
    log.append("notice", {"seq": 1}, principal="p")
    with pytest.raises(sqlite3.IntegrityError):
        log.append("notice", {"seq": 1}, principal="p")
    with pytest.raises(RuntimeError):
        log.next_dispatch()
    log.close()


def test_reading_is_filtered_and_bounded(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.db")
    for number in range(10):
        log.append(
            "even" if number % 2 == 0 else "odd", {"n": number}, principal="p", dispatch=f"d{number % 3}"
        )
    assert [e.body["n"] for e in log.read(after=4, kinds=["odd"])] == [5, 7, 9]
    assert [e.body["n"] for e in log.read(dispatch="d0", limit=2)] == [0, 3]
    assert [e.body["n"] for e in log.newest("even", 2)] == [6, 8]
    with pytest.raises(ValueError, match="no field"):
        log.find("even", "n') OR 1=1 --", 1)
    log.close()


def test_subscribers_miss_nothing_that_any_thread_appends(tmp_path: Path) -> None:
    async def test() -> None:
        log = EventLog(tmp_path / "e.db")
        log.append("n", {"n": 0}, principal="p")
        seen: list[int] = []

        async def read(after: int) -> None:
            async for event in log.subscribe(after):
                seen.append(event.seq)

        readers = [asyncio.create_task(read(after)) for after in (0, 1)]

        def write() -> None:
            for number in range(100):
                log.append("n", {"n": number}, principal="p")

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(seen) < 601:
            await asyncio.sleep(0.01)
        for thread in threads:
            thread.join()
        log.close()
        await asyncio.gather(*readers)
        assert sorted(seen) == sorted([*range(1, 302), *range(2, 302)])

    run(test)


def test_half_a_character_does_not_keep_an_event_from_being_written(tmp_path: Path) -> None:
    """JSON from elsewhere may hold one; its dispatch was tried again for ever, and never told."""
    log = EventLog(tmp_path / "events.db")
    event = log.append("transcript", {"text": "a \ud83d b", "\udc00": ["\udfff"]}, principal="x")
    assert event.body == {"text": "a ? b", "?": ["?"]} and log.read() == [event]
    whole = log.append("transcript", {"text": "a \U0001f600 b"}, principal="x")
    assert whole.body["text"] == "a \U0001f600 b"
    log.close()


def test_a_table_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database, " * 100)
    with pytest.raises(EventLogError, match="not a database"):
        EventLog(tmp_path / "broken.db")
    connection = sqlite3.connect(tmp_path / "newer.db")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(EventLogError, match="newer Lapel"):
        EventLog(tmp_path / "newer.db")
    with pytest.raises(EventLogError):
        EventLog(tmp_path / "nowhere" / "e.db")
