"""Plays one rhythm on the haptic and records what the pin's own microphone hears of it."""

import asyncio
import time

from bench import fill, room_for, say, send
from lapel.core import pattern
from lapel_audio import adpcm, convert, stream

_BLOCK_BYTES = 1024
_SAMPLES = 256
_WIDE = 0xFFFFFFF
# 12 dB more than the app takes: a motor on a table is faint.
_SHIFT = stream.UNITY_SHIFT - 2


class Ear:
    """Records as the app does: 16 bits without the offset, as ADPCM."""

    def __init__(self, mic, seconds):
        self._mic = mic
        self._block = bytearray(_BLOCK_BYTES)
        self.heard = room_for(seconds * mic.rate_hz // 2, 8000)
        self.samples = 0
        self.enough = False
        self._converter, self._encoder = _kernels()

    async def run(self):
        """Until `enough` or full."""
        most = 2 * len(self.heard) - _SAMPLES
        while self.samples <= most and not self.enough:
            await fill(self._mic.reader, self._block)
            self._converter.convert(self._block, _SAMPLES)
            self._encoder.encode(self._block, _SAMPLES, self.heard, _WIDE)
            self.samples += _SAMPLES


def _kernels():
    try:
        from lapel_audio import kernels
    except (ImportError, SyntaxError):
        # no machine code for this interpreter
        return convert.Converter(_SHIFT), adpcm.Encoder()
    return kernels.Converter(_SHIFT), kernels.Encoder()


async def run(board, rhythm, strength, before_ms, after_ms):
    """`strength` 0 to 255. Says where in the recording each pulse was."""
    mic = board.mic
    ear = Ear(mic, 2)
    mic.open()
    task = None
    try:
        skip = bytearray(_BLOCK_BYTES)
        for _ in range(mic.rate_hz * (mic.startup_ms + 100) // 1000 // _SAMPLES):
            await fill(mic.reader, skip)
        task = asyncio.create_task(ear.run())
        await asyncio.sleep_ms(before_ms)
        begun = ear.samples
        pulses = []
        begun_ms = time.ticks_ms()
        for letter in rhythm:
            if letter not in pattern.PAUSES:
                pulses.append([time.ticks_diff(time.ticks_ms(), begun_ms), pattern.LENGTHS_MS[letter]])
                board.haptic.drive(strength)
            await asyncio.sleep_ms(pattern.LENGTHS_MS[letter])
            board.haptic.drive(0)
        await asyncio.sleep_ms(after_ms)
    finally:
        board.haptic.drive(0)
        ear.enough = True
        if task:
            await task
        mic.close()
    say("played", begun_sample=begun, pulses=pulses, samples=ear.samples, rate_hz=mic.rate_hz)
    send("adpcm", memoryview(ear.heard)[: ear.samples // 2])
