"""The pin's side of the handshakes: arithmetic in steps that nobody feels, keys made ahead of need.

What a stranger can cost is bounded: an opening that does not prove the key costs no arithmetic, one that was answered
already is not answered again, only one handshake is worked on at a time, and those that led to no proof are spaced.
"""

import asyncio

from lapel.compat import const, sleep_ms
from lapel_wire.session import Session
from noise.nnpsk0 import Ephemeral

# Key pairs that wait, each for one handshake.
READY_MAX = const(2)
# Openings that were answered since the pin started: 8 bytes of each, so that a recorded one is known again.
ANSWERED_MAX = const(64)
_MARK_BYTES = const(8)
# Handshakes without a proof that may follow each other at once, and what stands between those after them.
FREE_MAX = const(2)
SPACING_MS = const(500)
# While a clip is recorded nothing is computed.
_PAUSE_MS = const(50)


def arithmetic():
    """The suite: machine code, or plain Python where MicroPython makes none (64-bit ARM)."""
    try:
        from noise import device
    except (ImportError, SyntaxError, ValueError):
        from noise import plain

        return plain
    return device


class Handshakes:
    """`pairing` as services.pairing's, `suite` as lib/noise's, `random(n) -> bytes` the hardware's, with the radio
    on. `is_busy()`: the processor belongs to a recording."""

    def __init__(self, pairing, suite, random, is_busy, clock) -> None:
        self._pairing = pairing
        self._suite = suite
        self._random = random
        self._is_busy = is_busy
        self._clock = clock
        # Responders: one that refused a message stands as before.
        self._ready = []
        self._answered = []
        self._wanted = asyncio.Event()
        # A companion is being answered. It takes turns by looking again: a lock of asyncio's is a module to load.
        self._answering = False
        self._unproved = 0
        self._next_ms = 0
        # Openings that were answered before.
        self.replayed = 0

    async def run(self) -> None:
        """Makes keys ahead of need, until cancelled. After the radio is on: only then is chance good."""
        while self._pairing.is_paired:
            if len(self._ready) < READY_MAX:
                ephemeral = Ephemeral(self._suite, self._random)
                await self._rest(True)
                while not ephemeral.step():
                    await self._rest(True)
                self._ready.append(self._pairing.new_responder(self._suite, ephemeral))
            else:
                self._wanted.clear()
                await self._wanted.wait()

    async def answer(self, message: bytes):
        """(answer, session) to a companion's opening message; None when it does not prove the key, or was answered
        before."""
        if not self._pairing.is_paired:
            return None
        mark = message[:_MARK_BYTES]
        if mark in self._answered:
            self.replayed += 1
            return None
        is_ready = bool(self._ready)
        if is_ready:
            responder = self._ready[0]
        else:
            responder = self._pairing.new_responder(self._suite, Ephemeral(self._suite, self._random))
        if not responder.take(message):
            if not is_ready:
                responder.wipe()
            return None
        if is_ready:
            self._ready.pop(0)
            self._wanted.set()
        self._answered.append(mark)
        if len(self._answered) > ANSWERED_MAX:
            self._answered.pop(0)
        turn = False
        try:
            while self._answering:
                await sleep_ms(_PAUSE_MS)
            self._answering = turn = True
            await self._spaced()
            await self._rest()
            while not responder.step():
                await self._rest()
            # Hashes: some milliseconds each.
            await self._rest()
            reply = responder.reply()
            await self._rest()
            ciphers = responder.split()
        finally:
            if turn:
                self._answering = False
            responder.wipe()
        return None if ciphers is None else (reply, Session(*ciphers))

    def proved(self) -> None:
        """The newest one led to a record of the companion's."""
        self._unproved = 0

    async def _spaced(self) -> None:
        if self._unproved >= FREE_MAX:
            await sleep_ms(max(0, self._next_ms - self._clock.ms()))
        self._unproved += 1
        self._next_ms = self._clock.ms() + SPACING_MS

    async def _rest(self, gives_way: bool = False) -> None:
        # Before anything is computed: others have their turn, a recording all the time that it takes, and with
        # `gives_way` who is being answered, too.
        await sleep_ms(0)
        while self._is_busy() or (gives_way and self._answering):
            await sleep_ms(_PAUSE_MS)
