"""The world of a board on the simulator: what its parts do goes over the bus, and what happens to it comes from
there."""

import asyncio
import io
import json
import os
import time

import nor
import parts
import world
from machine import reserve_dma

import bus

_WDT = 2
_FEED = 3
_RESET = 4
_RTC_LOAD = 5
_RTC_SAVE = 6
_MISUSE = 9
_SLEEP = 10
_BATTERY = 0x41
_MIC_OPEN = 1
_MIC_CLOSE = 2
_MIC_OVERRUN = 3
_TOLD = 1

_FRAME_BYTES = 1024
_DMA_BYTES = 40000
_POLL = 3


class BusWorld(world.World):
    """`link` is the bus. `is_hardware`: parts were listed, and the flash is to be "/"."""

    is_hardware = False

    def __init__(self, link):
        super().__init__()
        self._link = link
        self.cause = int(os.getenv("LAPEL_SIM_RESET_CAUSE", str(world.PWRON_RESET)))
        self.uid = bytes.fromhex(os.getenv("LAPEL_SIM_UID", "000000000000"))
        link.handle(bus.SYSTEM, self._system)
        link.handle(bus.BUTTON, self._button)

    def serve(self):
        self._link.poll()
        super().serve()

    def _system(self, op, body, n):
        if op == _BATTERY and n == 2:
            self.set_battery(body[0] | body[1] << 8 or None)

    def _button(self, op, body, n):
        self.press(body[0])

    def tell(self, what, value):
        if what == "haptic":
            self._link.send(bus.HAPTIC, _TOLD, bytes((value,)))
        elif what == "led":
            self._link.send(bus.LED, _TOLD, bytes(value))
        elif what == "misuse":
            self._link.send(bus.SYSTEM, _MISUSE, value.encode())

    def trace(self, event, **fields):
        """An event of the port itself, for who is watching."""
        fields["event"] = event
        self._link.send(bus.TRACE, _TOLD, json.dumps(fields).encode())

    def start_watchdog(self, timeout_ms):
        self._link.send(bus.SYSTEM, _WDT, None, 2, timeout_ms & 0xFFFF, timeout_ms >> 16)

    def feed_watchdog(self):
        self._link.send(bus.SYSTEM, _FEED)

    def load_rtc(self):
        link = self._link
        kept = b""
        while True:
            n = link.call(bus.SYSTEM, _RTC_LOAD, None, 1, len(kept))
            if not n:
                return kept
            kept += memoryview(link.answer)[:n]

    def save_rtc(self, data):
        # a frame holds 1 kB of it; the one at 0 begins it anew
        view = memoryview(data)
        for at in range(0, max(1, len(data)), _FRAME_BYTES):
            self._link.send(bus.SYSTEM, _RTC_SAVE, view[at : at + _FRAME_BYTES], 1, at)

    def open_mic(self, ring, pins, rate_hz, blocks):
        # on other pins there is a clock as well, and silence
        wired = self.mic_pins is None or pins == self.mic_pins
        self._link.connect_mic(ring)
        head = bytes((blocks & 0xFF, blocks >> 8, wired))
        self._link.send(bus.MIC, _MIC_OPEN, head, 2, rate_hz & 0xFFFF, rate_hz >> 16)

    def close_mic(self):
        self._link.connect_mic(None)
        self._link.send(bus.MIC, _MIC_CLOSE)

    def overrun(self, blocks):
        # the port says nothing of it; the simulator is told, for the record
        self._link.send(bus.MIC, _MIC_OVERRUN, None, 1, blocks)

    def reset(self):
        self._link.send(bus.SYSTEM, _RESET)
        self._wait()

    def sleep(self, ms):
        # 0: for good
        ms = min(ms or 0, 0xFFFFFFFF)
        self._link.send(bus.SYSTEM, _SLEEP, None, 2, ms & 0xFFFF, ms >> 16)
        self._wait()

    def _wait(self):
        # the simulator ends this process; it ends with the simulator, if that is gone
        while True:
            self._link.poll()
            time.sleep_ms(100)


def join():
    """Puts the chip into the simulator's world, with the parts that LAPEL_SIM_PARTS lists (JSON; without it the classic
    board's), and polls it whenever a program runs asyncio. Gives the world."""
    # on the chip no part of Python's heap: taken before anything else is
    reserve_dma(_DMA_BYTES)
    link = bus.connect()
    bus.attach(link)
    here = BusWorld(link)
    world.attach(here)
    here.flash = nor.open_flash(link)
    listed = os.getenv("LAPEL_SIM_PARTS")
    here.is_hardware = bool(listed)
    parts.wire(here, json.loads(listed) if listed else parts.CLASSIC)
    # what the simulator says of battery and button at once
    here.poll()
    # the tasks of a program are not there yet: this one waits in the queue for whoever runs asyncio first
    asyncio.create_task(asyncio.StreamReader(_Pump(here)).read(1))
    return here


class _Pump(io.IOBase):
    """Polls the world whenever asyncio polls: a stream that is never ready."""

    def __init__(self, polled):
        self._world = polled

    def ioctl(self, op, arg):
        if op == _POLL:
            self._world.poll()
            return 0
        return -1

    def read(self, n):
        return None
