"""The person: presses with a recording each, and when. What was felt is the board's Touch."""

from sound import TAIL_MS

HOLD_MS = 300


class Press:
    """One press: `number` names its recording. Ticks are the pin's, at which its interrupt told it."""

    def __init__(self, number: int, ticks: int, at_ms: int):
        self.number = number
        self.ticks = ticks
        # Time of the world.
        self.at_ms = at_ms
        self.released_ticks = None
        self.released_ms = None
        self.opening = None

    @property
    def is_hold(self) -> bool:
        """It was held long enough for a clip; one that goes on counts as well."""
        return self.released_ms is None or self.released_ms - self.at_ms >= HOLD_MS

    def spoken(self, sound, kbps: int, until_ticks=None) -> bytes:
        """What the codec makes of this press: the whole, or what was said until a tick. `kbps` as in sound.py."""
        if self.opening is None or self.number not in self.opening.numbers:
            return b""
        ends = [self.opening.heard_ms]
        if until_ticks is not None:
            ends.append(self.opening.since(until_ticks))
        if self.released_ticks is not None:
            ends.append(self.opening.since(self.released_ticks) + TAIL_MS)
        return sound.encoded(self.opening, self.opening.since(self.ticks), min(ends), kbps)


class Person:
    """Acts on the button of a life; `recording` is what is being said."""

    def __init__(self, world, pin, openings):
        self._world = world
        self._pin = pin
        self._openings = openings
        self.recording = 0
        self.presses = []
        # (ms, how many) of the taps that were asked for, once they are made.
        self.taps = []
        # What is still to be done, and until when that takes.
        self.script_ms = 0
        self._script = []

    def hold(self, at_ms: int, for_ms: int) -> None:
        """Presses `at_ms` from now, and lets go `for_ms` later."""
        for ms, act in ((at_ms, self.press), (at_ms + for_ms, self.release)):
            self._script.append(self._world.after_ms(ms, act))
        self.script_ms = max(self.script_ms, self._world.now_ms + at_ms + for_ms)

    def tap(self, at_ms: int, times: int = 1) -> None:
        """Taps, `at_ms` from now."""
        for k in range(times):
            self.hold(at_ms + 200 * k, 80)
        self._script.append(self._world.after_ms(at_ms, self._tapped, times))

    def stop(self) -> None:
        """Does nothing more of what was asked."""
        for entry in self._script:
            self._world.cancel(entry)
        self._script = []
        self.script_ms = 0

    def press(self) -> None:
        """Puts the finger down and begins to speak."""
        self.recording += 1
        self.presses.append(Press(self.recording, self._world.ticks_ms, self._world.now_ms))
        self._pin.move(True)

    def release(self) -> None:
        """Lets go; the last syllable is still heard."""
        press = self.presses[-1]
        press.released_ticks, press.released_ms = self._world.ticks_ms, self._world.now_ms
        self._heard(press)
        self._pin.move(False)

    def startled(self) -> None:
        """The power went: the finger comes off by itself, and what was said until now is what counts."""
        if self.presses and self.presses[-1].released_ms is None:
            self._heard(self.presses[-1])
        self._pin.move(False)

    def holds(self):
        """The presses that asked for a clip."""
        return [press for press in self.presses if press.is_hold]

    def _tapped(self, times: int) -> None:
        self.taps.append((self._world.now_ms, times))

    def _heard(self, press) -> None:
        # The microphone that is open now is the one that hears this press, if any does.
        if self._openings:
            press.opening = self._openings[-1]
