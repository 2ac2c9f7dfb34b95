# Bytes allocated for each recorded block, by the recorder as it is, on this interpreter.
#
#   micropython tests/device_bench/alloc_recorder.py        prints one JSON line
#
# The microphone is an IOBase stream made here, as machine.I2S is one, with a block each 16 ms; the store
# takes the bytes and forgets them. "path" is what is done with a block that was read, "all" is the whole loop
# with all its awaits. A 64-bit interpreter has words of 8 bytes: a device allocates half of what it says.
import asyncio
import gc
import io
import json
import sys

ROOT = (__file__.rpartition("/")[0] or ".") + "/../.."
sys.path[:0] = [ROOT + "/firmware", ROOT + "/lib"]

from drivers.mic_i2s import MicI2S  # noqa: E402
from lapel.compat import ticks_diff, ticks_ms  # noqa: E402
from lapel.core.clock import Clock  # noqa: E402
from lapel.core.ring import ByteRing  # noqa: E402
from lapel.services.recorder import Recorder  # noqa: E402
from lapel.services.timing import Timing  # noqa: E402

PATH_BLOCKS = 400
# The loop is measured when the first blocks, which open the clip, are over.
WARM_BLOCKS = 25
LOOP_BLOCKS = 190
BLOCK_MS = 16
BLOCK_BYTES = 1024
POLL = 3
READABLE = 1


class Sound(io.IOBase):
    """An I2S that has a block every BLOCK_MS; nothing in it allocates."""

    def __init__(self):
        self.started_ms = ticks_ms()
        self.count = 0

    def ioctl(self, op, arg):
        if op != POLL:
            return -1
        return arg & READABLE if ticks_diff(ticks_ms(), self.started_ms) >= BLOCK_MS * (self.count + 1) else 0

    def readinto(self, buffer):
        self.count += 1
        return BLOCK_BYTES

    def deinit(self):
        pass


class Writer:
    number = 1
    open = True

    def write(self, data):
        pass

    def finish(self, ms, cut=False):
        return 0, ""


class Store:
    def fits(self, ms):
        return True

    def begin(self, meta):
        return Writer()

    def clip_id(self, number):
        return "clip"


class Feedback:
    is_buzzing = False

    def show(self, name, count=0, identity=None):
        pass

    def light(self, name):
        pass

    def hold(self, recording):
        pass


def no_trace(event, **fields):
    pass


def make():
    mic = MicI2S(Sound, startup_ms=0)
    return Recorder(mic, Store(), ByteRing(8192), Feedback(), no_trace, Timing(Clock()), lambda: True)


def hold(recorder):
    recorder.press(ticks_ms())
    recorder.begin({})


def audio_path():
    """Convert, encode, ring and pump of blocks that were read."""
    recorder = make()
    hold(recorder)
    take_in = recorder.hearing._take_in
    for _ in range(40):
        take_in(BLOCK_BYTES // 4)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(PATH_BLOCKS):
        take_in(BLOCK_BYTES // 4)
    after = gc.mem_alloc()
    gc.enable()
    return (after - before) / PATH_BLOCKS


async def heard(hearing, blocks):
    while hearing.blocks < blocks:
        # This sleep allocates nothing.
        await asyncio.sleep_ms(BLOCK_MS)


async def whole_loop():
    """(bytes a block, blocks) of the loop as it runs."""
    recorder = make()
    task = asyncio.create_task(recorder.run())
    hold(recorder)
    await heard(recorder.hearing, WARM_BLOCKS)
    gc.collect()
    gc.disable()
    before, first = gc.mem_alloc(), recorder.hearing.blocks
    await heard(recorder.hearing, WARM_BLOCKS + LOOP_BLOCKS)
    after, last = gc.mem_alloc(), recorder.hearing.blocks
    gc.enable()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    await recorder.close()
    return (after - before) / (last - first), last - first


path_bytes = audio_path()
loop_bytes, loop_blocks = asyncio.run(whole_loop())
figures = {
    "word_bytes": 8 if sys.maxsize > 1 << 32 else 4,
    "path_bytes_per_block": path_bytes,
    "all_bytes_per_block": loop_bytes,
    "blocks": loop_blocks,
}
print(json.dumps(figures))
