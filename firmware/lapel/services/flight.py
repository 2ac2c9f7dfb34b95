"""The flight recorder: what a pin that reset itself can still tell. 2 kB that survive the reset."""

from lapel.compat import const
from lapel_wire import flight_log

# Ordinary changes are written at most this often; what may be followed by a reset is written at once.
SAVE_EVERY_MS = 2000
# A loop that is late by less was only busy.
_STALL_MS = const(25)
# Only stalls from here on are worth a place among the events.
_LONG_STALL_MS = const(150)


class Flight:
    """`retained` keeps the bytes: load() -> bytes, save(bytes). `now_ms()` is the time since boot.

    The layout is in lapel_wire/flight_log.py; flight_reading.py beside it decodes it.
    """

    size = flight_log.SIZE_BYTES

    def __init__(self, retained, now_ms) -> None:
        self._retained = retained
        self._now_ms = now_ms
        self._log = flight_log.FlightLog()
        # The service that reported last, now and when it was written last.
        self._task = ""
        self._written_task = ""
        self._dirty = False
        self._saved_ms = 0
        self._reading = b""
        self._last_error = ""
        # Times at which the memory could not be written.
        self.save_failures = 0

    def boot(self, cause: str) -> None:
        """Takes over what the last boot left, and notes this one with its reset cause."""
        self._log = flight_log.FlightLog(self._retained.load())
        self._log.begin_boot(cause)
        self.save()

    @property
    def log(self) -> flight_log.FlightLog:
        """What is in it now."""
        return self._log

    def task(self, name: str) -> None:
        """This service is at work. Costs nothing: it is called in every round of every service."""
        self._task = name

    def died(self, task: str, error: str) -> None:
        """A task died."""
        self._log.add("deaths")
        self._urgent("died", task, task + ": " + error)

    def late(self, task: str) -> None:
        """The watchdog is not fed because of this service: a reset may follow."""
        self._log.put_text("late_task", task)
        self._urgent("late", task, None)

    def error(self, text: str) -> None:
        """Something else went wrong. What comes again and again is written once a boot."""
        if text != self._last_error:
            self._last_error = text
            self._urgent("error", text, text)

    def failed_boot(self, count: int, cause: str) -> None:
        """Boots before this one, `count` in a row, did not get well; the last one died of `cause`, "" for in silence.
        With 0 the app had been well, and was started again."""
        cause = cause or "it ended without a word"
        self.error("boot failed: %s (%d in a row)" % (cause, count) if count else "started again: " + cause)

    def note(self, text: str) -> None:
        """Something worth a place among the events."""
        self._log.event("note", text, self._now_ms())
        self._dirty = True

    def stall(self, late_ms: int) -> None:
        """The loop came late by so much: an erase, a collection, a task that would not let go."""
        if late_ms < _STALL_MS:
            return
        self._log.add("stalls")
        self._log.put("stall_max_ms", max(self._log.get("stall_max_ms"), late_ms))
        if late_ms >= _LONG_STALL_MS:
            self._log.event("stall", "%d ms" % late_ms, self._now_ms())
        self._dirty = True

    def overrun(self, text: str, count: int = 1) -> None:
        """Samples of the microphone were lost."""
        self._count("overruns", "overrun", text, count)

    def dropped(self, queue: str, count: int = 1) -> None:
        """A bounded queue was full."""
        self._count("drops", "drop", queue, count)

    def heap(self, free_bytes: int) -> None:
        """Free heap after a collection: the lowest of this boot is kept."""
        if free_bytes < self._log.get("heap_low_bytes"):
            self._log.put("heap_low_bytes", free_bytes)
            self._dirty = True

    def tick(self) -> None:
        """Writes what is new, when it is time."""
        dirty = self._dirty or self._task != self._written_task
        if dirty and self._now_ms() - self._saved_ms >= SAVE_EVERY_MS:
            self.save()

    def save(self) -> None:
        """Writes it now."""
        now_ms = self._now_ms()
        self._log.put("written_ms", now_ms)
        self._log.put_text("last_task", self._task)
        self._written_task = self._task
        self._dirty, self._saved_ms = False, now_ms
        try:
            self._retained.save(self._log.sealed())
        except OSError:
            self.save_failures += 1

    def read(self, offset: int, length: int) -> bytes:
        """A piece of it. From offset 0 on, the pieces belong to one moment; b"" behind the end."""
        if offset == 0:
            self.save()
            self._reading = bytes(self._log.sealed())
        piece = self._reading[offset : offset + length]
        if offset + length >= self.size:
            self._reading = b""
        return piece

    def _count(self, number: str, event: str, text: str, count: int) -> None:
        self._log.add(number, count)
        self._log.event(event, text, self._now_ms())
        self._dirty = True

    def _urgent(self, event: str, text: str, error) -> None:
        self._log.event(event, text, self._now_ms())
        if error is not None:
            self._log.put_text("last_error", error)
        self.save()
