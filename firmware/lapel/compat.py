"""The one place that asks which Python this is. MicroPython's names on both; callers never ask again."""

import asyncio
import sys

# The type checker takes this name for true or false; it does not see through the comparison.
ON_DEVICE = sys.implementation.name == "micropython"

if ON_DEVICE:
    from asyncio import ThreadSafeFlag, sleep_ms, wait_for_ms
    from sys import print_exception
    from time import ticks_add, ticks_diff, ticks_ms, ticks_us

    from micropython import const
else:
    import time
    import traceback
    from collections.abc import Awaitable
    from typing import TextIO, TypeVar

    _T = TypeVar("_T")

    # 2**30 is the period of a 32-bit port's ticks: host tests meet the wrap too.
    _PERIOD = 1 << 30
    _HALF = _PERIOD >> 1

    def const(value: int) -> int:
        """The value itself: on MicroPython the compiler puts it in place of the name."""
        return value

    def ticks_ms() -> int:
        """Milliseconds of a clock that only goes forward, wrapped at 2**30."""
        return time.monotonic_ns() // 1_000_000 & _PERIOD - 1

    def ticks_us() -> int:
        """Microseconds of a clock that only goes forward, wrapped at 2**30."""
        return time.monotonic_ns() // 1000 & _PERIOD - 1

    def ticks_add(ticks: int, delta: int) -> int:
        """The tick `delta` after (or before) `ticks`, wrapped."""
        return ticks + delta & _PERIOD - 1

    def ticks_diff(end: int, start: int) -> int:
        """end - start over the wrap, right while the two are less than half a period apart."""
        return (end - start + _HALF & _PERIOD - 1) - _HALF

    def print_exception(error: BaseException, out: "TextIO") -> None:
        """Error and traceback, the oldest frame first, to `out`."""
        traceback.print_exception(error, file=out)

    async def sleep_ms(delay_ms: int) -> None:
        """Waits `delay_ms` milliseconds."""
        await asyncio.sleep(delay_ms / 1000)

    async def wait_for_ms(awaitable: "Awaitable[_T]", timeout_ms: int) -> "_T":
        """The awaitable's result. Raises asyncio.TimeoutError, and cancels it, after `timeout_ms`."""
        return await asyncio.wait_for(awaitable, timeout_ms / 1000)

    class ThreadSafeFlag:
        """A flag that an interrupt (here: any thread) sets and one task waits for; waiting clears it."""

        def __init__(self) -> None:
            self._is_set = False
            self._loop: asyncio.AbstractEventLoop | None = None
            self._event: asyncio.Event | None = None

        def set(self) -> None:
            """Sets the flag and wakes the waiting task. Safe from any thread."""
            self._is_set = True
            loop, event = self._loop, self._event
            if loop is not None and event is not None:
                try:
                    loop.call_soon_threadsafe(event.set)
                except RuntimeError:
                    # The waiter's loop has ended: the flag stays set for the next one.
                    self._loop = self._event = None

        def clear(self) -> None:
            """Forgets an earlier set()."""
            self._is_set = False

        async def wait(self) -> None:
            """Waits for set() and clears the flag. One task at a time."""
            self._loop = asyncio.get_running_loop()
            self._event = event = asyncio.Event()
            try:
                while not self._is_set:
                    event.clear()
                    await event.wait()
                self._is_set = False
            finally:
                self._loop = self._event = None
