"""Pins, and what goes out on them bit by bit (MicroPython's ESP32 port: machine_pin.c, machine_bitstream.c)."""

import world

# 22 to 25 do not exist; 26 to 32 are the flash's in every module (ESP32-S3 data sheet, section 2.2).
_MISSING = range(22, 33)
_PINS = 49
# The USB console: a Pin on them takes it away.
_USB = (19, 20)


class Pin:
    """What one Pin(4) is set to holds for every Pin(4)."""

    IN = 1
    OUT = world.OUT
    OPEN_DRAIN = world.OPEN_DRAIN
    PULL_UP = world.PULL_UP
    PULL_DOWN = 1
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        self._number = number(id)
        self._world = world.attached()
        self._gpio = self._world.gpio(self._number)
        self.init(mode, pull, value=value, drive=drive, hold=hold)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        """None for `pull` takes it away; what is not given stays."""
        gpio = self._gpio
        if hold is not None:
            gpio.held = False
        if not gpio.held:
            if value is not None:
                gpio.latch = int(bool(value))
            if mode != -1:
                if mode not in (self.IN, self.OUT, self.OPEN_DRAIN):
                    raise ValueError("invalid pin mode")
                gpio.mode = mode
            if pull != -1:
                gpio.pull = pull or 0
            self._world.follow(gpio)
        if hold is not None:
            gpio.held = bool(hold)

    def value(self, x=None):
        if x is None:
            # what has changed outside is there at once, as on a wire
            self._world.poll()
            return self._gpio.level()
        if not self._gpio.held:
            self._gpio.latch = int(bool(x))
            self._world.follow(self._gpio)
        return None

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self._gpio.latch)

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, wake=None, hard=False):
        """The handler runs as a soft interrupt, at the next poll of the world."""
        self._gpio.handler = (lambda: handler(self)) if handler else None
        self._gpio.trigger = trigger if handler else 0
        return self

    def __repr__(self):
        return "Pin({})".format(self._number)

    def __eq__(self, other):
        return isinstance(other, Pin) and self._number == other._number

    def __hash__(self):
        return self._number


class Signal:
    """A pin that may count the other way round."""

    def __init__(self, pin, *, invert=False):
        self._pin = pin
        self._invert = bool(invert)

    def value(self, x=None):
        if x is None:
            return self._pin.value() ^ self._invert
        return self._pin.value(bool(x) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


def number(pin):
    """The GPIO of a Pin or an int. Raises ValueError for one that a board cannot use."""
    if isinstance(pin, Pin):
        return pin._number
    if not isinstance(pin, int):
        raise TypeError("expecting a pin")
    if not 0 <= pin < _PINS or pin in _MISSING:
        raise ValueError("invalid pin")
    if pin in _USB:
        raise ValueError("GPIO {} is the USB console's".format(pin))
    return pin


def bitstream(pin, encoding, timing, data):
    """`timing`: (high, low) ns of a 0, then of a 1; `data` is sent high bits first."""
    if encoding:
        raise ValueError("encoding")
    if len(timing) != 4:
        raise ValueError("requested length 4 but object has length {}".format(len(timing)))
    here = world.attached()
    take = here.gpio(number(pin)).bits
    if take:
        here.touch(take, tuple(timing), bytes(data))
