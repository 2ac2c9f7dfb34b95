"""The button's raw contacts: every edge with its time, in groups of what belongs together."""

import asyncio
import time
from array import array

from bench import say
from lapel.compat import ticks_diff, ticks_us

_EDGES = 600
_APART_MS = 30
_LOOKS = 20


class Edges:
    """An interrupt stores time and level, nothing else."""

    def __init__(self, pin):
        self.times_us = array("i", bytes(4 * _EDGES))
        self.levels = bytearray(_EDGES)
        self.begun_us = ticks_us()
        self.count = 0
        self.lost = 0
        self._pin = pin
        pin.irq(self._note, pin.IRQ_RISING | pin.IRQ_FALLING)

    def _note(self, pin):
        n = self.count
        if n == _EDGES:
            self.lost += 1
            return
        self.times_us[n] = ticks_diff(ticks_us(), self.begun_us)
        self.levels[n] = pin.value()
        self.count = n + 1

    def age_us(self, n):
        """How long ago edge `n` was."""
        return ticks_diff(ticks_us(), self.begun_us) - self.times_us[n]

    def close(self):
        self._pin.irq(None)


async def run(board, presses, timeout_ms):
    """Until the button was pressed and let go that often, or `timeout_ms` went by."""
    pin = board.button.pin
    idle = 0
    for _ in range(_LOOKS):
        idle += pin.value()
        await asyncio.sleep_ms(5)
    say("idle", high=idle, looks=_LOOKS, pressed_level=board.button.pressed_level)
    edges = Edges(pin)
    try:
        begun_ms = time.ticks_ms()
        before = pin.value()
        at = 0
        done = 0
        while done < 2 * presses and time.ticks_diff(time.ticks_ms(), begun_ms) < timeout_ms:
            await asyncio.sleep_ms(5)
            n = edges.count
            if n == at or edges.age_us(n - 1) < _APART_MS * 1000:
                continue
            level = pin.value()
            # a knock that ends where it began is no press
            name = "knock" if level == before else "edges"
            done += level != before
            before = level
            bounce_us = edges.times_us[n - 1] - edges.times_us[at]
            say(name, level=level, count=n - at, bounce_us=bounce_us)
            at = n
        say("ended", level=pin.value(), lost=edges.lost, edges=edges.count)
    finally:
        edges.close()
