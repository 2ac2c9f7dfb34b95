from lapel.core.notices import WINDOW_MS, Coalescer, Felt
from lapel.core.pattern import COUNT


def test_one_notice_is_shown_at_once_and_nothing_follows():
    coalescer = Coalescer()
    assert coalescer.deadline is None
    assert coalescer.arrived(1000, "done", "a") == ("done", 1, "a")
    assert coalescer.deadline == 1000 + WINDOW_MS
    assert coalescer.tick(1000 + WINDOW_MS - 1) is None
    assert coalescer.tick(1000 + WINDOW_MS) is None
    assert coalescer.deadline is None
    assert coalescer.arrived(3001, "done", "b") == ("done", 1, "b")


def test_those_of_two_seconds_become_one_pattern():
    coalescer = Coalescer()
    coalescer.arrived(0, "done", "a")
    assert coalescer.arrived(100, "held", "b") is None
    assert coalescer.arrived(200, "failed", "c") is None
    assert coalescer.arrived(1999, "cancelled", "d") is None
    assert coalescer.tick(1999) is None
    assert coalescer.tick(2000) == ("failed", 4, "c")


def test_the_same_again_is_only_counted():
    coalescer = Coalescer()
    coalescer.arrived(0, "done", "a")
    coalescer.arrived(1, "done", "b")
    coalescer.arrived(2, "done", "c")
    assert coalescer.tick(2000) == (COUNT, 3, None)
    # Nothing was felt, so the next need not wait.
    assert coalescer.arrived(2001, "done", "d") == ("done", 1, "d")


def test_while_nothing_may_be_felt_all_are_gathered():
    coalescer = Coalescer()
    for number in range(20):
        assert coalescer.arrived(1000 * number, "done", number, True) is None
    assert coalescer.tick(20_000) == ("done", 20, 19)
    # What was felt before counts as the first.
    assert coalescer.tick(30_000) is None
    assert coalescer.arrived(30_000, "done", "a") == ("done", 1, "a")
    assert coalescer.arrived(31_000, "failed", "b", True) is None
    assert coalescer.tick(40_000) == ("failed", 2, "b")


def test_what_was_only_to_be_counted_is_not_forgotten_for_the_next():
    coalescer = Coalescer()
    coalescer.arrived(0, "held", "a")
    coalescer.arrived(1, "held", "b")
    # Nobody asked for the count in time.
    assert coalescer.arrived(3000, "question", "c") == ("question", 3, "c")


def test_less_urgent_ones_are_felt_too():
    coalescer = Coalescer()
    coalescer.arrived(0, "question", "a")
    coalescer.arrived(5, "done", "b")
    assert coalescer.tick(2000) == ("done", 2, "b")


def test_the_newest_of_a_kind_is_the_one():
    coalescer = Coalescer()
    coalescer.arrived(0, "done", "a")
    coalescer.arrived(1, "failed", "b")
    coalescer.arrived(2, "failed", "c")
    assert coalescer.tick(2500) == ("failed", 3, "c")


def test_a_stream_of_notices_is_one_pattern_each_two_seconds():
    coalescer = Coalescer()
    felt, lights = [], 0
    for number in range(100):
        t, kind = number * 100, ("done", "failed", "held")[number % 3]
        for shown in (coalescer.tick(t), coalescer.arrived(t, kind, number)):
            if shown and shown[0] == COUNT:
                lights += 1
            elif shown:
                felt.append((t, shown[0]))
    # The first; the most urgent of the rest; then each time that it says nothing new, only the light.
    assert felt[:2] == [(0, "done"), (2000, "failed")]
    assert lights >= 2
    for at in range(1, len(felt)):
        assert felt[at][0] - felt[at - 1][0] >= WINDOW_MS


def test_an_arrival_may_end_the_time_itself():
    coalescer = Coalescer()
    coalescer.arrived(0, "done", "a")
    coalescer.arrived(10, "failed", "b")
    # No tick came: the late arrival shows what was gathered, and belongs to the next two seconds.
    assert coalescer.arrived(2500, "held", "c") == ("failed", 2, "b")
    assert coalescer.tick(4500) == ("held", 2, "c")


def test_a_reply_means_what_was_felt_before_its_press():
    felt = Felt()
    assert felt.before(100) is None
    felt.add(1000, "a")
    felt.add(2000, "b")
    assert felt.before(999) is None
    assert felt.before(1000) == "a"
    assert felt.before(1999) == "a"
    assert felt.before(5000) == "b"


def test_a_replay_makes_a_notice_the_newest_again():
    felt = Felt()
    felt.add(1000, "a")
    felt.add(2000, "b")
    felt.add(3000, "a")
    assert felt.before(3000) == "a"


def test_what_was_withdrawn_is_not_meant():
    felt = Felt()
    felt.add(1000, "a")
    felt.add(2000, "b")
    felt.forget("b")
    assert felt.before(5000) == "a"


def test_the_memory_is_bounded():
    felt = Felt()
    for t in range(1000):
        felt.add(t, t)
    assert felt.before(2000) == 999
    assert felt.before(900) is None
