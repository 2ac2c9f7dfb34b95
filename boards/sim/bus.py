"""The simulated board's end of the bus: one loopback socket to the simulator.

A frame is: payload length (u16, little endian), channel (u8), op (u8), payload. An answer has the op of its
question with 0x80 added. The other end is tools/simulator/bus.py.

Frames are taken in three places, as interrupts would be: when asyncio polls (the world is there as a
stream that is never ready), by `poll`, and by `call` while it waits. During a call only the microphone's
blocks go where they belong (that is DMA); everything else is held until the call is over, as a flash
operation holds off interrupts. Nothing here allocates while frames flow: a block device is also called by
finalisers, when the heap is locked.
"""

import os
import socket
import sys

SYSTEM = 0
FLASH = 1
MIC = 2
BUTTON = 3
HAPTIC = 4
LED = 5
TRACE = 6
RADIO = 7
CHANNELS = 8

HELLO = 1
LOST = 7
MIC_BLOCK = 0x41

ANSWER = 0x80
BODY_BYTES = 1100
HELD_BYTES = 4096

_TCP = 6
_NODELAY = 1


class Bus:
    """`sock` is a connected stream socket. One thread only."""

    def __init__(self, sock):
        self._sock = sock
        self._head = bytearray(4)
        self._one = bytearray(1)
        self._tx = bytearray(10)
        self._body = bytearray(BODY_BYTES)
        self._handlers = [None] * CHANNELS
        self._held = bytearray(HELD_BYTES)
        self._held_n = 0
        self._busy = False
        self._mic = None
        # frames that found the hold full; the simulator makes that an error of the run
        self._lost = 0
        sock.setblocking(False)

    def handle(self, channel, handler):
        """Frames of `channel` go to `handler(op, body, n)`; `body` is only good until it returns."""
        self._handlers[channel] = handler

    def connect_mic(self, ring):
        """Microphone blocks go straight into `ring.slot()`, then `ring.filled()`; None drops them."""
        self._mic = ring

    def poll(self):
        """Take what has come, without waiting."""
        # an interrupt does not interrupt itself
        if self._busy:
            return
        self._busy = True
        try:
            if self._held_n:
                self._run_held()
            if self._lost:
                self.send(SYSTEM, LOST, None, 1, self._lost)
                self._lost = 0
            while True:
                n = self._sock.readinto(self._head)
                if n is None:
                    return
                self._sock.setblocking(True)
                n = self._take(n)
                self._sock.setblocking(False)
                if n >= 0:
                    self._dispatch(self._head[2], self._head[3], n)
        finally:
            self._busy = False

    def send(self, channel, op, data=None, words=0, a=0, b=0, c=0):
        """One frame: `words` (0..3) 16-bit numbers a, b, c, then the bytes of `data`."""
        tx = self._tx
        n = 2 * words + (len(data) if data else 0)
        tx[0] = n & 0xFF
        tx[1] = n >> 8
        tx[2] = channel
        tx[3] = op
        tx[4] = a & 0xFF
        tx[5] = a >> 8 & 0xFF
        tx[6] = b & 0xFF
        tx[7] = b >> 8 & 0xFF
        tx[8] = c & 0xFF
        tx[9] = c >> 8 & 0xFF
        self._sock.setblocking(True)
        try:
            self._sock.write(tx, 4 + 2 * words)
            if data:
                self._sock.write(data)
        except OSError:
            self._gone()
        self._sock.setblocking(False)

    def call(self, channel, op, data=None, words=0, a=0, b=0, c=0):
        """Send, wait for the answer, give its length; its bytes stand in `answer` until the next frame."""
        self.send(channel, op, data, words, a, b, c)
        head = self._head
        sock = self._sock
        sock.setblocking(True)
        while True:
            n = self._take(sock.readinto(head))
            if head[2] == channel and head[3] == op | ANSWER:
                break
            if n >= 0:
                self._hold(n)
        sock.setblocking(False)
        return n

    @property
    def answer(self):
        return self._body

    def _take(self, got):
        # the rest of the header, then the payload; gives its length, -1 when it was the microphone's
        head = self._head
        sock = self._sock
        while got < 4:
            if not got or not sock.readinto(self._one):
                self._gone()
            head[got] = self._one[0]
            got += 1
        n = head[0] | head[1] << 8
        if head[2] == MIC and head[3] == MIC_BLOCK:
            ring = self._mic
            sock.readinto(ring.slot() if ring else self._body, n)
            if ring:
                ring.filled()
            return -1
        if n > BODY_BYTES:
            raise ValueError("bus: a frame of {} bytes".format(n))
        if n and sock.readinto(self._body, n) != n:
            self._gone()
        return n

    def _dispatch(self, channel, op, n):
        handler = self._handlers[channel]
        if handler:
            try:
                handler(op, self._body, n)
            except Exception as error:
                # as the port does with an exception in an interrupt handler: print it and go on
                sys.print_exception(error)

    def _hold(self, n):
        at = self._held_n
        if at + 4 + n > HELD_BYTES:
            self._lost += 1
            return
        held = self._held
        for i in range(4):
            held[at + i] = self._head[i]
        at += 4
        for i in range(n):
            held[at + i] = self._body[i]
        self._held_n = at + n

    def _run_held(self):
        # a handler may itself call and so add to the hold: it is read until it is dry
        at = 0
        held = self._held
        while at < self._held_n:
            n = held[at] | held[at + 1] << 8
            channel = held[at + 2]
            op = held[at + 3]
            at += 4
            for i in range(n):
                self._body[i] = held[at + i]
            at += n
            self._dispatch(channel, op, n)
        self._held_n = 0

    def _gone(self):
        # without the simulator there is no board
        raise SystemExit(3)


def connect():
    """The bus to the simulator named by LAPEL_SIM_BUS (host:port); LAPEL_SIM_TOKEN proves who asks."""
    where = os.getenv("LAPEL_SIM_BUS")
    if not where:
        raise RuntimeError("boards/sim runs under `lapel sim` only: LAPEL_SIM_BUS is not set")
    host, port = where.rsplit(":", 1)
    sock = socket.socket()
    sock.connect(socket.getaddrinfo(host, int(port))[0][-1])
    sock.setsockopt(_TCP, _NODELAY, 1)
    bus = Bus(sock)
    bus.call(SYSTEM, HELLO, os.getenv("LAPEL_SIM_TOKEN", "").encode())
    return bus


_attached = None


def attach(bus):
    """Make `bus` the one that the fakes of `machine` and `bluetooth` speak over, as a chip has one of
    each."""
    global _attached
    _attached = bus


def attached():
    if _attached is None:
        raise RuntimeError("boards/sim: nothing is attached; boards/sim/port.py starts what runs there")
    return _attached
