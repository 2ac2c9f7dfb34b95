"""The outbox: what the pin shall get, and when; what survives; what is counted once."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import notice_book, wording
from lapel_companion.events import EventLog
from lapel_companion.notices import KINDS, Outbox
from lapel_wire import messages

EPOCH = "0123456789abcdef"
NEXT = "fedcba9876543210"
DECODE: Callable[[bytes], Any] = messages.decode


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    made = EventLog(tmp_path / "events.db")
    yield made
    made.close()


def outbox(log: EventLog, epoch: str = EPOCH) -> Outbox:
    made = Outbox(log, epoch)
    made.load()
    return made


def record(box: Outbox, kind: str = "done", dispatch: str = "d1", text: str = "say hello: hello") -> int:
    return box.record(kind, dispatch=dispatch, text=text, principal="pin")


def seqs(notices: list[notice_book.Notice]) -> list[int]:
    return [notice.seq for notice in notices]


def test_from_recorded_to_settled(log: EventLog) -> None:
    box = outbox(log)
    assert (record(box), record(box)) == (1, 2)
    assert seqs(box.pending()) == [1, 2]
    box.stored(EPOCH, 1)
    assert seqs(box.pending()) == [2]
    assert seqs(box.unseen()) == [1, 2]
    box.seen(EPOCH, [1, 2], principal="pin")
    assert box.unseen() == []
    box.stored(EPOCH, 2)
    for seq in (1, 2):
        box.shown(seq, "terminal")
    assert box.unshown() == []
    assert (box.highest(), box.pending(), box.untold()) == (2, [], [])


def test_everything_may_come_twice(log: EventLog) -> None:
    box = outbox(log)
    record(box)
    for _ in range(3):
        box.stored(EPOCH, 1)
        box.seen(EPOCH, [1], principal="pin")
        box.shown(1, "desktop")
        box.retract(dispatch="d1", principal="person", kinds=("done",))
    for kind in ("notice_stored", "notice_seen", "notice_shown", "notice_retracted"):
        assert len(log.read(kinds=[kind])) == 1
    box.stored(EPOCH, 99)
    box.stored(NEXT, 1)
    assert len(log.read(kinds=["notice_stored"])) == 1


def test_seen_on_the_computer_is_told_to_the_pin(log: EventLog) -> None:
    box = outbox(log)
    record(box)
    box.seen(EPOCH, [1], principal="person")
    # The pin has never had it: there is nothing to tell, and it need not buzz any more.
    assert (box.untold(), box.pending()) == ([], [])
    record(box)
    box.stored(EPOCH, 2)
    box.seen(EPOCH, [2], principal="person")
    assert box.untold() == [2]
    box.seen(EPOCH, [2], principal="pin")
    assert box.untold() == []


def test_a_question_waits_for_a_reader_and_for_the_one_before_it(log: EventLog) -> None:
    box = outbox(log)
    record(box, "question", "d1")
    record(box, "question", "d2")
    record(box, "done", "d3")
    assert seqs(box.pending()) == [3]
    box.shown(1, "desktop")
    box.shown(2, "desktop")
    assert seqs(box.pending()) == [1, 3]
    box.stored(EPOCH, 1)
    assert seqs(box.pending()) == [3]
    box.retract(dispatch="d1", principal="person")
    assert seqs(box.pending()) == [2, 3]
    assert box.to_withdraw() == [(EPOCH, 1)]
    # The pin's receipt is durable: a later run does not tell it again.
    box.seen(EPOCH, [1], principal="pin")
    assert box.to_withdraw() == [] and log.last("notice_seen") is None
    again = outbox(log)
    assert again.to_withdraw() == [] and seqs(again.unseen()) == [2, 3]


def test_what_is_settled_elsewhere_is_taken_back(log: EventLog) -> None:
    box = outbox(log)
    record(box, "held", "d1")
    record(box, "done", "d1")
    record(box, "held", "d2")
    box.retract(dispatch="d1", principal="person")
    assert seqs(box.pending()) == [2, 3]
    # The pin never had it.
    assert box.to_withdraw() == []
    assert seqs(box.unshown()) == [2, 3]


def test_it_all_survives_a_restart(log: EventLog) -> None:
    box = outbox(log)
    for _ in range(4):
        record(box)
    box.stored(EPOCH, 1)
    box.seen(EPOCH, [2], principal="person")
    again = outbox(log)
    assert seqs(again.pending()) == [3, 4]
    assert seqs(again.unseen()) == [1, 3, 4]
    assert record(again) == 5


def test_a_number_is_given_once(log: EventLog) -> None:
    box = outbox(log)
    record(box)
    with pytest.raises(sqlite3.IntegrityError):
        log.append("notice", {"seq": 1, "ep": EPOCH}, principal="pin")
    with pytest.raises(ValueError, match="no kind of notice"):
        record(box, "banana")
    with pytest.raises(RuntimeError), log.transaction():
        record(box)
        raise RuntimeError
    assert record(box) == 2
    assert seqs(box.pending()) == [1, 2]


def test_a_new_epoch_numbers_the_unseen_anew(log: EventLog) -> None:
    box = outbox(log)
    for number in (1, 2, 3):
        record(box, dispatch=f"d{number}")
    box.stored(EPOCH, 1)
    box.seen(EPOCH, [1], principal="pin")
    box.stored(EPOCH, 2)
    box.shown(2, "desktop")
    box.start_epoch(NEXT)
    found = box.pending()
    assert [(notice.seq, notice.epoch, notice.dispatch, notice.shown) for notice in found] == [
        (4, NEXT, "d2", True),
        (5, NEXT, "d3", False),
    ]
    # The same, when the daemon finds at its start that the epoch is another one.
    assert seqs(outbox(log, "1111111111111111").pending()) == [6, 7]


def test_what_has_another_number_now_is_taken_off_the_pin_so_that_it_counts_once(log: EventLog) -> None:
    box = outbox(log)
    for number in (1, 2, 3):
        record(box, dispatch=f"d{number}")
    box.stored(EPOCH, 1)
    box.stored(EPOCH, 2)
    box.seen(EPOCH, [2], principal="companion")
    box.start_epoch(NEXT)
    # The third never was on its way.
    assert box.to_withdraw() == [(EPOCH, 1), (EPOCH, 2)] and box.untold() == []
    again = outbox(log, NEXT)
    assert again.to_withdraw() == box.to_withdraw() and seqs(again.pending()) == [4, 5]
    again.seen(EPOCH, [1, 2], principal="pin")
    assert again.to_withdraw() == []
    assert seqs(again.pending()) == [4, 5]


def test_a_notice_is_found_by_its_id(log: EventLog) -> None:
    box = outbox(log)
    record(box, dispatch="d7")
    found = box.find(f"{EPOCH}-1")
    assert found is not None
    assert found.body["dispatch"] == "d7"
    for other in (
        f"{NEXT}-1",
        f"{EPOCH}-2",
        f"{EPOCH}-",
        EPOCH,
        "",
        "-1",
        f"{EPOCH}-x",
        f"{EPOCH}-{'9' * 40}",
    ):
        assert box.find(other) is None


def test_years_of_them_fit_into_memory_and_start_fast(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice_book, "_MARK_EVERY", 20)
    monkeypatch.setattr(notice_book, "_LIVE_MAX", 10)
    box = outbox(log)
    with log.transaction():
        for _ in range(30):
            record(box)
    for seq in range(1, 26):
        box.stored(EPOCH, seq)
        box.shown(seq, "desktop")
        box.seen(EPOCH, [seq], principal="pin")
    assert seqs(box.pending()) == [26, 27, 28, 29, 30]
    mark = log.last("notices_mark")
    assert mark is not None
    assert mark.body["after"] > 10
    again = outbox(log)
    assert seqs(again.pending()) == [26, 27, 28, 29, 30]
    with log.transaction():
        for _ in range(20):
            record(again)
    # What the pin has not stored is never forgotten, however much there is of it.
    assert len(again.pending()) == 25


AWKWARD = [
    "x" * 500,
    "é" * 500,
    "😀" * 300,
    '"' * 300,
    "\\" * 300,
    "line\nbreak\tand\x00control\x1b[31m",
    "word " * 100,
    "",
]


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_fits_the_wire(kind: str, text: str) -> None:
    for made in (
        wording.fit(text),
        wording.outcome(text, text),
        wording.held(text, text),
        wording.fit("a" + text),
    ):
        body = {"ep": EPOCH, "s": 4_294_967_295, "k": kind, "d": "d1000000", "j": "d1000000.99", "x": made}
        assert len(made) <= 160
        assert DECODE(messages.encode(messages.NOTICE, body))[1]["x"] == made


def test_texts_begin_with_what_was_heard() -> None:
    assert (
        wording.outcome("how much disk space is left", "35G free") == "how much disk space is left: 35G free"
    )
    assert wording.held("bye milk", "no phrase of yours says that") == (
        "Heard: bye milk. No phrase of yours says that."
    )
    long = wording.outcome("word " * 60, "the result, which matters")
    assert long.startswith("word word")
    assert long.endswith(": the result, which matters")
    assert wording.held("", "its recording is not there") == "Heard nothing. Its recording is not there."
    assert "lapel release d3" in wording.how_to_release("d3", "x", known=True)


def test_seen_on_the_pin_and_on_the_computer_at_once_counts_once(log: EventLog) -> None:
    box = outbox(log)
    many = [record(box) for _ in range(8)]
    for seq in many:
        box.stored(EPOCH, seq)
    together = threading.Barrier(3)

    def see(principal: str) -> None:
        together.wait()
        box.seen(EPOCH, many, principal=principal)

    threads = [threading.Thread(target=see, args=[principal]) for principal in ("pin", "person")]
    for thread in threads:
        thread.start()
    together.wait()
    assert len(box.unseen()) in range(9)
    for thread in threads:
        thread.join()
    assert (box.unseen(), box.pending(), box.untold()) == ([], [], [])
    again = outbox(log)
    assert (again.unseen(), again.pending(), again.untold()) == ([], [], [])
