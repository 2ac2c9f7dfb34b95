"""What is said into the microphone: another recording for each press, known by its number alone.

And what must come of it: the pin's own codec over the samples that the microphone gave.
"""

import struct

from flash import Random

from lapel_audio.stream import UNITY_SHIFT

try:
    from lapel_audio.kernels import Converter, Encoder
except (ImportError, SyntaxError, ValueError):
    from lapel_audio.adpcm import Encoder
    from lapel_audio.convert import Converter

BLOCK_SAMPLES = 256
BLOCK_BYTES = 4 * BLOCK_SAMPLES
SAMPLES_PER_MS = 16
# Kept after letting go, and what a microphone needs from power-up: promises of the product, not read from it.
TAIL_MS = 120
STARTUP_MS = 256
# Words of noise that every recording is cut from.
_WORDS = 4096
_MASK = 0x7FFFFFF


def _noise():
    random, words = Random(7), []
    for _ in range(_WORDS):
        words.append(random.below(_MASK) * 2 - _MASK)
    return memoryview(struct.pack("<%di" % _WORDS, *words))


class Sound:
    """Recordings by number; 0 is silence."""

    def __init__(self):
        self._noise = _noise()
        self._silence = bytes(BLOCK_BYTES)

    def block(self, recording: int, index: int):
        """256 samples of 32 bits of that recording."""
        if not recording:
            return self._silence
        at = (recording * 1009 + index * 67) % (_WORDS - BLOCK_SAMPLES)
        return self._noise[4 * at : 4 * at + BLOCK_BYTES]

    def encoded(self, opening, from_ms: int, until_ms: int) -> bytes:
        """What the codec makes of an Opening of the microphone between two times since then, or from the first
        good sample. Shorter where the microphone was closed before."""
        first = max(STARTUP_MS, from_ms) * SAMPLES_PER_MS
        end = until_ms * SAMPLES_PER_MS
        converter, encoder = Converter(), Encoder()
        converter.reset(UNITY_SHIFT)
        encoder.reset()
        out = bytearray(max(0, end - first) // 2 + 2)
        work = bytearray(BLOCK_BYTES)
        count = position = 0
        for index in range(len(opening.recordings)):
            if index in opening.lost:
                position += BLOCK_SAMPLES
                continue
            work[:] = self.block(opening.recordings[index], index)
            converter.convert(work, BLOCK_SAMPLES)
            start, stop = max(first, position), min(end, position + BLOCK_SAMPLES)
            if start < stop:
                pcm = memoryview(work)[2 * (start - position) : 2 * BLOCK_SAMPLES]
                count = encoder.encode(pcm, stop - start, out, 0xFFFFFFF)
            position += BLOCK_SAMPLES
        return bytes(out[:count])


class Opening:
    """The microphone from one power-up to its end: what it heard block by block."""

    def __init__(self, ticks: int):
        self.ticks = ticks
        # Number of the recording that was being said, one byte a block.
        self.recordings = bytearray()
        self.numbers = set()
        # Indices of blocks that nobody read in time.
        self.lost = set()

    @property
    def heard_ms(self) -> int:
        """How much it has heard, in whole blocks."""
        return len(self.recordings) * BLOCK_SAMPLES // SAMPLES_PER_MS

    def since(self, ticks: int) -> int:
        """Milliseconds from the opening to a tick of the pin."""
        return (ticks - self.ticks + (1 << 29) & (1 << 30) - 1) - (1 << 29)
