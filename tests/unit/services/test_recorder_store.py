"""The recorder with the real store, codec and feedback; only the sound and the time are made."""

import asyncio
import gc
import math
import struct

from flash import Flash, Random
from mic_bench import META, SteppedMic
from stepped import Stepped, Traced, ended

from lapel.core.ring import ByteRing
from lapel.services.feedback import Feedback
from lapel.services.recorder import Recorder
from lapel.services.store import Store
from lapel_audio import adpcm, convert, kernels

ONLY_MICROPYTHON = ("test_a_block_allocates_nothing_on_its_way_to_the_ring",)
MICROPYTHON_HEAP = "8m"


class Silent:
    def drive(self, strength):
        pass

    def show(self, r, g, b):
        pass


class Voice(SteppedMic):
    """A tone that swells, with the offset and the 24 bits of a real microphone."""

    async def readinto(self, block):
        start = self._read
        got = await super().readinto(block)
        for i in range(got // 4):
            struct.pack_into("<i", block, 4 * i, sample(start + i))
        return got


def sample(position):
    level = 3_000_000 * math.sin(position / 3000) * math.sin(position / 7)
    return (int(level) + 40_000) * 256


class Bench:
    def __init__(self, flash):
        self.timing = Stepped()
        self.trace = Traced(self.timing)
        self.mic = Voice(self.timing)
        self.store = Store(flash.root, Random(3), self.trace, lambda _: (4096, 4096, 1000, 900, 900))
        self.store.mount()
        self.ring = ByteRing(8192)
        self.feedback = Feedback(Silent(), Silent(), self.trace, self.timing)
        ticks = (self.timing.ms, lambda end, start: end - start, lambda t, d: t + d)
        self.recorder = Recorder(
            self.mic, self.store, self.ring, self.feedback, self.trace, self.timing, lambda: True,
            None, kernels.Converter(), kernels.Encoder(), ticks,
        )  # fmt: skip

    async def __aenter__(self):
        self.tasks = [asyncio.create_task(self.recorder.run()), asyncio.create_task(self.feedback.run())]
        await self.timing.settle()
        return self

    async def __aexit__(self, *_):
        for task in self.tasks:
            await ended(task)
        await self.recorder.close()
        self.store.close()

    async def hold(self, down, up):
        await self.timing.step_to(down)
        if not self.recorder.is_busy:
            self.recorder.press(down)
        await self.timing.step_to(down + 300)
        assert self.recorder.begin(dict(META))
        await self.timing.step_to(up)
        self.recorder.end(up)
        await self.timing.step(400)

    def read(self, number):
        reader = self.store.open(number)
        assert reader.complete and not reader.cut
        data, piece = b"", bytearray(600)
        while len(data) < reader.size:
            data += bytes(piece[: reader.read_at(len(data), piece)])
        reader.close()
        return data, reader.ms


def reference(first, last):
    """What the plain codec makes of samples first..last, having heard the microphone since its start."""
    converter, encoder = convert.Converter(), adpcm.Encoder()
    out = bytearray((last - first) // 2 + 2)
    for start, end in ((0, first), (first, last + 1)):
        for at in range(start, end, 256):
            n = min(256, end - at)
            block = bytearray(struct.pack("<%di" % n, *[sample(k) for k in range(at, at + n)]))
            converter.convert(block, n)
            if start == first:
                count = encoder.encode(block, n, out, (1 << 20) - 1)
    return bytes(out[:count])


async def test_flash_holds_what_was_said():
    with Flash() as flash:
        async with Bench(flash) as bench:
            await bench.hold(1000, 2600)
            assert bench.store.waiting() == [1]
            data, ms = bench.read(1)
            assert ms == 1600 + 120 - 256 and len(data) == ms * 8
            assert data == reference(256 * 16, 1720 * 16 - 1)
            ((_, captured),) = bench.trace.of("captured")
            assert captured == {"clip": bench.store.clip_id(1), "ms": ms, "bytes": len(data)}
            # Loud enough to be speech, and no offset left.
            sound = adpcm.decode(data)[4000:]
            assert max(sound) > 5000 and abs(sum(sound) // len(sound)) < 100


async def test_two_clips_and_the_order_of_what_is_felt():
    with Flash() as flash:
        async with Bench(flash) as bench:
            await bench.hold(0, 700)
            bench.feedback.show("accepted")
            await bench.hold(2500, 3100)
            await bench.timing.step(3000)
            assert bench.store.waiting() == [1, 2]
            felt = [fields["pattern"] for _, fields in bench.trace.of("haptic")]
            assert felt == ["listening", "captured", "accepted", "listening", "captured"]


async def test_captured_goes_before_notices_that_came_meanwhile():
    with Flash() as flash:
        async with Bench(flash) as bench:
            await bench.timing.step_to(500)
            bench.recorder.press(500)
            bench.feedback.show("question")
            await bench.hold(500, 1500)
            await bench.timing.step(3000)
            felt = [(ms, fields["pattern"]) for ms, fields in bench.trace.of("haptic")]
            assert [name for _, name in felt] == ["listening", "captured", "question"]
            assert felt[1][0] <= 1620 + 16


async def test_the_led_answers_a_press_whatever_it_shows():
    with Flash() as flash:
        async with Bench(flash) as bench:
            bench.feedback.show("failed")
            await bench.timing.step(200)
            bench.recorder.press(200)
            assert bench.trace.of("led")[-1] == (200, {"pattern": "pressed"})
            await bench.timing.step(100)
            bench.recorder.discard()
            await bench.timing.step(500)
            lit = [fields["pattern"] for _, fields in bench.trace.of("led")]
            assert lit == ["failed", "pressed", "off", "failed"]


async def test_a_clip_that_was_closed_on_the_way_is_cut_and_waits():
    with Flash() as flash:
        async with Bench(flash) as bench:
            bench.recorder.press(0)
            await bench.timing.step_to(300)
            bench.recorder.begin(dict(META))
            await bench.timing.step_to(1500)
        assert bench.store.waiting() == [1]
        reader = bench.store.open(1)
        assert reader.cut and reader.complete and reader.size >= 8192
        bench.store.close()


async def test_a_block_allocates_nothing_on_its_way_to_the_ring():
    # While one speaks, and before that with preroll.
    for preroll in (False, True):
        with Flash() as flash:
            async with Bench(flash) as bench:
                recorder, take_in = bench.recorder, bench.recorder.hearing._take_in
                recorder.configure(preroll, 0)
                if preroll:
                    await bench.timing.step(600)
                else:
                    recorder.press(0)
                    await bench.timing.step(280)
                take_in(256)
                gc.collect()
                gc.disable()
                before = gc.mem_alloc()
                for _ in range(100):
                    take_in(256)
                allocated = gc.mem_alloc() - before
                gc.enable()
                assert allocated == 0, (preroll, allocated)
