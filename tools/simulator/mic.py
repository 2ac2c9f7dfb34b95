"""The microphone: 24-bit samples in 32-bit slots, in DMA blocks of 256 frames, paced by the wall clock.

Like an INMP441 or ICS-43434 it has a DC offset and a noise floor, and its first 2^18 clocks after power-up
(256 ms at 16 kHz) are no sound: nothing, then an offset that settles. A real pin's figures can take their place
(measured.py).
"""

from __future__ import annotations

import asyncio
import random
import struct
from array import array
from collections import deque
from collections.abc import Callable

from simulator.bus import Bus, Channel
from simulator.measured import Measured
from simulator.motor_sound import MotorSound

BLOCK_FRAMES = 256
SETTLING_24 = 2_500_000
NOISE_FRAMES = 1 << 13
FULL_24 = (1 << 23) - 1

OPEN, CLOSE, OVERRUN, BLOCK = 1, 2, 3, 0x41
# with the count of blocks: both slots of a frame are read
STEREO = 0x8000
# How the data wire may be: the left slot as it should be, L/R tied high, no wire, a bridge to 3V3.
LEFT, RIGHT, OFF, HIGH = "left", "right", "off", "high"

# Speech begins on this grid of the microphone's clock, at least a moment from now: people react like that,
# and the recording is the same in every run, however busy this computer is.
GRID_FRAMES = 14 * BLOCK_FRAMES
REACTION_FRAMES = 2 * BLOCK_FRAMES

# live sound waits for the pin's clock at most this long
LIVE_FRAMES = 16000


class Microphone:
    """Sends blocks while the board has its I2S open. `on_open(bool)` and `on_overrun(blocks)` report;
    `on_block(samples)` gets what went over the wire, 24-bit."""

    def __init__(self, bus: Bus, seed: int, measured: Measured | None = None) -> None:
        measured = measured or Measured()
        self.wire = LEFT
        # set while the pin lies on a table, where it hears its own motor
        self.motor: MotorSound | None = None
        self.on_open: Callable[[bool], None] = lambda is_open: None
        self.on_overrun: Callable[[int], None] = lambda blocks: None
        self.on_block: Callable[[list[int]], None] = lambda samples: None
        self._bus = bus
        noise = random.Random(seed)
        self._noise = [round(noise.gauss(measured.offset_24, measured.noise_24)) for _ in range(NOISE_FRAMES)]
        self._start_up_s = measured.start_up_ms / 1000
        self._task: asyncio.Task[None] | None = None
        self._sound: array[int] = array("h")
        # frames since the clock began; the one at which the sound begins
        self._frame = 0
        self._begin = 0
        self._played: asyncio.Future[None] | None = None
        self._live: deque[int] | None = None
        # whether the board listens on the pins that the microphone hangs on
        self._wired = True
        bus.handle(Channel.MIC, self._called)

    def play(self, samples: array[int]) -> asyncio.Future[None]:
        """Begin to speak in a moment, 16-bit at 16 kHz; done when the last sample was heard, or nobody
        listens any more."""
        self.hush()
        self._sound = samples
        self._begin = -(-(self._frame + REACTION_FRAMES) // GRID_FRAMES) * GRID_FRAMES
        self._played = asyncio.get_running_loop().create_future()
        return self._played

    def hush(self) -> None:
        """Stop speaking."""
        self._sound = array("h")
        if self._played and not self._played.done():
            self._played.set_result(None)

    def listen_live(self, live: bool) -> None:
        """Take sound from `feed` (a real microphone) in place of recordings."""
        self._live = deque(maxlen=LIVE_FRAMES) if live else None

    def feed(self, samples: array[int]) -> None:
        """Live sound; the oldest is dropped when the pin does not take it."""
        if self._live is not None:
            self._live.extend(samples)

    def power_lost(self) -> None:
        """No board, no clock."""
        self._stop()
        self.hush()

    async def close(self) -> None:
        """Stop the clock."""
        task = self._task
        self.power_lost()
        if task:
            await asyncio.gather(task, return_exceptions=True)

    def _called(self, op: int, payload: bytes) -> None:
        if op == OPEN:
            rate_hz, blocks, wired = struct.unpack("<IH?", payload)
            self._wired = wired
            self._stop()
            self._frame = 0
            self._task = asyncio.get_running_loop().create_task(self._run(rate_hz, bool(blocks & STEREO)))
            self.on_open(True)
        elif op == CLOSE:
            self._stop()
            self.hush()
            self.on_open(False)
        elif op == OVERRUN:
            self.on_overrun(struct.unpack("<H", payload)[0])

    def _stop(self) -> None:
        if self._task:
            self._task.cancel()
            self._task = None

    async def _run(self, rate_hz: int, stereo: bool) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        if self._live is not None:
            self._live.clear()
        start_up = round(self._start_up_s * rate_hz)
        while True:
            # late is caught up: the chip's clock does not wait
            delay_s = begun + (self._frame + BLOCK_FRAMES) / rate_hz - loop.time()
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            samples = self._block(self._frame, start_up)
            if self.motor:
                samples = self.motor.over(samples, begun + self._frame / rate_hz, rate_hz)
            self.on_block(samples)
            for words in self._slots(samples, stereo):
                self._bus.send(Channel.MIC, BLOCK, struct.pack(f"<{BLOCK_FRAMES}i", *[x << 8 for x in words]))
            self._frame += BLOCK_FRAMES

    def _slots(self, samples: list[int], stereo: bool) -> list[list[int]]:
        # what is on the wire while the microphone does not drive it
        idle = [-1 if self.wire == HIGH else 0] * BLOCK_FRAMES
        left = samples if self._wired and self.wire == LEFT else idle
        right = samples if self._wired and self.wire == RIGHT else idle
        if not stereo:
            return [left]
        both = [x for frame in zip(left, right, strict=True) for x in frame]
        return [both[:BLOCK_FRAMES], both[BLOCK_FRAMES:]]

    def _block(self, frame: int, start_up: int) -> list[int]:
        at = frame % NOISE_FRAMES
        base = self._noise[at : at + BLOCK_FRAMES]
        spoken = self._spoken(frame)
        if frame < start_up // 2:
            base = [0] * BLOCK_FRAMES
        elif frame < start_up:
            left = (start_up - frame) / (start_up / 2)
            base = [round(x + SETTLING_24 * left**4) for x in base]
        elif spoken:
            for i, sample in enumerate(spoken):
                base[i] = max(-FULL_24, min(FULL_24, base[i] + (sample << 8)))
        return base

    def _spoken(self, frame: int) -> array[int]:
        if self._live is not None:
            n = min(BLOCK_FRAMES, len(self._live))
            return array("h", [self._live.popleft() for _ in range(n)])
        at = frame - self._begin
        if at < 0:
            return array("h")
        if self._played and not self._played.done() and at + BLOCK_FRAMES >= len(self._sound):
            self._played.set_result(None)
        return self._sound[at : at + BLOCK_FRAMES]
