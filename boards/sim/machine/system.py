"""The chip as a whole: resets, watchdog, RTC memory, clock, sleep (MicroPython's ESP32 port: modmachine.c,
machine_wdt.c, machine_rtc.c)."""

import time

import world

PWRON_RESET = world.PWRON_RESET
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4

SLEEP = 2
DEEPSLEEP = 4

_CLOCKS_MHZ = (20, 40, 80, 160, 240)


class WDT:
    """Resets the chip when it is not fed for `timeout` ms. Made again, it has the new time; nothing stops it."""

    def __init__(self, id=0, timeout=5000):
        if id:
            raise ValueError("WDT({}) doesn't exist".format(id))
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        self._world = world.attached()
        self._world.start_watchdog(timeout)

    def feed(self):
        self._world.feed_watchdog()


class RTC:
    """2 kB of memory that survive a reset but not the loss of power; the clock is this computer's."""

    def memory(self, data=None):
        here = world.attached()
        if data is None:
            return here.load_rtc()
        if len(data) > world.RTC_BYTES:
            raise ValueError("buffer too long")
        here.save_rtc(data)
        return None

    def datetime(self):
        """(year, month, day, weekday from 0 for Monday, hours, minutes, seconds, microseconds)"""
        now = time.localtime()
        return (now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0)


def reset_cause():
    return world.attached().cause


def wake_reason():
    """What ended the deep sleep; 0 when that was none."""
    return TIMER_WAKE if world.attached().cause == DEEPSLEEP_RESET else 0


def unique_id():
    return world.attached().uid


def freq(hz=None):
    """The clock in Hz, or a new one: 20, 40, 80, 160 or 240 MHz. It changes nothing here."""
    here = world.attached()
    if hz is None:
        return here.clock_hz
    if hz not in [mhz * 1_000_000 for mhz in _CLOCKS_MHZ]:
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    here.clock_hz = hz
    return None


def reset():
    world.attached().reset()


def soft_reset():
    raise SystemExit


def idle():
    world.attached().poll()


def lightsleep(time_ms=None):
    """The radio does not survive it on the chip (micropython#6396); here nothing happens but the time."""
    if time_ms is None:
        raise ValueError("the simulated chip wakes from light sleep by time only")
    time.sleep_ms(time_ms)


def deepsleep(time_ms=None):
    """Ends in a reset after that time; without one the chip sleeps until it loses power."""
    world.attached().sleep(time_ms)


def disable_irq():
    return 0


def enable_irq(state=0):
    pass
