from lapel.core.strangers import AWAY_MS, FIRST_MS, KEPT_MAX, LONGEST_MS, Strangers

A, B, C = b"aaaaaa", b"bbbbbb", b"cccccc"


def test_who_came_first_is_before_who_came_later_however_often_it_comes():
    strangers = Strangers()
    assert [strangers.turn_ms(one, now_ms) for one, now_ms in ((A, 1000), (B, 2000), (A, 3000), (C, 4000))] == [
        1000,
        2000,
        1000,
        4000,
    ]


def test_no_turn_is_kept_for_who_stays_away():
    strangers = Strangers()
    strangers.turn_ms(A, 0)
    strangers.turn_ms(B, 0)
    assert strangers.turn_ms(A, AWAY_MS - 1) == 0
    assert strangers.turn_ms(B, AWAY_MS) == AWAY_MS
    assert strangers.turn_ms(A, 2 * AWAY_MS - 2) == 0
    # Nor is it a way around the wait.
    strangers.failed(C, 5 * AWAY_MS)
    assert strangers.turn_ms(C, 6 * AWAY_MS) == 6 * AWAY_MS
    # A longer pause than any of the companion's.
    assert AWAY_MS > 5000 + 4000


def test_who_failed_waits_and_comes_behind_those_that_did_not():
    strangers = Strangers()
    strangers.turn_ms(A, 0)
    strangers.turn_ms(B, 500)
    strangers.failed(A, 1000)
    assert strangers.turn_ms(A, 1100) == 1000 + FIRST_MS > strangers.turn_ms(B, 1200) == 500


def test_the_wait_grows_to_a_bound_within_which_an_owner_is_in():
    strangers, waits = Strangers(), []
    for _ in range(6):
        strangers.failed(A, 10_000)
        waits.append(strangers.turn_ms(A, 10_000) - 10_000)
    assert waits == [2000, 4000, 6000, 6000, 6000, 6000]
    # With the three seconds of a link, and once more: 15 s.
    assert LONGEST_MS + 3000 + 3000 < 15_000


def test_who_proved_the_key_is_before_everybody_and_never_waits():
    strangers = Strangers()
    strangers.turn_ms(B, 0)
    strangers.failed(A, 0)
    strangers.proved(A)
    for _ in range(5):
        assert strangers.turn_ms(A, 100) < strangers.turn_ms(B, 100)
        strangers.failed(A, 0)
    # One pin, one companion: the next one takes its place.
    strangers.proved(B)
    strangers.failed(A, 200)
    assert strangers.turn_ms(A, 200) == 200 + FIRST_MS and strangers.turn_ms(B, 200) < 0


def test_the_table_is_bounded_and_forgets_who_was_not_here_for_longest():
    strangers = Strangers()
    strangers.turn_ms(A, 0)
    strangers.turn_ms(B, 1)
    for i in range(KEPT_MAX - 2):
        strangers.turn_ms(bytes((i,)) * 6, 10 + i)
    # It is here again; B is not.
    assert strangers.turn_ms(A, 1000) == 0
    strangers.turn_ms(C, 1001)
    assert len(strangers._known) == KEPT_MAX
    assert strangers.turn_ms(A, 1002) == 0
    assert strangers.turn_ms(B, 1003) == 1003
    assert len(strangers._known) == KEPT_MAX
