"""What happens to packets on their way. Directions: UP from the pin, DOWN to it; packets are counted by direction over
the whole of a case, connections notwithstanding."""

UP, DOWN = 0, 1

LOST = "lost"
DOUBLED = "doubled"
DELAYED = "delayed"
# The connection ends before the packet is carried, or right after.
BEFORE = "before"
AFTER = "after"

# Half-open: what still works, and who knows.
NOTHING_UP = "nothing-up"
NOTHING_DOWN = "nothing-down"
# Nothing goes either way, and writes are not even answered.
HUNG = "hung"
# The companion has gone, and the pin was not told.
GHOST = "ghost"

_DELAY_MS = 400


class Troubles:
    """None of its own: fields are set by a case, or methods replaced by a subclass. Times are the world's."""

    def __init__(self):
        # {(direction, k): what happens to that packet}
        self.packets = {}
        self.delay_ms = _DELAY_MS
        # Random loss, doubling and delay, in thousandths; `draws` is needed then.
        self.lost, self.doubled, self.delayed = [0, 0], [0, 0], [0, 0]
        self.draws = None
        # [(from, to)]: nothing moves; the pin's radio takes nothing; [(from, to, half-open how)].
        self.stalls = []
        self.enomem = []
        self.half_open = []
        # When the connection is to end, soonest first.
        self.cuts_ms = []
        self.ended_ms = 0

    def calm(self):
        """No more chance."""
        self.draws = None

    def fate(self, direction, k):
        """What happens to that packet: a word, or None."""
        how = self.packets.get((direction, k))
        if how is None and self.draws is not None:
            draw = self.draws.below(1000)
            for word, table in ((LOST, self.lost), (DOUBLED, self.doubled), (DELAYED, self.delayed)):
                if draw < table[direction]:
                    return word
                draw -= table[direction]
        return how

    def stalled_until(self, now_ms):
        """The end of the stall that is now, None for none."""
        return _until(self.stalls, now_ms)

    def refuses(self, now_ms):
        """Whether the pin's radio is out of memory now."""
        return _until(self.enomem, now_ms) is not None

    def half(self, now_ms):
        """How the connection is half-open now, None when it is not."""
        for begin_ms, end_ms, how in self.half_open:
            if begin_ms <= now_ms < end_ms:
                return how
        return None


def _until(spans, now_ms):
    ends = [span[1] for span in spans if span[0] <= now_ms < span[1]]
    return max(ends) if ends else None
