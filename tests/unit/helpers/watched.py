"""What a supervisor needs, with a clock that only goes when the test says so."""

import asyncio

from lapel.services.supervisor import (
    Supervisor,
)


class SteppedTiming:
    """services/timing.Timing whose time is moved by hand."""

    def __init__(self):
        self.now_ms = 0
        self._sleepers = []

    def ms(self):
        return self.now_ms

    async def sleep_ms(self, delay_ms):
        await self.passed_ms(delay_ms)

    async def passed_ms(self, delay_ms):
        """Waits until so much stepped time has passed."""
        entry = (self.now_ms + delay_ms, asyncio.Event())
        self._sleepers.append(entry)
        try:
            await entry[1].wait()
        finally:
            self._sleepers.remove(entry)

    async def step(self, ms):
        """Lets so much time pass, waking who is due on the way, in order."""
        end_ms = self.now_ms + ms
        await self.settle()
        while True:
            due = [at for at, event in self._sleepers if at <= end_ms and not event.is_set()]
            if not due:
                break
            self.now_ms = max(self.now_ms, min(due))
            for at, event in list(self._sleepers):
                if at <= self.now_ms:
                    event.set()
            await self.settle()
        self.now_ms = end_ms

    async def settle(self):
        for _ in range(8):
            await asyncio.sleep(0)


class FakeFlight:
    def __init__(self):
        self.told = []
        self.at_work = None
        self.ticks = 0

    def task(self, name):
        self.at_work = name

    def tick(self):
        self.ticks += 1

    def stall(self, ms):
        if ms > 0:
            self.told.append(("stall", ms))

    def died(self, task, error):
        self.told.append(("died", task, error))

    def late(self, task):
        self.told.append(("late", task))

    def error(self, text):
        self.told.append(("error", text))

    def heap(self, free):
        self.told.append(("heap", free))


class FakeWatchdog:
    def __init__(self):
        self.fed = 0

    def feed(self):
        self.fed += 1


class Bench:
    """A supervisor and everything around it."""

    def __init__(self, **options):
        self.timing = SteppedTiming()
        self.flight = FakeFlight()
        self.watchdog = FakeWatchdog()
        self.traced = []
        self.trouble = []
        self.supervisor = Supervisor(
            self.trace, self.watchdog, self.flight, self.timing, self.trouble.append, **options
        )
        self.task = None

    def trace(self, event, **fields):
        self.traced.append((event, fields))

    async def start(self):
        self.task = asyncio.create_task(self.supervisor.run())
        await self.timing.settle()

    async def stop(self):
        self.task.cancel()
        try:
            await self.task
        except asyncio.CancelledError:
            pass

    def deaths(self):
        return [fields for event, fields in self.traced if event == "task_died"]


class Worker:
    """A service that checks in each `every_ms`, and dies in its lives of `dies` after so many ms."""

    def __init__(self, bench, name, every_ms=1000, dies=()):
        self.starts = []
        self.ended = 0
        self._bench = bench
        self._check_in = bench.supervisor.checker(name)
        self._every_ms = every_ms
        self._dies = list(dies)

    async def run(self):
        timing = self._bench.timing
        self.starts.append(timing.ms())
        lives_ms = self._dies.pop(0) if self._dies else None
        try:
            if lives_ms is not None:
                await timing.passed_ms(lives_ms)
                raise OSError(5)
            while True:
                self._check_in()
                await timing.passed_ms(self._every_ms)
        finally:
            self.ended += 1
