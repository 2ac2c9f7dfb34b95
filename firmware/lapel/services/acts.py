"""What the person does, turned into what the pin does: the page on interaction, as code."""

from lapel.compat import const, ticks_ms
from lapel.core import gesture, states
from lapel.services.store_files import StoreError

_CHECK_IN_MS = const(1000)


class Acts:
    """Owns the button's meaning and the pin's state. `boot` is this boot's id (8 hex digits)."""

    def __init__(
        self, button, recorder, store, feedback, announcer, desk, clock, settings, boot, rate_hz, trace,
        check_in, ticks=ticks_ms,
    ) -> None:  # fmt: skip
        self._button = button
        self._recorder = recorder
        self._store = store
        self._feedback = feedback
        self._announcer = announcer
        self._desk = desk
        self._clock = clock
        self._settings = settings
        self._boot = boot
        self._rate_hz = rate_hz
        self._trace = trace
        self._check_in = check_in
        self._ticks = ticks
        self._gesture = gesture.Gesture()
        self._acts = {
            gesture.DOWN: self._down,
            gesture.DISCARD: self._discard,
            gesture.BEGIN: self._begin,
            gesture.WARN: self._warn,
            gesture.END: self._end,
            gesture.TAP: self._tap,
            gesture.DOUBLE: self._double,
            gesture.TRIPLE: self._triple,
        }
        self.state = states.State(trace)
        # How many jobs run, as the companion said last.
        self.jobs = 0
        # (epoch, number) and time of the newest clip that was captured.
        self._captured_ms = 0
        recorder.on_over = self._over

    async def run(self) -> None:
        """Runs until cancelled."""
        if self.state.now == states.BOOT:
            self.state.go(states.IDLE)
        while True:
            self._check_in()
            wait_ms = self._gesture.wait_ms(self._ticks())
            edge = await self._button.edge(_CHECK_IN_MS if wait_ms is None else min(wait_ms, _CHECK_IN_MS))
            if edge is None:
                due = self._gesture.tick(self._ticks())
            elif edge[0]:
                due = self._gesture.press(edge[1])
            else:
                due = self._gesture.release(edge[1])
            for name, t_ms, detail in due:
                self._acts[name](t_ms, detail)

    def _down(self, t_ms: int, _) -> None:
        self.state.go(states.PRESSED)
        self._recorder.press(t_ms)

    def _discard(self, t_ms: int, _) -> None:
        self._recorder.discard()
        self.state.go(states.IDLE)

    def _begin(self, t_ms: int, intent: str) -> None:
        press_ms = self._clock.at(self._gesture.pressed_ms)
        answers = self._announcer.reply_target(press_ms) if intent == gesture.REPLY else None
        meta = {
            "rate": self._rate_hz,
            "boot": self._boot,
            "ms": press_ms,
            "t": self._clock.unix_ms(press_ms),
            "re": answers,
        }
        # Refused: `_over` has said so already.
        if self._recorder.begin(meta):
            self.state.go(states.RECORDING)

    def _warn(self, t_ms: int, _) -> None:
        self._feedback.show("tick55")

    def _end(self, t_ms: int, _) -> None:
        if self.state.now == states.RECORDING:
            self.state.go(states.TAIL)
            self._recorder.end(t_ms)
        elif self.state.now in (states.REFUSED, states.PRESSED):
            self.state.go(states.IDLE)

    def _over(self, outcome: str) -> None:
        """How a press ended, from the recorder."""
        now = self.state.now
        if outcome == "captured" or outcome == "kept":
            if now == states.RECORDING:
                # The microphone died under the person's words; what was heard is kept.
                self.state.go(states.TAIL)
            if self.state.now == states.TAIL:
                self.state.go(states.SAVING)
                self.state.go(states.IDLE)
            number = self._store.waiting()[-1]
            self._captured_ms = self._clock.ms()
            self._store.recent.captured(self._store.epoch, number, self._captured_ms)
        elif outcome != "discarded" and states.REFUSED in states.LEGAL[now]:
            self.state.go(states.REFUSED)
            if now in (states.TAIL, states.SAVING):
                self.state.go(states.IDLE)

    def _tap(self, t_ms: int, _) -> None:
        unseen = self._store.unseen()
        if unseen:
            epoch, seq, kind = unseen[-1]
            self._announcer.repeat(kind, (epoch, seq), len(unseen))
            # Power that goes before it is felt must leave it unseen.
            self._announcer.when_felt((epoch, seq), lambda: self._saw(epoch, seq))
        elif self.jobs:
            self._feedback.show("pulse", self.jobs)
        else:
            self._feedback.show("none_long")

    def _saw(self, epoch: str, seq: int) -> None:
        self._store.mark_seen(epoch, [seq])
        self._desk.hurry()

    def _double(self, t_ms: int, _) -> None:
        # What came in between the taps is still to be felt.
        self._store.mark_all_seen(self._announcer.unfelt)
        self._desk.hurry()

    def _triple(self, t_ms: int, _) -> None:
        newest = self._store.recent.newest()
        if newest is None or self._clock.ms() - newest[2] > self._settings["undo_ms"]:
            # Nothing can be taken back any more: the same answer as a tap without news.
            self._feedback.show("none_long")
            return
        epoch, number = newest[0], newest[1]
        try:
            self._store.add_cancel(epoch, number)
        except StoreError as e:
            self._trace("store_error", error=str(e))
            self._feedback.show("error")
            return
        self._store.recent.cancelled(epoch, number)
        self._trace("cancel", clip=number)
        self._desk.hurry()
