"""Time that goes only when a test says so, in place of services/timing.Timing and of the ticks."""

import asyncio

_ROUNDS = 12


class Stepped:
    """ms(), sleep_ms() and wait() as Timing; ticks are the same milliseconds."""

    def __init__(self, start_ms=0):
        self.now_ms = start_ms
        self._due = []

    def ms(self):
        return self.now_ms

    async def sleep_ms(self, delay_ms):
        await self.passed_ms(delay_ms)

    async def passed_ms(self, delay_ms):
        """Waits until so much stepped time has passed."""
        await self._until(self.now_ms + delay_ms, None)

    async def wait(self, event, timeout_ms):
        await self._until(None if timeout_ms is None else self.now_ms + timeout_ms, event)
        return event.is_set()

    async def _until(self, due_ms, event):
        entry = [due_ms]
        self._due.append(entry)
        try:
            while (event is None or not event.is_set()) and (due_ms is None or self.now_ms < due_ms):
                await asyncio.sleep(0)
        finally:
            self._due.remove(entry)

    async def turn(self):
        """Lets the others have their turn; no time passes before this one comes again."""
        entry = [self.now_ms]
        self._due.append(entry)
        await asyncio.sleep(0)
        self._due.remove(entry)

    async def settle(self):
        """Lets everybody do what they can without time."""
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)

    async def step(self, delay_ms):
        """Lets time pass, stopping wherever somebody is due."""
        end_ms = self.now_ms + delay_ms
        await self.settle()
        while True:
            due = [entry[0] for entry in self._due if entry[0] is not None and entry[0] <= end_ms]
            if not due:
                break
            # Somebody may have taken time for himself, as flash does.
            self.now_ms = max(self.now_ms, min(due))
            await self.settle()
        self.now_ms = max(self.now_ms, end_ms)
        await self.settle()

    async def step_to(self, at_ms):
        """As step(), to a time."""
        await self.step(at_ms - self.now_ms)


class Traced:
    """trace(event, **fields) that remembers, with the time."""

    def __init__(self, timing):
        self._timing = timing
        self.events = []

    def __call__(self, event, **fields):
        self.events.append((self._timing.now_ms, event, fields))

    def of(self, *names):
        """[(ms, fields)] of these events."""
        return [(ms, fields) for ms, event, fields in self.events if event in names]

    def names(self, *but):
        """The events in order, but for these."""
        return [event for _, event, _ in self.events if event not in but]


async def ended(task):
    """Cancels a task and waits for its end."""
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
