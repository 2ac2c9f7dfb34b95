"""What hangs on the pin's other wires: button, haptic, LED, battery, watchdog, retained memory, and its
trace."""

from __future__ import annotations

import asyncio
import json
import random
import struct
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from simulator.bus import Bus, Channel
from simulator.measured import Measured

LEVEL = 0x41
PRESSED, RELEASED = 0, 1
BOUNCES_MAX = 3
BOUNCE_S = 0.0015

BATTERY = 0x41
WDT_START, WDT_FEED, RESET, RTC_LOAD, RTC_SAVE, LOST, END, MISUSE, SLEEP = 2, 3, 4, 5, 6, 7, 8, 9, 10
RTC_BYTES = 2048
RTC_FRAME_BYTES = 1024

# haptic and LED as they were driven: (seconds, value), the newest of them
HISTORY = 4096

Trace = Callable[[dict[str, Any]], None]


class How(IntEnum):
    """How the firmware's main came to its end (boards/sim/port.py)."""

    RETURNED = 0
    RAISED = 1
    INTERRUPTED = 2
    SOFT_RESET = 3


class Button:
    """A switch to ground. Its contacts bounce a little on every edge, seeded."""

    def __init__(self, bus: Bus, seed: int, measured: Measured) -> None:
        self._bus = bus
        self._measured = measured
        self._random = random.Random(seed)
        self.pressed = False

    async def press(self) -> None:
        """Down; returns when the contacts are quiet."""
        await self._edge(True)

    async def release(self) -> None:
        """Up; returns when the contacts are quiet."""
        await self._edge(False)

    async def _edge(self, pressed: bool) -> None:
        if pressed == self.pressed:
            return
        self.pressed = pressed
        level = PRESSED if pressed else RELEASED
        self._bus.send(Channel.BUTTON, LEVEL, bytes([level]))
        measured_us = self._measured.pick(self._measured.bounce_us, self._random)
        if measured_us is not None:
            if measured_us:
                self._bus.send(Channel.BUTTON, LEVEL, bytes([1 - level]))
                await asyncio.sleep(measured_us / 1_000_000)
                self._bus.send(Channel.BUTTON, LEVEL, bytes([level]))
            return
        for _ in range(self._random.randint(0, BOUNCES_MAX)):
            for bounced in (1 - level, level):
                await asyncio.sleep(self._random.random() * BOUNCE_S)
                self._bus.send(Channel.BUTTON, LEVEL, bytes([bounced]))


class Hardware:
    """Wires a bus to its devices. Callbacks: `on_trace(fields)`, `on_reset(cause)` with "reset" or
    "watchdog", `on_end(how, traceback)` when main has ended, `on_sleep(seconds)` for deep sleep (0: for
    good), `on_misuse(sentence)` when a chip was used against its data sheet, `on_drive()` when haptic or LED
    changed."""

    def __init__(self, bus: Bus, seed: int, now: Callable[[], float], measured: Measured | None = None) -> None:
        self.button = Button(bus, seed, measured or Measured())
        self.battery_mv = 3900
        self.haptic: deque[tuple[float, int]] = deque(maxlen=HISTORY)
        self.led: deque[tuple[float, tuple[int, int, int]]] = deque(maxlen=HISTORY)
        self.retained = b""
        self.on_trace: Trace = lambda fields: None
        self.on_reset: Callable[[str], None] = lambda cause: None
        self.on_end: Callable[[How, str], None] = lambda how, text: None
        self.on_sleep: Callable[[float], None] = lambda seconds: None
        self.on_misuse: Callable[[str], None] = lambda sentence: None
        self.on_drive: Callable[[], None] = lambda: None
        self.on_lost: Callable[[int], None] = lambda frames: None
        self._bus = bus
        self._now = now
        self._watchdog_s = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        bus.on_board = self._board
        bus.handle(Channel.SYSTEM, self._system)
        bus.handle(Channel.TRACE, self._trace)
        bus.handle(Channel.HAPTIC, self._haptic)
        bus.handle(Channel.LED, self._led)

    def set_battery(self, mv: int) -> None:
        """What the fuel gauge reads from now on."""
        self.battery_mv = mv
        self._bus.send(Channel.SYSTEM, BATTERY, struct.pack("<H", mv))

    def power_lost(self) -> None:
        """What only lives while there is power is gone."""
        self.retained = b""
        self.stopped()

    def stopped(self) -> None:
        """The chip does nothing any more."""
        self._stop_watchdog()

    def _board(self) -> None:
        self.set_battery(self.battery_mv)
        if self.button.pressed:
            self._bus.send(Channel.BUTTON, LEVEL, bytes([PRESSED]))

    def _system(self, op: int, payload: bytes) -> None:
        if op == WDT_START:
            self._watchdog_s = struct.unpack("<I", payload)[0] / 1000
            self._feed()
        elif op == WDT_FEED:
            self._feed()
        elif op == RESET:
            self._stop_watchdog()
            self.on_reset("reset")
        elif op == END:
            self.on_end(How(struct.unpack_from("<H", payload)[0]), payload[2:].decode(errors="replace"))
        elif op == MISUSE:
            self.on_misuse(payload.decode(errors="replace"))
        elif op == SLEEP:
            self.stopped()
            self.on_sleep(struct.unpack("<I", payload)[0] / 1000)
        elif op == LOST:
            self.on_lost(struct.unpack("<H", payload)[0])
        elif op == RTC_LOAD:
            at = struct.unpack("<H", payload)[0]
            self._bus.answer(Channel.SYSTEM, op, self.retained[at : at + RTC_FRAME_BYTES])
        elif op == RTC_SAVE:
            at = struct.unpack_from("<H", payload)[0]
            self.retained = (self.retained[:at] + payload[2:])[:RTC_BYTES]

    def _feed(self) -> None:
        self._stop_watchdog()
        self._watchdog = asyncio.get_running_loop().call_later(self._watchdog_s, self._bite)

    def _bite(self) -> None:
        self._watchdog = None
        self.on_reset("watchdog")

    def _stop_watchdog(self) -> None:
        if self._watchdog:
            self._watchdog.cancel()
            self._watchdog = None

    def _trace(self, op: int, payload: bytes) -> None:
        try:
            fields = json.loads(payload)
        except ValueError:
            fields = {"event": "bad_trace", "line": payload.decode(errors="replace")}
        if isinstance(fields, dict):
            self.on_trace(fields)

    def _haptic(self, op: int, payload: bytes) -> None:
        self.haptic.append((self._now(), payload[0]))
        self.on_drive()

    def _led(self, op: int, payload: bytes) -> None:
        self.led.append((self._now(), (payload[0], payload[1], payload[2])))
        self.on_drive()


def printed(line: str) -> dict[str, Any]:
    """The event that a real board prints as a line of JSON; nothing for any other line."""
    if not line.startswith("{"):
        return {}
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) and "event" in fields else {}
