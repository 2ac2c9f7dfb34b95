"""A motor and a light that write down what they do, and the feedback that drives them, in stepped time."""

import asyncio

from stepped import Stepped, Traced, ended

from lapel.core import pattern
from lapel.services.feedback import Feedback


class Haptic:
    def __init__(self, timing):
        self.timing = timing
        self.calls = []

    def drive(self, strength):
        if not self.calls or self.calls[-1][1] != strength:
            self.calls.append((self.timing.now_ms, strength))


class Led:
    def __init__(self, timing):
        self.timing = timing
        self.calls = []
        self.now = (0, 0, 0)

    def show(self, r, g, b):
        self.now = (r, g, b)
        self.calls.append((self.timing.now_ms, self.now))


class Bench:
    def __init__(self):
        self.timing = Stepped()
        self.trace = Traced(self.timing)
        self.haptic = Haptic(self.timing)
        self.led = Led(self.timing)
        self.feedback = Feedback(self.haptic, self.led, self.trace, self.timing)
        self.show = self.feedback.show
        self.step = self.timing.step

    async def __aenter__(self):
        self.task = asyncio.create_task(self.feedback.run())
        await self.timing.settle()
        return self

    async def __aexit__(self, *_):
        await ended(self.task)
        await self.feedback.close()
        assert self.haptic.calls == [] or self.haptic.calls[-1][1] == 0

    def played(self):
        """[(ms, pattern)] that were felt."""
        return [(ms, fields["pattern"]) for ms, fields in self.trace.of("haptic")]

    def buzzes(self):
        """[(start, length)] of what the motor did."""
        calls = self.haptic.calls
        return [(calls[i][0], calls[i + 1][0] - calls[i][0]) for i in range(len(calls) - 1) if calls[i][1]]


def rhythm(name, start, count=0):
    out, t = [], start
    for letter in pattern.haptic(name, count):
        length = pattern.LENGTHS_MS[letter]
        if letter not in pattern.PAUSES:
            out.append((t, length))
        t += length
    return out
