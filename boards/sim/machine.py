"""`machine` as far as the drivers use it, on the simulator. It has the names, the arguments and the manners
of the ESP32 port: an I2S that reads per DMA block, returns short, and drops the oldest block in silence."""

import io
import os
import time

import bus

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_POLL = 3
_POLL_READ = 1
_EINVAL = 22

_SYSTEM_WDT = 2
_SYSTEM_FEED = 3
_SYSTEM_RESET = 4
_SYSTEM_LOAD = 5
_SYSTEM_SAVE = 6
_RTC_BYTES = 2048
_FRAME_BYTES = 1024
_MIC_OPEN = 1
_MIC_CLOSE = 2
_MIC_OVERRUN = 3

_DMA_BLOCK_BYTES = 2048
_BLOCK_FRAMES = 256
_BLOCK_BYTES = 4 * _BLOCK_FRAMES


class _All:
    def __getitem__(self, key):
        return key


# one slice object for all whole-block copies, so that they allocate nothing
_ALL = _All()[:]


class _Dma:
    slots = []


def reserve_dma(ibuf):
    """Memory for the I2S, taken once at the start: on the chip it is no part of Python's heap either."""
    count = max(2, ibuf // _DMA_BLOCK_BYTES)
    memory = memoryview(bytearray(count * _BLOCK_BYTES))
    _Dma.slots = [memory[i * _BLOCK_BYTES : (i + 1) * _BLOCK_BYTES] for i in range(count)]


class Pin:
    IN = 1
    OUT = 3
    PULL_UP = 2
    PULL_DOWN = 1
    IRQ_RISING = 1
    IRQ_FALLING = 2

    # what is on the pins, by number: a pull-up holds 1
    _levels = {}
    _watched = {}

    def __init__(self, number, mode=-1, pull=-1, *, value=None):
        self._number = number
        if value is not None:
            Pin._levels[number] = int(bool(value))
        Pin._levels.setdefault(number, 1)
        self._handler = None
        self._trigger = 0

    def value(self, level=None):
        if level is None:
            return Pin._levels[self._number]
        Pin._levels[self._number] = int(bool(level))

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, *, hard=False):
        self._handler = handler
        self._trigger = trigger
        Pin._watched[self._number] = self

    @staticmethod
    def drive(number, level):
        """The world outside sets a pin's level; its handler runs when the edge is one it asked for."""
        before = Pin._levels.get(number, 1)
        Pin._levels[number] = level
        pin = Pin._watched.get(number)
        edge = Pin.IRQ_RISING if level else Pin.IRQ_FALLING
        if pin and pin._handler and level != before and pin._trigger & edge:
            pin._handler(pin)


class I2S(io.IOBase):
    """Receiver only. `ibuf` is DMA memory: 2048 B a block of 256 stereo frames; the mono reader gets 1024 B
    of it."""

    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        if mode != I2S.RX or bits != 32 or format != I2S.MONO:
            raise ValueError("the simulated I2S receives 32-bit mono only")
        count = max(2, ibuf // _DMA_BLOCK_BYTES)
        if count > len(_Dma.slots):
            reserve_dma(ibuf)
        self._slots = _Dma.slots
        self._count = count
        self._first = 0
        self._full = 0
        # bytes of the first block that were read already
        self._taken = 0
        self._overruns = 0
        self._bus = bus.attached()
        self._bus.connect_mic(self)
        self._bus.send(bus.MIC, _MIC_OPEN, None, 3, rate & 0xFFFF, rate >> 16, count)

    def slot(self):
        """Where the next DMA block goes; a full ring loses its oldest."""
        if self._full == self._count:
            self._first = (self._first + 1) % self._count
            self._full -= 1
            self._taken = 0
            self._overruns += 1
        return self._slots[(self._first + self._full) % self._count]

    def filled(self):
        self._full += 1

    def ioctl(self, op, arg):
        if op == _POLL:
            return _POLL_READ & arg if self._full else 0
        return -1

    def readinto(self, buf):
        """Bytes copied, fewer than asked for when less is there; None for nothing yet."""
        want = len(buf)
        if want % 4:
            raise ValueError("buffer length must be a multiple of the sample size")
        if not self._full:
            return None
        if self._overruns:
            # the port says nothing of it; the simulator is told, for the record
            self._bus.send(bus.MIC, _MIC_OVERRUN, None, 1, self._overruns)
            self._overruns = 0
        if want == _BLOCK_BYTES and not self._taken:
            buf[_ALL] = self._slots[self._first]
            self._next()
            return want
        done = 0
        while done < want and self._full:
            n = min(want - done, _BLOCK_BYTES - self._taken)
            buf[done : done + n] = self._slots[self._first][self._taken : self._taken + n]
            done += n
            self._taken += n
            if self._taken == _BLOCK_BYTES:
                self._next()
        return done

    def _next(self):
        self._first = (self._first + 1) % self._count
        self._full -= 1
        self._taken = 0

    def deinit(self):
        if self._bus:
            self._bus.connect_mic(None)
            self._bus.send(bus.MIC, _MIC_CLOSE)
            self._bus = None
            self._full = 0


class WDT:
    def __init__(self, id=0, timeout=5000):
        self._bus = bus.attached()
        self._bus.send(bus.SYSTEM, _SYSTEM_WDT, None, 2, timeout & 0xFFFF, timeout >> 16)

    def feed(self):
        self._bus.send(bus.SYSTEM, _SYSTEM_FEED)


class RTC:
    """2 kB of memory that survive a reset but not the loss of power."""

    def memory(self, data=None):
        link = bus.attached()
        if data is not None:
            if len(data) > _RTC_BYTES:
                raise ValueError("buffer too long")
            # a frame holds 1 kB of it; the one at 0 begins it anew
            view = memoryview(data)
            for at in range(0, max(1, len(data)), _FRAME_BYTES):
                link.send(bus.SYSTEM, _SYSTEM_SAVE, view[at : at + _FRAME_BYTES], 1, at)
            return None
        kept = b""
        while True:
            n = link.call(bus.SYSTEM, _SYSTEM_LOAD, None, 1, len(kept))
            if not n:
                return kept
            kept += memoryview(link.answer)[:n]


def reset_cause():
    return int(os.getenv("LAPEL_SIM_RESET_CAUSE", str(PWRON_RESET)))


def unique_id():
    return bytes.fromhex(os.getenv("LAPEL_SIM_UID", "000000000000"))


def freq(hz=None):
    if hz is None:
        return 240000000


def reset():
    """The simulator ends this process and starts it anew."""
    link = bus.attached()
    link.send(bus.SYSTEM, _SYSTEM_RESET)
    while True:
        # ends with the simulator, if that is gone
        link.poll()
        time.sleep_ms(100)
