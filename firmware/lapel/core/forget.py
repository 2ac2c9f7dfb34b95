"""The gesture that makes a pin forget its owner: hard to make by chance, and easy to give up.

The button, down at power-on, is held for 10 s, let go, and tapped three times; asked twice while a recording
waits that nobody has. Pure, as core/gesture.py: edges and times (milliseconds that may wrap) are arguments.
"""

from lapel.compat import const, ticks_add, ticks_diff

HOLD_MS = const(10_000)
# For letting go, and for each answer.
ANSWER_MS = const(10_000)
# A press that is longer is no tap; so long after the last one nothing more comes.
TAP_MS = const(700)
TAPS = const(3)

# What is to be told, or done.
LET_GO = "let go"
AGAIN = "again"
YES = "yes"
NO = "no"

_HELD = const(0)
_LETTING_GO = const(1)
_TAPPING = const(2)
_OVER = const(3)


class Forget:
    """press(t), release(t) and tick(t) return one of the above, or None. After YES and NO it is over.

    `is_unsent()` is asked after three taps: whether a recording would be lost.
    """

    def __init__(self, t_ms: int, is_unsent, diff=ticks_diff, add=ticks_add) -> None:
        self._is_unsent = is_unsent
        self._diff = diff
        self._add = add
        self._state = _HELD
        self._times = 1
        self._taps = 0
        self._is_down = True
        # When it goes on by itself.
        self._due_ms = add(t_ms, HOLD_MS)

    def wait_ms(self, now_ms: int) -> int:
        """How long until tick() is due."""
        return max(0, self._diff(self._due_ms, now_ms))

    def press(self, t_ms: int):
        """The button went down."""
        late = self.tick(t_ms)
        if late in (YES, NO) or self._state != _TAPPING:
            return late
        self._is_down = True
        self._taps += 1
        self._due_ms = self._add(t_ms, TAP_MS)
        return self._give_up() if self._taps > TAPS else late

    def release(self, t_ms: int):
        """The button went up."""
        late = self.tick(t_ms)
        if late in (YES, NO):
            return late
        if self._state == _HELD:
            return self._give_up()
        if self._state == _LETTING_GO:
            self._ask(t_ms)
        elif self._is_down:
            self._is_down = False
            self._due_ms = self._add(t_ms, TAP_MS)
        return late

    def tick(self, t_ms: int):
        """Nothing happened until now; what has become due with that."""
        if self._state == _OVER or self._diff(t_ms, self._due_ms) < 0:
            return None
        if self._state == _HELD:
            self._state = _LETTING_GO
            self._due_ms = self._add(self._due_ms, ANSWER_MS)
            # It may be later than that by now: a button that is stuck.
            return self.tick(t_ms) or LET_GO
        # Held for too long, no answer, a tap that is none, or too few of them.
        if self._state == _LETTING_GO or self._is_down or self._taps != TAPS:
            return self._give_up()
        if self._times == 1 and self._is_unsent():
            self._times = 2
            self._ask(t_ms)
            return AGAIN
        self._state = _OVER
        return YES

    def _ask(self, t_ms: int) -> None:
        self._state = _TAPPING
        self._taps = 0
        self._is_down = False
        self._due_ms = self._add(t_ms, ANSWER_MS)

    def _give_up(self) -> str:
        self._state = _OVER
        return NO
