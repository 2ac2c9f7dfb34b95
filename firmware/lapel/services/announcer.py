"""Makes notices felt: at once, several as one, and remembers which were felt for the replies."""

import asyncio

from lapel.compat import const
from lapel.core.notices import Coalescer, Felt
from lapel_wire.messages import notice_id

_CHECK_IN_MS = const(1000)
# As many as the store keeps unseen.
_UNFELT_MAX = const(64)


class Announcer:
    """`feedback` services/feedback.Feedback, `timing` services/timing.Timing."""

    def __init__(self, feedback, timing, trace, check_in) -> None:
        self._feedback = feedback
        self._timing = timing
        self._trace = trace
        self._check_in = check_in
        self._coalescer = Coalescer()
        self._felt = Felt()
        # What arrived and was not felt to its end yet; of that, what no pattern stands for so far.
        self.unfelt = []
        self._when_felt = []
        self._gathered = []
        self._changed = asyncio.Event()
        feedback.on_felt = self._was_felt

    def announce(self, notice: dict) -> None:
        """A notice (ep, s, k, d, j, x) arrived that was not felt yet."""
        identity = (notice["ep"], notice["s"])
        shown = self._coalescer.arrived(self._timing.ms(), notice["k"], identity, self._feedback.is_held)
        if shown is not None and shown[2] != identity:
            # That was for those before it.
            self._show(shown)
            shown = None
        self._gathered.append(identity)
        self.unfelt.append(identity)
        del self.unfelt[:-_UNFELT_MAX]
        self._show(shown)
        self._trace(
            "notice",
            id=notice_id(*identity),
            kind=notice["k"],
            dispatch=notice["d"],
            job=notice["j"],
            text=notice["x"],
        )
        self._changed.set()

    def remind(self, unseen) -> None:
        """The pin started with these ([(epoch, sequence, kind)], oldest first) unseen: they are felt again,
        as one, because the power may have gone before they were felt at all."""
        if unseen:
            epoch, seq, kind = unseen[-1]
            self.repeat(kind, (epoch, seq), len(unseen))

    def repeat(self, kind: str, identity, count: int) -> None:
        """The person asked for a notice again; `count` wait to be seen."""
        self._feedback.show(kind, count, (identity, (identity,)))

    def when_felt(self, identity, act) -> None:
        """Calls `act()` as soon as the notice was felt: now, unless it is still to be felt."""
        self._when_felt.append((identity, act))
        del self._when_felt[:-_UNFELT_MAX]
        self._act()

    def withdrawn(self, epoch: str, seq: int) -> None:
        """No reply can be to this one any more."""
        self._felt.forget((epoch, seq))

    def reply_target(self, press_ms: int):
        """Id of the notice that a reply pressed at `press_ms` answers, None when none was felt."""
        identity = self._felt.before(press_ms)
        return None if identity is None else notice_id(*identity)

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self._check_in()
            self._changed.clear()
            now_ms = self._timing.ms()
            deadline = None
            # During a recording they are gathered: one by one they would fill the queue of what is to be felt.
            if not self._feedback.is_held:
                self._show(self._coalescer.tick(now_ms))
                deadline = self._coalescer.deadline
            wait_ms = _CHECK_IN_MS if deadline is None else min(_CHECK_IN_MS, max(1, deadline - now_ms))
            await self._timing.wait(self._changed, wait_ms)

    def _show(self, shown) -> None:
        if shown is not None:
            kind, count, identity = shown
            stands_for, self._gathered = self._gathered, []
            self._feedback.show(kind, count, (identity, stands_for))

    def _was_felt(self, shown) -> None:
        identity, stands_for = shown
        if identity is not None:
            self._felt.add(self._timing.ms(), identity)
        self.unfelt = [other for other in self.unfelt if other not in stands_for]
        self._act()

    def _act(self) -> None:
        due = [one for one in self._when_felt if one[0] not in self.unfelt]
        self._when_felt = [one for one in self._when_felt if one[0] in self.unfelt]
        for _, act in due:
            act()
