from lapel.compat import ticks_add
from lapel.core import forget
from lapel.core.forget import AGAIN, LET_GO, NO, YES

PERIOD = 1 << 30


class Person:
    """Does things to a gesture at times since power-on, ticking it as often as it asks for."""

    def __init__(self, unsent=0, start=0):
        self.unsent = unsent
        self.start = start
        self.now = 0
        self.told = []
        self.gesture = forget.Forget(start, lambda: self.unsent > 0)

    def at(self, t):
        return ticks_add(self.start, t)

    def wait(self, ms):
        end = self.now + ms
        while self.told[-1:] not in ([YES], [NO]):
            due = self.now + self.gesture.wait_ms(self.at(self.now))
            if due > end:
                break
            self.now = due
            self.tell(self.gesture.tick(self.at(due)))
        self.now = end
        return self

    def tell(self, what):
        if what is not None:
            self.told.append(what)

    def press(self):
        self.tell(self.gesture.press(self.at(self.now)))
        return self

    def release(self):
        self.tell(self.gesture.release(self.at(self.now)))
        return self

    def tap(self, times=1, down=80, gap=150):
        for _ in range(times):
            self.press().wait(down).release().wait(gap)
        return self


def asked(**options):
    """Held for as long as it takes, and let go."""
    person = Person(**options).wait(10_400).release().wait(500)
    assert person.told == [LET_GO]
    return person


def test_hold_let_go_and_three_taps():
    person = asked().tap(3)
    assert person.told == [LET_GO]
    person.wait(1000)
    assert person.told == [LET_GO, YES]


def test_twice_while_a_recording_waits():
    person = asked(unsent=1).tap(3).wait(1000)
    assert person.told == [LET_GO, AGAIN]
    person.wait(3000).tap(3).wait(1000)
    assert person.told == [LET_GO, AGAIN, YES]


def test_not_a_third_time():
    person = asked(unsent=9).tap(3).wait(1000)
    assert person.tap(3).wait(1000).told == [LET_GO, AGAIN, YES]


def test_what_was_sent_meanwhile_is_not_asked_about():
    person = asked(unsent=1)
    person.unsent = 0
    assert person.tap(3).wait(1000).told == [LET_GO, YES]


def test_no_answer_the_second_time_is_no():
    person = asked(unsent=1).tap(3).wait(1000)
    assert person.wait(9000).told == [LET_GO, AGAIN]
    assert person.wait(2000).told == [LET_GO, AGAIN, NO]


def test_any_earlier_release_is_no():
    for ms in (0, 50, 300, 2500, 9999):
        assert Person().wait(ms).release().told == [NO], ms


def test_a_sentence_that_began_while_the_pin_started_is_no():
    # 4 s of speech, let go, and then quick taps as one has them.
    person = Person().wait(4000).release()
    assert person.told == [NO]
    assert person.tap(3).wait(30_000).told == [NO]


def test_a_long_sentence_and_a_tap_is_no():
    person = Person().wait(15_000).release().wait(800).tap(1).wait(2000)
    assert person.told == [LET_GO, NO]


def test_a_button_that_is_stuck_is_no():
    person = Person().wait(19_999)
    assert person.told == [LET_GO]
    assert person.wait(2).told == [LET_GO, NO]
    assert person.release().tap(3).wait(5000).told == [LET_GO, NO]


def test_no_taps_within_10_s_is_no():
    person = asked()
    person.wait(9_000)
    assert person.told == [LET_GO]
    assert person.wait(1_000).told == [LET_GO, NO]
    assert person.tap(3).wait(2000).told == [LET_GO, NO]


def test_another_number_of_taps_is_no():
    for times in (1, 2, 4, 5, 9):
        person = asked().tap(times).wait(2000)
        assert person.told == [LET_GO, NO], times


def test_taps_that_do_not_belong_together_are_no():
    assert asked().tap(2).wait(900).told == [LET_GO, NO]
    assert asked().tap(3, gap=800).told == [LET_GO, NO]


def test_a_press_that_is_no_tap_is_no():
    assert asked().tap(2).press().wait(800).told == [LET_GO, NO]
    assert asked().press().wait(30_000).told == [LET_GO, NO]
    assert asked().press().wait(699).release().wait(100).tap(2).wait(1000).told == [LET_GO, YES]


def test_a_tick_that_comes_late_changes_nothing():
    # An erase held the interpreter: edges come with their times, and nothing in between.
    gesture = forget.Forget(0, lambda: False)
    assert gesture.release(10_200) == LET_GO
    for at in (11_000, 11_300, 11_600):
        assert gesture.press(at) is None and gesture.release(at + 90) is None
    assert gesture.tick(20_000) == YES
    late = forget.Forget(0, lambda: False)
    assert late.tick(40_000) == NO
    again = forget.Forget(0, lambda: False)
    again.release(10_200)
    assert again.press(21_000) == NO


def test_bouncing_edges_that_tell_nothing_new():
    gesture = forget.Forget(0, lambda: False)
    # The press itself comes as an edge after the first look.
    assert gesture.press(5) is None
    assert gesture.press(2000) is None
    assert gesture.tick(10_000) == LET_GO
    assert gesture.release(10_500) is None
    assert gesture.release(10_510) is None
    assert gesture.wait_ms(10_510) == 9_990


def test_over_is_over():
    gesture = forget.Forget(0, lambda: False)
    assert gesture.release(100) == NO
    for act in (gesture.press, gesture.release, gesture.tick):
        assert act(11_000) is None


def test_the_clock_may_wrap():
    for before in (1, 5_000, 10_500, 11_000, 20_000):
        person = asked(start=PERIOD - before)
        assert person.tap(3).wait(1000).told == [LET_GO, YES], before


def test_only_the_gesture_itself_ends_in_yes():
    # Every way of holding and tapping within reason; yes only for what is meant.
    for held in (9_000, 10_001, 15_000, 20_500):
        for times in range(6):
            for down in (40, 650, 750):
                for gap in (100, 650, 750):
                    person = Person().wait(held).release().wait(300).tap(times, down, gap).wait(12_000)
                    meant = 10_000 <= held < 20_000 and times == 3 and down < 700 and gap < 700
                    assert (person.told[-1] == YES) == meant, (held, times, down, gap)
