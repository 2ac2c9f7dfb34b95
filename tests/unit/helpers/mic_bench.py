"""A recorder among stand-ins, in stepped time: sample k of the microphone has the value k."""

import asyncio
import struct

from stepped import Stepped, Traced, ended

from lapel.core.pattern import haptic, length_ms
from lapel.core.ring import ByteRing
from lapel.services.recorder import Recorder
from lapel.services.store_files import StoreError, StoreFull

BLOCK = 256
PERIOD = 1 << 30
META = {"codec": "ima-adpcm", "rate": 16000, "boot": "01234567", "ms": 5, "t": None, "re": None}


class SteppedMic:
    """As drivers.mic_i2s.MicI2S; the sound goes with the time, 19 DMA blocks wait at most."""

    rate_hz = 16000
    startup_ms = 256
    ring_samples = 19 * BLOCK
    # What really waits at most.
    dma_samples = ring_samples

    def __init__(self, timing):
        self.timing = timing
        self.reader = self
        self.opened_ms = None
        self.opened = 0
        self.closed = 0
        self.fails = None
        self.dead = False
        # Readings as short as these, in turn; empty: as much as fits.
        self.shorts = []
        self.lost = 0
        # How late the sound comes, for a while.
        self.late_ms = 0
        self._read = 0

    @property
    def is_open(self):
        return self.opened_ms is not None

    def open(self):
        if self.fails:
            raise self.fails
        if not self.is_open:
            self.opened_ms = self.timing.now_ms
            self.opened += 1
            self._read = 0

    def close(self):
        if self.is_open:
            self.opened_ms = None
            self.closed += 1

    def _waiting(self):
        whole = max(self._read, (self.timing.now_ms - self.opened_ms - self.late_ms) * 16 // BLOCK * BLOCK)
        if whole - self._read > self.dma_samples:
            # The oldest DMA block goes, whether or not a part of it was read.
            start = whole - self.dma_samples
            self.lost += start - self._read
            self._read = start
        return 0 if self.dead else whole - self._read

    async def readinto(self, block):
        # As with the real stream the others have their turn before each reading.
        await self.timing.turn()
        while not self._waiting():
            # Until the block of the DMA that is being filled is whole.
            since_ms = self.timing.now_ms - self.opened_ms
            await self.timing.passed_ms(BLOCK // 16 - since_ms % (BLOCK // 16))
        wanted = len(block) // 4
        if self.shorts:
            self.shorts.append(self.shorts.pop(0))
            wanted = min(wanted, self.shorts[0])
        n = min(wanted, self._waiting())
        for i in range(n):
            struct.pack_into("<I", block, 4 * i, (self._read + i & 0xFFFF) << 16)
        self._read += n
        return 4 * n


class PlainConverter:
    """The upper half of each word; remembers the shift."""

    def __init__(self):
        self.shift = None

    def reset(self, shift):
        self.shift = shift

    def convert(self, block, samples):
        for i in range(samples):
            block[2 * i], block[2 * i + 1] = block[4 * i + 2], block[4 * i + 3]


class PlainEncoder:
    """A byte for two samples, as ADPCM; remembers the samples."""

    codec = "ima-adpcm"

    def __init__(self):
        self.samples, self.count, self.clips = [], 0, []

    def finish(self, out, mask):
        return self.count

    def reset(self):
        self.samples = []
        self.count = 0
        self.clips.append(self.samples)

    def encode(self, pcm, samples, out, mask):
        for i in range(samples):
            self.samples.append(pcm[2 * i] | pcm[2 * i + 1] << 8)
            if len(self.samples) % 2 == 0:
                out[self.count & mask] = self.samples[-1] >> 1 & 0xFF
                self.count += 1
        return self.count


class Writer:
    def __init__(self, store, number):
        self.store, self.number = store, number
        self.data = bytearray()
        self.open = True
        self.done = None

    def write(self, data):
        self.store.spend("write", len(data))
        self.data.extend(data)

    def finish(self, ms, cut=False):
        self.open = True
        try:
            self.store.spend("finish", 0)
        finally:
            self.open = False
        self.done = (len(self.data), ms, cut)
        return len(self.data), "ab" * 32


class Store:
    """As services.store.Store. `stalls`: milliseconds that calls take, by name and in turn."""

    def __init__(self, timing):
        self.timing = timing
        self.writers = []
        self.has_room = True
        self.stalls = {}
        self.errors = {}
        self.calls = []
        self.on_call = None

    def spend(self, name, length):
        self.calls.append((self.timing.now_ms, name))
        if self.on_call:
            self.on_call(name)
        if self.stalls.get(name):
            # Flash holds the interpreter: time goes on and nobody runs.
            self.timing.now_ms += self.stalls[name].pop(0)
        error = self.errors.pop(name, None)
        if error:
            if not isinstance(error, StoreFull) and isinstance(error, StoreError) and self.writers:
                self.writers[-1].open = False
            raise error

    def fits(self, ms):
        assert ms >= 60_000
        return self.has_room

    def begin(self, meta):
        self.spend("begin", 0)
        self.writers.append(Writer(self, len(self.writers) + 1))
        return self.writers[-1]

    def clip_id(self, number):
        return "clip-%d" % number


class Feedback:
    """What was asked of services.feedback.Feedback."""

    def __init__(self, timing):
        self.timing = timing
        self.shown = []
        self.lights = []
        self.held = []
        self._buzz_until = 0

    @property
    def is_buzzing(self):
        return self.timing.now_ms < self._buzz_until

    def show(self, name, count=0, identity=None):
        self.shown.append((self.timing.now_ms, name))
        if name in ("listening", "tick55"):
            self._buzz_until = self.timing.now_ms + length_ms(haptic(name))

    def light(self, name):
        self.lights.append((self.timing.now_ms, name))

    def hold(self, recording):
        self.held.append((self.timing.now_ms, recording))

    def names(self):
        return [name for _, name in self.shown]


class Bench:
    """`async with Bench() as bench`; times are milliseconds since the bench began, ticks wrap in between."""

    def __init__(self, ticks_at_start=PERIOD - 700, **options):
        self.timing = Stepped()
        self.trace = Traced(self.timing)
        self.mic = SteppedMic(self.timing)
        self.store = Store(self.timing)
        self.feedback = Feedback(self.timing)
        self.encoder = PlainEncoder()
        self.converter = PlainConverter()
        self.ring = ByteRing(8192)
        self.reach = True
        self.over = []
        self.checked = [0]
        # (ms, held) of the console
        self.console = []
        self._base = ticks_at_start
        self.recorder = Recorder(
            self.mic, self.store, self.ring, self.feedback, self.trace, self.timing, lambda: self.reach,
            self._check_in, options.get("converter", self.converter), options.get("encoder", self.encoder),
            (lambda: self.tick(self.timing.now_ms), self.diff, lambda t, d: (t + d) % PERIOD),
            hold_console=lambda held: self.console.append((self.timing.now_ms, held)),
        )  # fmt: skip
        self.recorder.on_over = lambda outcome: self.over.append((self.timing.now_ms, outcome))

    def _check_in(self):
        self.checked.append(self.timing.now_ms)

    def tick(self, ms):
        return (self._base + ms) % PERIOD

    @staticmethod
    def diff(end, start):
        return (end - start + PERIOD // 2) % PERIOD - PERIOD // 2

    async def __aenter__(self):
        self.task = asyncio.create_task(self.recorder.run())
        await self.timing.settle()
        return self

    async def __aexit__(self, *_):
        await ended(self.task)
        await self.recorder.close()
        assert not self.mic.is_open

    async def press(self, at=None):
        if at is not None:
            await self.timing.step_to(at)
        self.recorder.press(self.tick(self.timing.now_ms))

    async def begin(self, at):
        await self.timing.step_to(at)
        return self.recorder.begin(dict(META))

    async def release(self, at, known=None):
        """Let go at `at`; the recorder is told at `known`."""
        await self.timing.step_to(known or at)
        self.recorder.end(self.tick(at))

    async def tap(self, down, up):
        await self.press(down)
        await self.timing.step_to(up)
        self.recorder.discard()

    async def hold(self, down, up):
        """A whole clip, and the time for it to be saved."""
        await self.press(down)
        await self.begin(down + 300)
        await self.release(up)
        await self.timing.step(400)

    def clip(self, number=1):
        """(bytes, (count, ms, cut)) of a writer."""
        writer = self.store.writers[number - 1]
        return bytes(writer.data), writer.done

    def heard(self, number=1):
        """First and last sample of a take, which must have no gap in between."""
        samples = self.encoder.clips[number - 1]
        for i in range(1, len(samples)):
            assert samples[i] == samples[i - 1] + 1 & 0xFFFF, (i, samples[i - 1], samples[i])
        return samples[0], samples[-1]


def stream(first, last):
    """The bytes that PlainEncoder makes of samples first..last."""
    return bytes(k + 1 >> 1 & 0xFF for k in range(first, last, 2))
