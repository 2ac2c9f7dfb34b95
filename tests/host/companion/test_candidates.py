"""Whose turn it is among those that advertise."""

from __future__ import annotations

from lapel_companion.link.candidates import FORGET_S, KEPT_MAX, PAUSE_S, Candidates


def test_each_has_its_turn_and_who_fails_goes_to_the_end() -> None:
    row = Candidates()
    for number, address in enumerate("abc"):
        assert row.heard(address, float(number))
    assert row.first(["b", "c", "a"]) == "a"
    row.failed("a", 3.0)
    assert not row.heard("a", 2.99 + PAUSE_S[0]) and row.heard("a", 3.0 + PAUSE_S[0])
    # Others may take new addresses all the time: who was there before them is before them.
    assert row.heard("new", 5.5)
    assert row.first(["new", "a", "b", "c"]) == "b"
    for address in "bc":
        row.failed(address, 6.0)
    assert row.first(["new", "a"]) == "a"
    row.succeeded("c")
    assert row.first(["a", "b", "new", "c"]) == "c"
    row.failed("c", 9.0)
    assert row.first(["a", "b", "new", "c"]) == "a"


def test_who_fails_is_left_alone_for_a_while_and_never_for_long() -> None:
    row, now_s = Candidates(), 0.0
    for pause_s in (*PAUSE_S, PAUSE_S[-1], PAUSE_S[-1]):
        row.heard("a", now_s)
        row.failed("a", now_s)
        assert not row.heard("a", now_s + pause_s - 0.01) and row.heard("a", now_s + pause_s)
        now_s += pause_s
    assert max(PAUSE_S) <= 5


def test_a_crowd_is_bounded_and_forgotten_when_it_has_gone() -> None:
    row = Candidates()
    assert row.heard("pin", 0.0)
    for number in range(500):
        row.heard(f"address {number}", 1.0)
    assert len(row._known) == KEPT_MAX
    assert row.first(["pin", "address 0"]) == "pin"
    assert not row.heard("another", 2.0)
    assert row.heard("another", 2.0 + FORGET_S)
    assert len(row._known) < KEPT_MAX


def test_who_was_forgotten_while_this_computer_stood_still_is_behind_all_others() -> None:
    row = Candidates()
    row.heard("a", 0.0)
    # The scan that heard both began before the pause.
    row.heard("b", FORGET_S + 1)
    assert row.first(["a", "b"]) == "b" and row.first(["a"]) == "a"
    row.failed("a", FORGET_S + 2)
