"""Plays patterns on haptic and LED: one at a time, the urgent first, never into a recording."""

import asyncio

from lapel.core import pattern

QUEUE_MAX = 8
_CHECK_IN_MS = 1000
# Played on while the microphone is open: they belong to the recording.
_DURING_RECORDING = ("listening", "tick55")
# Said of several clips at once: as often as it waits, it is felt once.
_ONCE = "accepted"
# Answers to a tap, which the next press makes stale.
_PASSING = ("pulse", "none_long")


class _Track:
    """One output following a rhythm: `drive(letter or None)` is called at each change."""

    def __init__(self, drive) -> None:
        self._drive = drive
        self._rhythm = ""
        self._at = 0
        self.due_ms: int = None

    def start(self, rhythm: str, now_ms: int) -> None:
        self._rhythm, self._at, self.due_ms = rhythm, 0, now_ms
        self.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Does what is due. A late call delays the rest: a rhythm cut short would be another rhythm."""
        if self.due_ms is None or now_ms < self.due_ms:
            return
        if self._at == len(self._rhythm):
            self.stop()
            return
        letter = self._rhythm[self._at]
        self._at += 1
        self.due_ms = now_ms + pattern.LENGTHS_MS[letter]
        self._drive(None if letter in pattern.PAUSES else letter)

    def stop(self) -> None:
        if self.due_ms is not None:
            self.due_ms = None
            self._drive(None)


class Feedback:
    """`haptic.drive(0..255)`, `led.show(r, g, b)`, `trace(event, **fields)`, `timing` as services/timing.

    The app sets `strength` and `brightness` (0 to 255), `is_quiet()`, and `on_felt(identity)`, which hears of
    every pattern with an identity that was played to its end.
    """

    def __init__(self, haptic, led, trace, timing, check_in=None) -> None:
        self._haptic = haptic
        self._led = led
        self._trace = trace
        self._timing = timing
        self._check_in = check_in
        self.strength = 255
        self.brightness = 255
        self.is_quiet = _never
        self.on_felt = None
        # Patterns that found the queue full.
        self.dropped = 0
        self._queue = []
        self._current: tuple = None
        self._is_noticed = False
        self._buzzing = False
        self._recording = False
        self._colour = pattern.LIGHTS["off"]
        self._base = pattern.LIGHTS["off"]
        self._felt = _Track(self._drive)
        self._seen = _Track(self._glow)
        self._apart_until_ms = 0
        self._changed = asyncio.Event()

    @property
    def is_held(self) -> bool:
        """A recording goes on: only what belongs to it is played."""
        return self._recording

    @property
    def is_buzzing(self) -> bool:
        """The haptic is playing: a flash erase now would stretch what is felt."""
        return self._buzzing

    def show(self, name: str, count: int = 0, identity=None) -> None:
        """Plays a pattern: at once if nothing stands against it, else in its turn."""
        entry = (name, count, identity)
        if name in _DURING_RECORDING:
            self._interrupt()
            self._start(entry)
        elif name != _ONCE or all(waiting[0] != name for waiting in self._queue):
            self._enqueue(entry, pattern.rank(name))
            self._next()
            self._trim()
        self._changed.set()

    def light(self, name: str) -> None:
        """The steady light behind the patterns, one of pattern.LIGHTS; seen at once."""
        self._base = pattern.LIGHTS[name]
        if self._seen.due_ms is None:
            self._glow(None)
            self._trace("led", pattern=name)

    def hold(self, recording: bool) -> None:
        """While the microphone is open only what belongs to the recording is played; the rest waits."""
        self._recording = recording
        if recording:
            self._queue = [entry for entry in self._queue if entry[0] not in _PASSING]
            if self._current is not None and self._current[0] not in _DURING_RECORDING:
                self._interrupt()
        else:
            self._next()
        self._changed.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            if self._check_in:
                self._check_in()
            self._changed.clear()
            await self._timing.wait(self._changed, self._advance())

    async def close(self) -> None:
        """Silence and dark. After run() was cancelled."""
        self._queue.clear()
        self._felt.stop()
        self._seen.stop()
        self._led.show(0, 0, 0)

    def _advance(self) -> int:
        """Does what is due; how long nothing will be."""
        now_ms = self._timing.ms()
        self._felt.advance(now_ms)
        self._seen.advance(now_ms)
        if self._buzzing and self._felt.due_ms is None:
            self._buzz_ended(self._current[0])
            self._noticed()
        if self._current is not None and not self._buzzing:
            # The next pattern need not wait for the last of the lights, if this one was felt.
            felt = self._is_noticed and self._queue and now_ms >= self._apart_until_ms
            if felt or self._seen.due_ms is None:
                self._finish()
        self._next()
        wait_ms = _CHECK_IN_MS
        for due_ms in (self._felt.due_ms, self._seen.due_ms, self._apart_until_ms if self._queue else None):
            if due_ms is not None and due_ms > now_ms:
                wait_ms = min(wait_ms, due_ms - now_ms)
        return wait_ms

    def _next(self) -> None:
        """Starts what waits, if it may."""
        if not self._queue or self._recording or self._current is not None:
            return
        if self._timing.ms() >= self._apart_until_ms:
            self._start(self._queue.pop(0))

    def _start(self, entry) -> None:
        name, count, _ = entry
        now_ms = self._timing.ms()
        self._current = entry
        self._is_noticed = False
        self._colour = pattern.colour(name)
        rhythm, light = pattern.haptic(name, count), pattern.light(name, count)
        self._buzzing = bool(rhythm) and self.strength > 0 and not self.is_quiet()
        if self._buzzing:
            self._felt.start(rhythm, now_ms)
        if light == pattern.STAYS:
            self._base = self._colour
            self._glow(None)
        else:
            self._seen.start(light, now_ms)
        # Said after it is done: the report must not delay what is felt.
        if self._buzzing:
            self._trace("haptic", pattern=name, ms=pattern.length_ms(rhythm), count=count)
        self._trace("led", pattern=name, count=count)

    def _finish(self) -> None:
        """The current pattern is over."""
        if not self._is_noticed:
            # Only light: it stands apart from the next like one that was felt.
            self._apart_until_ms = self._timing.ms() + pattern.APART_MS
            self._noticed()
        self._current = None
        self._seen.stop()

    def _noticed(self) -> None:
        """The person had the whole of the current pattern."""
        self._is_noticed = True
        identity = self._current[2]
        if identity is not None and self.on_felt:
            self.on_felt(identity)

    def _interrupt(self) -> None:
        """Something goes before: what was cut short comes again from its start."""
        if self._current is None:
            return
        entry, self._current = self._current, None
        self._felt.stop()
        self._seen.stop()
        if self._buzzing:
            self._buzz_ended(entry[0])
        if not (self._is_noticed or entry[0] in _DURING_RECORDING or entry[0] in _PASSING):
            # First of its rank: it was its turn.
            self._enqueue(entry, pattern.rank(entry[0]) - 1)
            self._trim()

    def _enqueue(self, entry, rank: int) -> None:
        """Behind everything that is as urgent as `rank`."""
        at = len(self._queue)
        while at and pattern.rank(self._queue[at - 1][0]) > rank:
            at -= 1
        self._queue.insert(at, entry)

    def _trim(self) -> None:
        """The queue is bounded: the least urgent of the newest goes."""
        if len(self._queue) > QUEUE_MAX:
            lost = self._queue.pop()
            self.dropped += 1
            self._trace("dropped", queue="feedback", count=1, pattern=lost[0])

    def _buzz_ended(self, name: str) -> None:
        self._buzzing = False
        self._apart_until_ms = self._timing.ms() + pattern.APART_MS
        self._trace("haptic_end", pattern=name)

    def _drive(self, letter) -> None:
        self._haptic.drive(self.strength if letter else 0)

    def _glow(self, letter) -> None:
        level = self.brightness
        r, g, b = self._colour if letter else self._base
        self._led.show(r * level // 255, g * level // 255, b * level // 255)


def _never() -> bool:
    return False
