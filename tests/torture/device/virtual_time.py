"""MicroPython's own asyncio on a clock that moves only when every task waits.

`install()` comes before anything of the product is imported: `time` is this world's from then on, wrapped at
2**30 ms as on the device, and asyncio waits in it. Ready tasks keep the real time as their key, which is always
less than the virtual: they go first, in the order in which they became ready, so a run is the same each time.
"""

import asyncio
import heapq
import sys
from asyncio import core

# Far ahead of any real clock's milliseconds.
_AHEAD_MS = 1 << 40
_PERIOD = 1 << 30
# A turn of the loop costs something: two tasks that wake each other cannot stop the time.
_TURN_US = 20
_POLL = 3
_IN, _OUT = 1, 4


class Stuck(BaseException):
    """Nothing would ever happen again."""


class World:
    """Virtual time, and what happens at a time. `ticks_at_start` is what the pin's ticks_ms() says at first."""

    def __init__(self, ticks_at_start: int = 0):
        self.now_us = 0
        self.ticks_at_start = ticks_at_start
        self._events = []
        self._serial = 0
        self._streams = None

    @property
    def now_ms(self) -> int:
        """Milliseconds since the world began."""
        return self.now_us // 1000

    @property
    def ticks_ms(self) -> int:
        """What the pin's ticks_ms() says now."""
        return self.ticks_at_start + self.now_ms & _PERIOD - 1

    def at_us(self, due_us: int, act, *arguments):
        """act(*arguments) at that time, between two turns of the loop; in the past means now. What it raises ends
        the run. Returns an entry for cancel()."""
        self._serial += 1
        entry = [max(due_us, self.now_us), self._serial, act, arguments]
        heapq.heappush(self._events, entry)
        return entry

    def after_ms(self, delay_ms, act, *arguments):
        """As at_us."""
        return self.at_us(self.now_us + int(delay_ms * 1000), act, *arguments)

    def cancel(self, entry) -> None:
        """That will not happen. Harmless when it has."""
        entry[2] = None

    def spend_us(self, us: int) -> None:
        """The interpreter is held for so long; what is due meanwhile comes late."""
        self.now_us += us

    def run(self, coroutine):
        """asyncio.run in this world, with a loop of its own; what an earlier one left behind never goes on."""
        asyncio.new_event_loop()
        self._streams = core._io_queue = _Streams(self)
        attach(self)
        return asyncio.run(coroutine)

    def happen(self) -> None:
        """Everything that is due."""
        events = self._events
        while events and events[0][0] <= self.now_us:
            _, _, act, arguments = heapq.heappop(events)
            if act is not None:
                act(*arguments)

    def skip(self, until_us) -> None:
        """On to the next event, `until_us` at the latest (None: whenever that is)."""
        due_us = self._events[0][0] if self._events else None
        if due_us is None or (until_us is not None and until_us < due_us):
            due_us = until_us
        if due_us is None:
            raise Stuck("every task waits, and nothing is to happen")
        self.now_us = max(self.now_us, due_us)
        self.happen()


class _Streams:
    """In the place of asyncio's IOQueue: asks streams by their ioctl, and lets the time go."""

    def __init__(self, world: World):
        self._world = world
        # id of the stream: [reading task, writing task, stream]
        self.map = {}

    def queue_read(self, stream):
        self._enqueue(stream, 0)

    def queue_write(self, stream):
        self._enqueue(stream, 1)

    def _enqueue(self, stream, side):
        entry = self.map.setdefault(id(stream), [None, None, stream])
        entry[side] = core.cur_task
        # How Task.cancel finds the task again.
        core.cur_task.data = self

    def remove(self, task):
        for key, entry in list(self.map.items()):
            if entry[0] is task or entry[1] is task:
                del self.map[key]

    def wait_io_event(self, dt_ms):
        # -1: no task waits for a time; the loop relies on one being ready afterwards.
        world = self._world
        world.now_us += _TURN_US
        world.happen()
        if self._ask() or not dt_ms:
            return
        if dt_ms > 0:
            world.skip((world.now_ms + dt_ms) * 1000)
            self._ask()
            return
        while core._task_queue.peek() is None:
            world.skip(None)
            self._ask()

    def _ask(self):
        found = False
        for key, entry in list(self.map.items()) if self.map else ():
            reading, writing, stream = entry
            ready = stream.ioctl(_POLL, (_IN if reading else 0) | (_OUT if writing else 0))
            if ready & _IN and reading:
                core._task_queue.push(reading)
                entry[0] = None
            if ready & _OUT and writing:
                core._task_queue.push(writing)
                entry[1] = None
            if entry[0] is None and entry[1] is None:
                del self.map[key]
            found = found or bool(ready)
        return found


_worlds = [World()]


def attach(world: World) -> None:
    """The clock is this world's from now on."""
    _worlds[0] = world


def _core_ticks() -> int:
    return _AHEAD_MS + _worlds[0].now_ms


class _Time:
    """What the product imports as `time`."""

    @staticmethod
    def ticks_ms():
        return _worlds[0].ticks_ms

    @staticmethod
    def ticks_us():
        return _worlds[0].now_us & _PERIOD - 1

    @staticmethod
    def ticks_add(ticks, delta):
        return ticks + delta & _PERIOD - 1

    @staticmethod
    def ticks_diff(end, start):
        return (end - start + _PERIOD // 2 & _PERIOD - 1) - _PERIOD // 2


class _Os:
    """The module `os` with a repeatable urandom."""

    def __init__(self, real):
        self._real = real
        self.random = None

    def __getattr__(self, name):
        return getattr(self._real, name)

    def urandom(self, count):
        return self.random(count)


def install() -> None:
    """Once, before anything of the product is imported."""
    import os

    core.ticks = _core_ticks
    sys.modules["time"] = _Time
    sys.modules["os"] = _Os(os)


def seed(random) -> None:
    """`random(n) -> bytes` is what os.urandom gives from now on."""
    sys.modules["os"].random = random
