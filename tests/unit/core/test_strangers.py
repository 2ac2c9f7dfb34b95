import random

from lapel.core.strangers import FIRST_MS, KEPT_MAX, LONGEST_MS, PATIENCE_MS, PRESSED_MS, Strangers

A, B = b"aaaaaa", b"bbbbbb"


def wait_ms(strangers, address, now_ms=0):
    waited = 0
    while strangers.must_wait(address, now_ms + waited):
        waited += 100
    return waited


def test_who_failed_waits_and_others_do_not():
    strangers = Strangers()
    assert not strangers.must_wait(A, 0)
    strangers.failed(A, 1000)
    assert strangers.must_wait(A, 1000) and not strangers.must_wait(B, 1000)
    assert not strangers.must_wait(A, 1000 + FIRST_MS)


def test_the_wait_grows_to_a_bound_within_which_an_owner_is_in():
    strangers, waits = Strangers(), []
    for _ in range(6):
        strangers.failed(A, 0)
        waits.append(wait_ms(strangers, A))
    assert waits == [2000, 4000, 6000, 6000, 6000, 6000]
    # With the three seconds of a link, and once more: 15 s.
    assert LONGEST_MS + 3000 + 3000 < 15_000


def test_who_proved_the_key_never_waits():
    strangers = Strangers()
    strangers.failed(A, 0)
    strangers.proved(A)
    assert not strangers.must_wait(A, 0)
    for _ in range(5):
        strangers.failed(A, 0)
    assert not strangers.must_wait(A, 0)
    # One pin, one companion: the next one takes its place.
    strangers.proved(B)
    strangers.failed(A, 0)
    assert strangers.must_wait(A, 0)


def test_the_table_is_bounded_and_forgets_who_failed_longest_ago():
    strangers = Strangers()
    strangers.failed(A, 0)
    for i in range(KEPT_MAX - 1):
        strangers.failed(bytes((i,)) * 6, 0)
    assert strangers.must_wait(A, 0)
    strangers.failed(B, 0)
    assert not strangers.must_wait(A, 0) and strangers.must_wait(B, 0)
    assert len(strangers._failed) == KEPT_MAX


def test_while_strangers_press_most_that_are_new_get_less_time():
    strangers = Strangers()
    assert strangers.patience_ms(A, 0) == PATIENCE_MS
    strangers.failed(B, 1000)
    random.seed(3)
    given = [strangers.patience_ms(A, 1000) for _ in range(200)]
    assert 110 < given.count(PRESSED_MS) < 190 and given.count(PATIENCE_MS) == 200 - given.count(PRESSED_MS)
    # Half a minute of peace, and it is as before.
    assert {strangers.patience_ms(A, 31_000) for _ in range(50)} == {PATIENCE_MS}


def test_who_had_not_all_the_time_may_come_again_at_once_and_gets_it():
    strangers = Strangers()
    strangers.failed(A, 1000, PRESSED_MS)
    assert not strangers.must_wait(A, 1000)
    assert {strangers.patience_ms(A, 1000) for _ in range(50)} == {PATIENCE_MS}
    # Then it counts.
    strangers.failed(A, 4000)
    assert wait_ms(strangers, A, 4000) == FIRST_MS


def test_who_proved_the_key_gets_all_the_time():
    strangers = Strangers()
    assert not strangers.seeks_owner(0)
    strangers.proved(A)
    assert strangers.seeks_owner(0)
    strangers.full(0)
    assert not strangers.seeks_owner(499) and strangers.seeks_owner(500)
    strangers.failed(B, 0)
    assert {strangers.patience_ms(A, 0) for _ in range(50)} == {PATIENCE_MS}
    assert strangers.is_owner(A) and not strangers.is_owner(B)
