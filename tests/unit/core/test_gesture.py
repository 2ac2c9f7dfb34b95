import random

from lapel.core import gesture
from lapel.core.gesture import BEGIN, DISCARD, DOUBLE, DOWN, END, NEW, REPLY, TAP, TRIPLE, WARN, Gesture

PERIOD = 1 << 30


def diff(end, start):
    return (end - start + PERIOD // 2) % PERIOD - PERIOD // 2


def add(t, delta):
    return (t + delta) % PERIOD


class Hand:
    """Presses and releases at plain times; the gesture sees them on a clock that starts at `base`."""

    def __init__(self, base=0):
        self.base = base
        self.gesture = Gesture(diff, add)
        self.actions = []

    def _done(self, actions):
        for name, t_ms, detail in actions:
            self.actions.append((name, diff(t_ms, self.base), detail))

    def press(self, t):
        self._done(self.gesture.press(add(self.base, t)))

    def release(self, t):
        self._done(self.gesture.release(add(self.base, t)))

    def tick(self, t):
        self._done(self.gesture.tick(add(self.base, t)))

    def on_time(self, until):
        """Ticks at every deadline, as a timer that is never late."""
        while True:
            deadline = self.gesture.deadline
            if deadline is None or diff(deadline, self.base) >= until:
                return
            self.tick(diff(deadline, self.base))

    def do(self, spans, end):
        """Presses as (down, up) with a punctual timer; what happened until `end`."""
        for down, up in spans:
            self.on_time(down)
            self.press(down)
            self.on_time(up)
            self.release(up)
        self.on_time(end)
        return self.actions


def acts(spans, end=100_000, base=0):
    """What was done, without the press and the discard that each tap has."""
    return [a for a in Hand(base).do(spans, end) if a[0] not in (DOWN, DISCARD)]


def test_the_table_of_acts():
    assert acts([(0, 100)]) == [(TAP, 400, None)]
    assert acts([(0, 100), (200, 300)]) == [(DOUBLE, 600, None)]
    assert acts([(0, 100), (200, 300), (400, 500)]) == [(TRIPLE, 500, None)]
    assert acts([(0, 2000)]) == [(BEGIN, 300, NEW), (END, 2000, False)]
    assert acts([(0, 100), (300, 2000)]) == [(BEGIN, 600, REPLY), (END, 2000, False)]
    assert acts([(0, 100), (200, 300), (400, 2000)]) == [(BEGIN, 700, NEW), (END, 2000, False)]


def test_a_press_is_answered_at_once_and_a_tap_is_discarded():
    assert Hand().do([(5, 20)], 30) == [(DOWN, 5, None), (DISCARD, 20, None)]
    assert Hand().do([(5, 500)], 600) == [(DOWN, 5, None), (BEGIN, 305, NEW), (END, 500, False)]


def test_a_hold_is_300_ms_and_not_less():
    assert acts([(0, 299)]) == [(TAP, 599, None)]
    assert acts([(0, 300)]) == [(BEGIN, 300, NEW), (END, 300, False)]


def test_taps_belong_together_within_300_ms():
    assert acts([(0, 100), (399, 450)]) == [(DOUBLE, 750, None)]
    assert acts([(0, 100), (400, 450)]) == [(TAP, 400, None), (TAP, 750, None)]
    assert acts([(0, 100), (399, 1000)]) == [(BEGIN, 699, REPLY), (END, 1000, False)]
    assert acts([(0, 100), (400, 1000)]) == [(TAP, 400, None), (BEGIN, 700, NEW), (END, 1000, False)]


def test_three_taps_act_without_waiting_and_the_fourth_starts_anew():
    hand = Hand()
    assert hand.do([(0, 50), (100, 150), (200, 250)], 250)[-1] == (TRIPLE, 250, None)
    assert hand.gesture.is_idle
    assert acts([(0, 50), (100, 150), (200, 250), (300, 350)])[1:] == [(TAP, 650, None)]


def test_a_hold_after_three_taps_is_a_new_task():
    assert acts([(0, 50), (100, 150), (200, 250), (300, 900)]) == [
        (TRIPLE, 250, None),
        (BEGIN, 600, NEW),
        (END, 900, False),
    ]


def test_nothing_is_left_after_a_hold():
    # A tap right after a hold is a tap, not a reply's beginning.
    assert acts([(0, 1000), (1100, 1150), (1200, 3000)])[2:] == [(BEGIN, 1500, REPLY), (END, 3000, False)]
    assert acts([(0, 1000), (1010, 3000)])[2:] == [(BEGIN, 1310, NEW), (END, 3000, False)]


def test_a_minute_is_the_longest():
    assert acts([(0, 70_000)]) == [(BEGIN, 300, NEW), (WARN, 55_000, None), (END, 60_000, True)]
    assert acts([(0, 59_999)])[-1] == (END, 59_999, False)
    assert acts([(0, 60_000)])[-1] == (END, 60_000, True)
    assert acts([(0, 70_000), (70_100, 70_150)])[-1] == (TAP, 70_450, None)


def test_a_timer_that_never_comes_changes_nothing():
    hand = Hand()
    hand.press(0)
    hand.release(70_000)
    assert hand.actions[1:] == [(BEGIN, 300, NEW), (WARN, 55_000, None), (END, 60_000, True)]
    hand = Hand()
    hand.press(0)
    hand.release(100)
    hand.press(5000)
    assert hand.actions[2:] == [(TAP, 400, None), (DOWN, 5000, None)]


def test_wait_says_when_the_timer_is_due():
    gestures = Gesture(diff, add)
    assert gestures.wait_ms(0) is None and gestures.deadline is None
    gestures.press(PERIOD - 100)
    assert gestures.wait_ms(PERIOD - 100) == 300
    assert gestures.wait_ms(50) == 150
    assert gestures.wait_ms(300) == 0
    assert gestures.tick(199) == []
    assert gestures.tick(200) == [(BEGIN, 200, NEW)]
    assert gestures.wait_ms(200) == 54_700
    gestures.release(1000)
    assert gestures.wait_ms(1000) is None and gestures.is_idle


def test_a_lost_release():
    hand = Hand()
    hand.press(0)
    hand.press(1000)
    assert hand.actions == [(DOWN, 0, None), (BEGIN, 300, NEW), (END, 1000, False), (DOWN, 1000, None)]


def test_a_lost_press():
    hand = Hand()
    hand.release(500)
    assert hand.actions == [] and hand.gesture.is_idle


# An oracle that sees the whole story at once.


def oracle(spans):
    taps, last, out = 0, 0, []
    for down, up in spans:
        if taps and down - last >= 300:
            out.append((TAP if taps == 1 else DOUBLE, last + 300, None))
            taps = 0
        if up - down < 300:
            taps, last = taps + 1, up
            if taps == 3:
                out.append((TRIPLE, up, None))
                taps = 0
            continue
        out.append((BEGIN, down + 300, REPLY if taps == 1 else NEW))
        if up - down >= 55_000:
            out.append((WARN, down + 55_000, None))
        out.append((END, min(up, down + 60_000), up - down >= 60_000))
        taps = 0
    if taps:
        out.append((TAP if taps == 1 else DOUBLE, last + 300, None))
    return out


LENGTHS = (1, 50, 150, 298, 299, 300, 301, 302, 600, 2000, 54_999, 55_000, 59_999, 60_000, 61_000)
PAUSES = (1, 20, 100, 298, 299, 300, 301, 302, 1000)


def story(presses):
    spans, t = [], 0
    for _ in range(presses):
        t += random.choice(PAUSES)
        length = random.choice(LENGTHS) if random.randrange(8) == 0 else random.choice(LENGTHS[:9])
        spans.append((t, t + length))
        t += length
    return spans, t + 1000


def test_every_story_of_three_presses():
    # All orders of lengths and pauses around their borders.
    lengths, pauses = (299, 300), (299, 300)
    for code in range(2**6):
        t, spans = 0, []
        for press in range(3):
            t += pauses[code >> 2 * press & 1]
            length = lengths[code >> 2 * press + 1 & 1]
            spans.append((t, t + length))
            t += length
        assert acts(spans, t + 1000) == oracle(spans), spans


def test_random_stories_on_a_clock_that_wraps():
    for _ in range(150):
        spans, end = story(random.randrange(1, 9))
        base = (PERIOD - random.randrange(end + 1)) % PERIOD
        assert acts(spans, end, base) == oracle(spans), (spans, base)


def test_random_stories_with_a_careless_timer():
    # Ticks at any time, late or not at all: what is done, and when it was due, stays the same.
    for _ in range(150):
        spans, end = story(random.randrange(1, 7))
        hand = Hand(random.randrange(PERIOD))
        for down, up in spans:
            hand.press(down)
            if random.randrange(2):
                hand.tick(random.randrange(down, up + 1))
            hand.release(up)
        hand.tick(end)
        assert [a for a in hand.actions if a[0] not in (DOWN, DISCARD)] == oracle(spans), spans


def test_the_tail_is_what_the_recorder_keeps():
    assert gesture.TAIL_MS == 120 and gesture.LONGEST_MS - gesture.WARN_MS == 5000
