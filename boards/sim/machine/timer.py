"""The four hardware timers (MicroPython's ESP32 port: machine_timer.c). Callbacks are scheduled: here they run when
the world is polled, late rather than twice."""

import world

_TIMERS = 4


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id, **settings):
        if not 0 <= id < _TIMERS:
            raise ValueError("invalid Timer number")
        self._id = id
        self._world = world.attached()
        self.callback = None
        if settings:
            self.init(**settings)

    def init(self, *, mode=PERIODIC, freq=-1, period=0xFFFFFFFF, tick_hz=1000, callback=None, hard=False):
        """`period` counts in ticks of `tick_hz`; `freq` in Hz takes its place."""
        if freq == -1:
            self._period_ms = period * 1000 / tick_hz
        else:
            self._period_ms = 1000 / freq
        if self._period_ms <= 0:
            raise ValueError("period must be positive")
        self.callback = callback
        self._repeats = mode == self.PERIODIC
        self._due_ms = self._world.now_ms() + self._period_ms
        # of one number there is one timer: the last that was set up
        self._world.timers[self._id] = self

    def deinit(self):
        if self._world.timers.get(self._id) is self:
            del self._world.timers[self._id]

    def value(self):
        """Milliseconds since the last call."""
        return int(self._world.now_ms() - (self._due_ms - self._period_ms))

    def due(self, now_ms):
        """For the world: whether the callback is to be called now."""
        if now_ms < self._due_ms:
            return False
        if not self._repeats:
            self.deinit()
        missed = (now_ms - self._due_ms) // self._period_ms
        self._due_ms += (missed + 1) * self._period_ms
        return self.callback is not None
