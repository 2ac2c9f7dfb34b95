"""The I2S receiver (MicroPython's ESP32 port: machine_i2s.c): it reads per DMA block, returns short, and drops the
oldest block in silence."""

import io

import world

from machine.pins import number

_POLL = 3
_POLL_READ = 1

_DMA_BLOCK_BYTES = 2048
_BLOCK_FRAMES = 256
_BLOCK_BYTES = 4 * _BLOCK_FRAMES
# with the count of blocks, for who sends them: both slots of each frame are wanted, in blocks of half as many
_STEREO = 0x8000


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
    if count <= len(_Dma.slots):
        return
    memory = memoryview(bytearray(count * _BLOCK_BYTES))
    _Dma.slots = [memory[i * _BLOCK_BYTES : (i + 1) * _BLOCK_BYTES] for i in range(count)]


class I2S(io.IOBase):
    """Receiver only. `ibuf` is DMA memory: 2048 B a block of 256 stereo frames; the mono reader gets 1024 B
    of it."""

    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        if id not in (0, 1):
            raise ValueError("I2S({}) doesn't exist".format(id))
        if mode != I2S.RX or bits != 32:
            raise ValueError("the simulated I2S receives 32 bits only")
        reserve_dma(ibuf)
        self._slots = _Dma.slots
        self._count = max(2, ibuf // _DMA_BLOCK_BYTES)
        self._first = 0
        self._full = 0
        # bytes of the first block that were read already
        self._taken = 0
        self._overruns = 0
        self._world = world.attached()
        both = _STEREO if format == I2S.STEREO else 0
        self._world.open_mic(self, (number(sck), number(ws), number(sd)), rate, self._count | both)

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
            self._world.overrun(self._overruns)
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
        if self._world:
            self._world.close_mic()
            self._world = None
            self._full = 0
