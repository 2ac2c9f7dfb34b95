"""The open microphone: 16-bit samples with their position, and what was lost on the way.

The audio path is readinto and convert, in place, in memory that was made once. Samples are counted against
the clock, because the microphone's DMA memory loses its oldest in silence.
"""

import asyncio

from lapel.compat import const, ticks_add, ticks_diff, ticks_ms
from lapel.core.preroll import BLOCK_SAMPLES
from lapel_audio.stream import UNITY_SHIFT

# No block in this time, twice in a row: the microphone is dead.
_SILENT_MS = const(500)
# The clock counts whole milliseconds: a block that was whole less than one ago may not be missed.
_SLACK_SAMPLES = const(16)
# An open microphone's count of samples would leave the small ints within a day.
_REBASE_MS = const(60_000)


class Hearing:
    """`mic` as drivers.mic_i2s, `converter` as lapel_audio.convert, `on_block(pcm, position, samples)`
    hears of each block; `pcm` is a memoryview of 16-bit samples.

    Positions count samples since the microphone was opened, the lost ones among them.
    """

    def __init__(
        self, mic, converter, trace, timing, on_block, check_in=None,
        ticks=ticks_ms, diff=ticks_diff, add=ticks_add,
    ) -> None:  # fmt: skip
        if mic.rate_hz % 1000:
            raise ValueError("%d Hz is no whole count of samples a millisecond" % mic.rate_hz)
        self.per_ms = mic.rate_hz // 1000
        # Since the start: samples lost to overruns, and blocks heard.
        self.overrun_samples = 0
        self.blocks = 0
        # Position of the first sample that is good, and of the next to be read.
        self.good_from = 0
        self._mic = mic
        self._converter = converter
        self._trace = trace
        self._timing = timing
        self._on_block = on_block
        self._check_in = check_in
        self._ticks, self._diff, self._add = ticks, diff, add
        self._block = bytearray(4 * BLOCK_SAMPLES)
        self._pcm = memoryview(self._block)[: 2 * BLOCK_SAMPLES]
        # Tick of position 0; samples read since then, and lost on the way.
        self._opened_ms = 0
        self._count = 0
        self._lost = 0
        self._failure: Exception = None
        self._ended = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether the microphone is on."""
        return self._mic.is_open

    @property
    def position(self) -> int:
        """Position of the next sample."""
        return self._count + self._lost

    def position_of(self, t_ms: int) -> int:
        """Position of the sample at a tick."""
        return self._diff(t_ms, self._opened_ms) * self.per_ms

    def since(self, t_ms: int, position: int) -> int:
        """Milliseconds from a tick to the sample at `position`."""
        return self._diff(self._opened_ms, t_ms) + position // self.per_ms

    def open(self, gain_steps: int) -> bool:
        """Switches the microphone on, if it is off; False when it does not start, which is reported."""
        if self._mic.is_open:
            return True
        try:
            self._mic.open()
        except OSError as error:
            self._trace("mic_error", error="the microphone does not start: %r" % error)
            return False
        self._opened_ms = self._ticks()
        self._count = self._lost = 0
        self.good_from = self._mic.startup_ms * self.per_ms
        self._converter.reset(UNITY_SHIFT - gain_steps)
        return True

    def close(self) -> None:
        """Switches it off; listen() then ends with the block it is at."""
        self._mic.close()

    async def listen(self) -> bool:
        """Hears until the microphone is closed. False when it fell silent instead (it is closed then)."""
        self._ended.clear()
        task = asyncio.create_task(self._hear())
        silent = 0
        try:
            while silent < 2:
                blocks = self.blocks
                if await self._timing.wait(self._ended, _SILENT_MS):
                    break
                if self._check_in:
                    self._check_in()
                silent = silent + 1 if blocks == self.blocks else 0
        finally:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if silent < 2:
            return True
        self._trace("mic_error", error="the microphone gives no samples")
        self._mic.close()
        return False

    def rebase(self) -> None:
        """Keeps positions small while nobody remembers one."""
        if self.position_of(self._ticks()) > 2 * _REBASE_MS * self.per_ms:
            self._opened_ms = self._add(self._opened_ms, _REBASE_MS)
            self._count -= _REBASE_MS * self.per_ms
            self.good_from = 0

    async def _hear(self) -> None:
        try:
            while self._mic.is_open:
                got = await self._mic.reader.readinto(self._block)
                if got:
                    self._take_in(got >> 2)
        except Exception as error:
            # Raised again by who awaits this task: it must not die unseen before that.
            self._failure = error
        finally:
            self._ended.set()

    def _take_in(self, samples: int) -> None:
        self.blocks += 1
        produced = self.position_of(self._ticks())
        start = self.position
        # More than fits can only mean that the oldest are gone, by whole blocks.
        gap = produced - start - self._mic.ring_samples - _SLACK_SAMPLES
        if gap >= BLOCK_SAMPLES:
            gap -= gap % BLOCK_SAMPLES
            self._lost += gap
            self.overrun_samples += gap
            self._trace("dropped", queue="mic", count=gap)
        elif self._lost:
            # Sound cannot come from the future: less was lost than it seemed.
            self._lost -= max(0, min(self._lost, start + samples - produced - _SLACK_SAMPLES))
        start = self.position
        self._count += samples
        # Also before samples are good: the filter learns the microphone's offset from them.
        self._converter.convert(self._block, samples)
        self._on_block(self._pcm, start, samples)
