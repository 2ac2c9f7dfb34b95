"""`time`, whose sleeps serve interrupts meanwhile, as the ESP32 port's do. Shorter ones keep the chip busy."""

import utime
import world
from utime import (
    gmtime,
    localtime,
    mktime,
    sleep_us,
    ticks_add,
    ticks_cpu,
    ticks_diff,
    ticks_ms,
    ticks_us,
    time,
    time_ns,
)

_SLICE_MS = 1


def sleep_ms(ms):
    """While nothing is attached it just sleeps."""
    here = world.current()
    if here is None:
        utime.sleep_ms(ms)
        return
    end_ms = utime.ticks_add(utime.ticks_ms(), ms)
    here.poll()
    left_ms = ms
    while left_ms > 0:
        utime.sleep_ms(min(left_ms, _SLICE_MS))
        here.poll()
        left_ms = utime.ticks_diff(end_ms, utime.ticks_ms())


def sleep(seconds):
    sleep_ms(int(seconds * 1000))
