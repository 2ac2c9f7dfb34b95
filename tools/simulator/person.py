"""The person who wears the pin: presses, speaks when it listens, lets go."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Awaitable, Callable

from simulator.events import Event, Timeline
from simulator.hardware import Button
from simulator.mic import Microphone
from simulator.wav import RATE_HZ

LISTEN_S = 2.5
TAP_S = 0.08
GAP_S = 0.12
# Between two acts; closer presses would belong together (300 ms), and no finger is as quick as a script.
APART_S = 0.4

# seen(name, start, timeout_s): that event of the timeline from index start, None when it does not come
Seen = Callable[[str, int, float], Awaitable[Event | None]]


class Person:
    """Acts through button and microphone; every act is in the timeline. `awake()` says whether the pin has
    power."""

    def __init__(
        self, timeline: Timeline, button: Button, mic: Microphone, awake: Callable[[], bool], seen: Seen
    ) -> None:
        self._timeline = timeline
        self._button = button
        self._mic = mic
        self._awake = awake
        self._seen = seen
        self._released_s = -APART_S

    async def hold(self, sound: array[int], name: str) -> None:
        """Press, speak 16-bit samples at 16 kHz once the pin listens, let go at the end."""
        await self._apart()
        await self._hold(sound, name)

    async def _hold(self, sound: array[int], name: str) -> None:
        begun = len(self._timeline.events)
        await self.press()
        if self._awake() and await self._seen("listening", begun, LISTEN_S):
            self._timeline.add("sim", "speak", file=name, seconds=round(len(sound) / RATE_HZ, 2))
            end_s = self._timeline.now_s() + len(sound) / RATE_HZ
            await self._mic.play(sound)
            # who speaks does not notice that the pin has ended by itself
            if self._awake() and end_s > self._timeline.now_s():
                await asyncio.sleep(end_s - self._timeline.now_s())
        else:
            self._timeline.add("sim", "not_listening", file=name)
        await self.release()

    async def reply(self, sound: array[int], name: str) -> None:
        """A tap, then a hold."""
        await self.tap(1)
        await asyncio.sleep(GAP_S)
        await self._hold(sound, name)

    async def tap(self, count: int) -> None:
        """Short presses."""
        await self._apart()
        for i in range(count):
            if i:
                await asyncio.sleep(GAP_S)
            await self.press()
            await asyncio.sleep(TAP_S)
            await self.release()

    async def press(self) -> None:
        """Button down."""
        self._timeline.add("sim", "press")
        await self._button.press()

    async def release(self) -> None:
        """Button up."""
        self._timeline.add("sim", "release")
        await self._button.release()
        self._released_s = self._timeline.now_s()

    async def _apart(self) -> None:
        wait_s = self._released_s + APART_S - self._timeline.now_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
