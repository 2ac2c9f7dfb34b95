"""What is around the chip: the levels on its pins, the parts that hang on them, and who hears what they do.

A World lasts as long as the interpreter; `machine`, `esp32` and `port` ask for the attached one. This one keeps all
it is told, for tests that run in one process on either Python; bus_world.BusWorld speaks to the simulator.
"""

import sys
import time

import chips

PWRON_RESET = 1
RTC_BYTES = 2048

# Output, and output that only pulls down (GPIO_MODE_INPUT_OUTPUT and its open-drain form).
OUT = 3
OPEN_DRAIN = 7
PULL_UP = 2
FULL_U16 = 65535


class Clock:
    """Counts up from 0, although the ticks of `time` wrap; it misses whole periods of theirs in which nobody asks."""

    def __init__(self, name, one_ns):
        # Looked up when asked: on MicroPython `time` is the one beside this, which imports this module first.
        self._name = name
        self._one_ns = one_ns
        self._last = None
        self._now = 0

    def __call__(self):
        if not hasattr(time, "ticks_add"):
            # CPython
            return time.monotonic_ns() // self._one_ns
        ticks = getattr(time, self._name)()
        if self._last is not None:
            self._now += (ticks - self._last) & time.ticks_add(0, -1)
        self._last = ticks
        return self._now


class Gpio:
    """One pin: what the chip does with it, and what is outside."""

    def __init__(self):
        self.mode = 0
        self.pull = 0
        self.latch = 0
        self.held = False
        # None while nothing outside drives it
        self.outside = None
        self.handler = None
        self.trigger = 0
        # share of high level while a PWM drives it, else None
        self.duty_u16 = None
        # who hears that share when it changes: follow(u16)
        self.followers = []
        # who takes machine.bitstream's: take(timing_ns, data)
        self.bits = None
        # microvolts at the pin: uv(), None for unknown
        self.uv = None

    def level(self):
        """0 or 1 at the pin. One that floats reads 0."""
        if self.mode == OUT or (self.mode == OPEN_DRAIN and not self.latch):
            return self.latch
        if self.outside is not None:
            return self.outside
        return int(bool(self.pull & PULL_UP))

    def driven_u16(self):
        """What the chip drives, as a share of high level."""
        if self.duty_u16 is not None:
            return self.duty_u16
        return FULL_U16 * self.latch if self.mode == OUT else 0


class World:
    """`ticks_ms()` is the time of parts and timers, the chip's own unless it is given. `heard` holds (what, value) of
    all that parts told."""

    def __init__(self, ticks_ms=None):
        self.now_ms = ticks_ms or Clock("ticks_ms", 1_000_000)
        self.now_us = (lambda: ticks_ms() * 1000) if ticks_ms else Clock("ticks_us", 1000)
        self.heard = []
        self.battery_mv = None
        self.cause = PWRON_RESET
        self.uid = bytes(6)
        self.clock_hz = 240_000_000
        # the flash as a block device, None where there is none
        self.flash = None
        self.rtc = b""
        # time-out of a running watchdog, and how often it was fed
        self.watchdog_ms = None
        self.feeds = 0
        # clock, word select and data of the microphone; None: on whichever pins it is looked for
        self.mic_pins = None
        self.mic = None
        # GPIOs that a button pulls to ground
        self.buttons = []
        # chips that measure the cell by themselves
        self.gauges = []
        # (sda, scl, chip, supply): the Gpio that must be high for the chip to be there, None for always
        self.on_i2c = []
        # parts that do something when time goes by
        self.ticking = []
        # machine.Timer by number
        self.timers = {}
        # one PWM a pin
        self.pwms = {}
        self._gpios = {}
        self._busy = False

    def gpio(self, number):
        """The pin of that number."""
        if number not in self._gpios:
            self._gpios[number] = Gpio()
        return self._gpios[number]

    def drive(self, number, level):
        """Somebody outside sets a pin's level, or lets it go (None). Its handler runs when the edge is one that it
        asked for."""
        gpio = self.gpio(number)
        before = gpio.level()
        gpio.outside = level
        now = gpio.level()
        # rising 1, falling 2
        if gpio.handler and now != before and gpio.trigger & (1 if now else 2):
            gpio.handler()

    def press(self, level):
        """The board's button: 0 pressed, 1 let go."""
        for number in self.buttons:
            self.drive(number, level)

    def set_battery(self, mv):
        """The cell's voltage, None for unknown."""
        self.battery_mv = mv
        for gauge in self.gauges:
            gauge.mv = mv or 0

    def follow(self, gpio):
        """The chip has changed what it drives: tell who hangs on it."""
        u16 = gpio.driven_u16()
        for follower in gpio.followers:
            self.touch(follower, u16)

    def touch(self, act, *arguments):
        """What a part does. Raises chips.Misuse, and tells of it, when the data sheet forbids it."""
        try:
            return act(*arguments)
        except chips.Misuse as error:
            self.tell("misuse", str(error))
            raise

    def poll(self):
        """Time goes by: interrupts that wait are served. An interrupt does not interrupt another."""
        if self._busy:
            return
        self._busy = True
        try:
            self.serve()
        finally:
            self._busy = False

    def serve(self):
        """Parts, then timers that are due."""
        for part in self.ticking:
            self.touch(part.tick)
        if self.timers:
            now_ms = self.now_ms()
            for timer in list(self.timers.values()):
                if timer.due(now_ms):
                    _call(timer)

    # what parts and chip tell

    def tell(self, what, value):
        """`haptic` a strength 0 to 255, `led` a colour (r, g, b), `misuse` a sentence."""
        self.heard.append((what, value))

    def start_watchdog(self, timeout_ms):
        self.watchdog_ms = timeout_ms

    def feed_watchdog(self):
        self.feeds += 1

    def load_rtc(self):
        return self.rtc

    def save_rtc(self, data):
        self.rtc = bytes(data)

    def open_mic(self, ring, pins, rate_hz, blocks):
        """`ring.slot()` is where the next block goes, `ring.filled()` says that it is there."""
        self.mic = ring

    def close_mic(self):
        self.mic = None

    def overrun(self, blocks):
        """So many blocks found the ring full."""
        self.heard.append(("overrun", blocks))

    def reset(self):
        """The chip starts anew: nothing after this call runs."""
        self.heard.append(("reset", None))
        raise SystemExit("reset")

    def sleep(self, ms):
        """Deep sleep for `ms`, None for good; it ends in a reset."""
        self.heard.append(("deep sleep", ms))
        raise SystemExit("deep sleep")


def _call(timer):
    # as the port: an exception of a callback is printed, and the timer goes on
    try:
        timer.callback(timer)
    except Exception as error:
        getattr(sys, "print_exception", print)(error)


_attached = None


def attach(world):
    """Make `world` the one that `machine` is the chip of."""
    global _attached
    _attached = world


def current():
    """The attached world, or None."""
    return _attached


def attached():
    if _attached is None:
        raise RuntimeError("boards/sim: the chip is in no world; world.attach(World()) puts it into one")
    return _attached
