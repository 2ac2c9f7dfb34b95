"""Keeps the services running: reports who died and why, restarts it, and feeds the watchdog.

The watchdog is fed only when every service has checked in within its time. A service that dies
again and again is told to the person and tried again now and then; the pin goes on without it.
"""

import asyncio
import gc

from lapel.core.cause import cause_of

TICK_MS = 100
PERIOD_MS = 5000
BACKOFF_MS = 100
BACKOFF_MAX_MS = 10_000
# A service that ran so long is well: what it died of before does not count any more.
WELL_MS = 60_000
# So many deaths in a row are told to the person; afterwards it is tried again every so often.
DEATHS_MAX = 5
RETRY_MS = 60_000
# A boot is well when every service has been at work, and in time, for so long.
BOOT_WELL_MS = 10_000
HEAP_EVERY_MS = 10_000


class _Service:
    def __init__(self, name: str, run, period_ms: int) -> None:
        self.name = name
        self.run = run
        self.period_ms = period_ms
        self.task: asyncio.Task = None
        # Whether it is at work, and so has to check in; not while it waits to be restarted.
        self.at_work = False
        self.is_late = False
        self.seen_ms = 0
        self.deaths_in_a_row = 0


class Supervisor:
    """`watchdog.feed()` (or None), `flight` services/flight.Flight, `timing` services/timing.Timing.

    on_trouble(name): this service died DEATHS_MAX times in a row. is_idle(): a collection would
    disturb nobody now. mem_free(): free heap in bytes; without it the heap is not measured. on_well(): once,
    when the boot is.
    """

    def __init__(
        self, trace, watchdog, flight, timing, on_trouble=None, is_idle=None, mem_free=None, on_well=None
    ) -> None:
        self._trace = trace
        self._watchdog = watchdog
        self._flight = flight
        self._timing = timing
        self._on_trouble = on_trouble
        self._is_idle = is_idle
        self._mem_free = mem_free
        self._services = []
        self._running = False
        self._heap_ms = 0
        self._on_well = on_well
        # Since when every service is at work and in time; None while one is not.
        self._well_ms: int = None

    def spawn(self, name: str, run, period_ms: int = PERIOD_MS) -> None:
        """Adds a service: `await run()` is its whole life. Started by run(), or now when that runs.

        It must call check_in(name) at least once in `period_ms` (None: it need not).
        """
        service = _Service(name, run, period_ms)
        self._services.append(service)
        if self._running:
            self._start(service)

    def check_in(self, name: str) -> None:
        """The service is alive and at work."""
        self._flight.task(name)
        for service in self._services:
            if service.name == name:
                service.seen_ms = self._timing.ms()

    def checker(self, name: str):
        """check_in of that name, as services take it: a function without arguments."""
        return lambda: self.check_in(name)

    def report(self, name: str, error) -> None:
        """A task within a service ended with this exception. The service itself goes on."""
        if isinstance(error, MemoryError):
            gc.collect()
        try:
            cause = cause_of(error)
        except MemoryError:
            cause = "MemoryError"
        self._flight.died(name, cause)
        self._trace("task_died", task=name, error=cause)

    def late(self):
        """Names of the services that keep the watchdog from being fed."""
        return [service.name for service in self._services if service.is_late]

    async def run(self) -> None:
        """Runs all services until cancelled; then ends them and waits for them."""
        self._running = True
        for service in self._services:
            self._start(service)
        try:
            while True:
                before_ms = self._timing.ms()
                await self._timing.sleep_ms(TICK_MS)
                now_ms = self._timing.ms()
                self._flight.stall(now_ms - before_ms - TICK_MS)
                self._watch(now_ms)
                self._judge(now_ms)
                self._measure(now_ms)
                self._flight.tick()
        finally:
            await self.close()

    async def close(self) -> None:
        """Ends every service, the last one first, and waits until each has ended."""
        self._running = False
        for service in reversed(self._services):
            task, service.task = service.task, None
            service.at_work = False
            if task is None:
                continue
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

    def _start(self, service: _Service) -> None:
        if service.task is None:
            service.task = asyncio.create_task(self._keep(service))

    async def _keep(self, service: _Service) -> None:
        while True:
            began_ms = self._timing.ms()
            service.seen_ms, service.at_work = began_ms, True
            error = await _lived(service.run)
            service.at_work = service.is_late = False
            self.report(service.name, error)
            # What the exception holds on to must not outlive the wait.
            error = None
            await self._timing.sleep_ms(self._pause_ms(service, self._timing.ms() - began_ms))

    def _pause_ms(self, service: _Service, lived_ms: int) -> int:
        if lived_ms >= WELL_MS:
            service.deaths_in_a_row = 0
        service.deaths_in_a_row += 1
        if service.deaths_in_a_row < DEATHS_MAX:
            return min(BACKOFF_MS << service.deaths_in_a_row - 1, BACKOFF_MAX_MS)
        if service.deaths_in_a_row == DEATHS_MAX:
            self._flight.error(service.name + " dies again and again")
            if self._on_trouble:
                self._on_trouble(service.name)
        return RETRY_MS

    def _watch(self, now_ms: int) -> None:
        all_well = True
        for service in self._services:
            if not service.at_work or service.period_ms is None:
                continue
            late = now_ms - service.seen_ms > service.period_ms
            if late:
                all_well = False
                if not service.is_late:
                    self._flight.late(service.name)
                    self._trace("late", task=service.name)
            service.is_late = late
        if all_well and self._watchdog is not None:
            self._watchdog.feed()

    def _judge(self, now_ms: int) -> None:
        # Whether the boot is well. What hears of it may write to flash: not into a recording.
        if self._on_well is None:
            return
        if any(not service.at_work or service.is_late for service in self._services):
            self._well_ms = None
        elif self._well_ms is None:
            self._well_ms = now_ms
        elif now_ms - self._well_ms >= BOOT_WELL_MS and (self._is_idle is None or self._is_idle()):
            on_well, self._on_well = self._on_well, None
            on_well()
            self._trace("well")

    def _measure(self, now_ms: int) -> None:
        if self._mem_free is None or now_ms - self._heap_ms < HEAP_EVERY_MS:
            return
        if self._is_idle is None or self._is_idle():
            self._heap_ms = now_ms
            garbage_too = self._mem_free()
            gc.collect()
            free = self._mem_free()
            self._flight.heap(free)
            self._trace("heap", free=free, lowest=garbage_too)


async def _lived(run):
    # A whole life of a service, and the exception that ended it.
    try:
        await run()
    except asyncio.CancelledError:
        raise
    except Exception as error:
        return error
    return RuntimeError("it ended by itself")
