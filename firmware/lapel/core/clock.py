"""The pin's time: milliseconds since boot that never wrap, and the companion's wall clock."""

from lapel.compat import const, ticks_diff, ticks_ms

_DAY_MINUTES = const(1440)
_MINUTE_MS = const(60_000)


class Clock:
    """`ticks() -> int` may wrap (MicroPython: at 2^30 ms); `ms()` must be called at least once in
    half that time, which every idle loop does."""

    def __init__(self, ticks=ticks_ms, diff=ticks_diff) -> None:
        self._ticks = ticks
        self._diff = diff
        self._last = ticks()
        self._ms = 0
        self._wall_at_boot_ms: int = None
        self._zone_min = 0

    def ms(self) -> int:
        """Milliseconds since the clock was made."""
        now = self._ticks()
        step = self._diff(now, self._last)
        if step > 0:
            self._last = now
            self._ms += step
        return self._ms

    def at(self, ticks: int) -> int:
        """Milliseconds of a tick of the same source, at most half its period ago."""
        return self.ms() + self._diff(ticks, self._last)

    def set_wall(self, unix_ms: int, zone_min: int) -> None:
        """The companion said what time it is, and its offset from UTC in minutes."""
        self._wall_at_boot_ms = unix_ms - self.ms()
        self._zone_min = zone_min

    def unix_ms(self, at_ms=None):
        """Wall time of `at_ms` (now by default), or None while nobody told it."""
        if self._wall_at_boot_ms is None:
            return None
        return self._wall_at_boot_ms + (self.ms() if at_ms is None else at_ms)

    def minute_of_day(self):
        """0 to 1439 in the companion's zone, or None."""
        unix = self.unix_ms()
        if unix is None:
            return None
        return (unix // _MINUTE_MS + self._zone_min) % _DAY_MINUTES
