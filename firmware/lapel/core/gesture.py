"""What presses of the one button mean.

Pure: edges and the time come as arguments, in the order in which they happened. Times are milliseconds
of a clock that may wrap; `diff` and `add` know how. Feed the edges that wait before a tick: a tick says
that nothing else happened until then.
"""

from lapel.compat import const, ticks_add, ticks_diff

_HOLD_MS = const(300)
# Between a release and the next press that still belongs to it.
_GAP_MS = const(300)
WARN_MS = const(55_000)
LONGEST_MS = const(60_000)
# Kept after letting go: the last syllable.
TAIL_MS = const(120)

# Actions, as (name, time, detail). The time is when it was due, which a late tick does not change.
DOWN = "down"  # the button went down; nothing is decided yet
DISCARD = "discard"  # it was a tap: what the microphone heard is to be forgotten
BEGIN = "begin"  # it is a hold; detail: NEW or REPLY
WARN = "warn"  # five seconds are left
END = "end"  # let go, or at the longest; detail: whether the person is still holding
TAP = "tap"
DOUBLE = "double"
TRIPLE = "triple"

NEW = "new"
REPLY = "reply"

_UP = const(0)
_DOWN = const(1)
_HELD = const(2)
# The longest was reached and the button is still down.
_OVER = const(3)


class Gesture:
    """press(t), release(t) and tick(t) return a list of actions, mostly empty."""

    def __init__(self, diff=ticks_diff, add=ticks_add) -> None:
        self._diff = diff
        self._add = add
        self._state = _UP
        self._taps = 0
        self._warned = False
        self._released_ms = 0
        # Time of the newest press.
        self.pressed_ms = 0

    @property
    def is_idle(self) -> bool:
        """Nothing is pressed and nothing waits to be decided."""
        return self._state == _UP and not self._taps

    @property
    def deadline(self):
        """When tick() is due next, None while only an edge can change anything."""
        if self._state == _DOWN:
            return self._add(self.pressed_ms, _HOLD_MS)
        if self._state == _HELD:
            return self._add(self.pressed_ms, LONGEST_MS if self._warned else WARN_MS)
        return self._add(self._released_ms, _GAP_MS) if self._taps else None

    def wait_ms(self, now_ms: int):
        """How long until tick() is due (0: now), None while only an edge can change anything."""
        deadline = self.deadline
        return None if deadline is None else max(0, self._diff(deadline, now_ms))

    def press(self, t_ms: int) -> list:
        """The button went down."""
        actions = self.tick(t_ms)
        if self._state != _UP:
            # A release was lost on the way: it happened at some time before this.
            actions += self.release(t_ms)
        self._state = _DOWN
        self._warned = False
        self.pressed_ms = t_ms
        actions.append((DOWN, t_ms, None))
        return actions

    def release(self, t_ms: int) -> list:
        """The button went up."""
        # A hold may have been reached, or ended, since the last tick.
        actions = self.tick(t_ms)
        if self._state == _HELD:
            actions.append((END, t_ms, False))
            self._taps = 0
        elif self._state == _DOWN:
            actions.append((DISCARD, t_ms, None))
            self._taps += 1
            self._released_ms = t_ms
            if self._taps == 3:
                actions.append((TRIPLE, t_ms, None))
                self._taps = 0
        self._state = _UP
        return actions

    def tick(self, t_ms: int) -> list:
        """Nothing happened until now; what has become due with that."""
        actions = []
        while True:
            deadline = self.deadline
            if deadline is None or self._diff(t_ms, deadline) < 0:
                return actions
            actions.append(self._due(deadline))

    def _due(self, deadline: int) -> tuple:
        if self._state == _DOWN:
            # The intent is that of the press: it cannot change while the person speaks.
            intent = REPLY if self._taps == 1 else NEW
            self._state = _HELD
            self._taps = 0
            return (BEGIN, deadline, intent)
        if self._state == _HELD:
            if not self._warned:
                self._warned = True
                return (WARN, deadline, None)
            self._state = _OVER
            return (END, deadline, True)
        taps, self._taps = self._taps, 0
        return (TAP if taps == 1 else DOUBLE, deadline, None)
