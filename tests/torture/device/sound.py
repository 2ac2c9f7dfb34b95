"""What is said into the microphone: another recording for each press, known by its number alone.

And what must come of it: the pin's own codec over the samples that the microphone gave. How a clip was encoded is a
number here: kbit/s of Opus, 0 for ADPCM.
"""

import struct

from flash import Random

from lapel_audio.stream import UNITY_SHIFT

try:
    from lapel_audio.kernels import Converter, Encoder
except (ImportError, SyntaxError, ValueError):
    from lapel_audio.adpcm import Encoder
    from lapel_audio.convert import Converter
try:
    from lapel_audio.opus_kernels import ClipEncoder
except SyntaxError:
    # MicroPython makes no machine code here (64-bit ARM): such a pin has no Opus either.
    ClipEncoder = None

BLOCK_SAMPLES = 256
BLOCK_BYTES = 4 * BLOCK_SAMPLES
SAMPLES_PER_MS = 16
# Kept after letting go, and what a microphone needs from power-up: promises of the product, not read from it.
TAIL_MS = 120
STARTUP_MS = 256
# Codecs, as a pin names them to its companion.
ADPCM, OPUS = "ima-adpcm", "opus"
_ADPCM_BYTES_S = 8000
# Of Opus; and for how long a packet is heard.
_LEAST_KBPS, _MOST_KBPS = 16, 32
_PACKET_MS = 20
# Words of noise that every recording is cut from.
_WORDS = 4096
_MASK = 0x7FFFFFF
# An encoder's mask that leaves every count as it is.
_NO_RING = 0xFFFFFFF


def kbps_of(codec: str, data):
    """How these bytes of a clip were encoded: a clip of Opus says it by its first byte, the length of all of its
    packets. None: as no pin may."""
    if codec == ADPCM:
        return 0
    for kbps in range(_LEAST_KBPS, _MOST_KBPS + 1):
        if codec == OPUS and len(data) and data[0] == _packet_bytes(kbps):
            return kbps
    return None


def bytes_of(kbps: int, ms: int) -> int:
    """What so much sound takes."""
    return ms // _PACKET_MS * (1 + _packet_bytes(kbps)) if kbps else ms * _ADPCM_BYTES_S // 1000


def _packet_bytes(kbps):
    return kbps * _PACKET_MS // 8


def _encoder(kbps):
    if kbps:
        return ClipEncoder(kbps)
    encoder = Encoder()
    encoder.reset()
    return encoder


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
        # {an Opening, a span of it, how: what came of it}
        self._made = {}

    def block(self, recording: int, index: int):
        """256 samples of 32 bits of that recording."""
        if not recording:
            return self._silence
        at = (recording * 1009 + index * 67) % (_WORDS - BLOCK_SAMPLES)
        return self._noise[4 * at : 4 * at + BLOCK_BYTES]

    def encoded(self, opening, from_ms: int, until_ms: int, kbps: int) -> bytes:
        """What the codec makes of an Opening of the microphone between two times since then, or from the first
        good sample. Shorter where the microphone was closed before."""
        key = (opening, from_ms, until_ms, kbps, len(opening.lost))
        if key not in self._made:
            first = max(STARTUP_MS, from_ms) * SAMPLES_PER_MS
            self._made[key] = self._encode(opening, first, until_ms * SAMPLES_PER_MS, kbps)
        return self._made[key]

    def _encode(self, opening, first, end, kbps):
        converter, encoder = Converter(), _encoder(kbps)
        converter.reset(UNITY_SHIFT)
        # Two packets more than it is long: the last one's rest, and the end of what a decoder is late.
        out = bytearray(bytes_of(kbps, max(0, end - first) // SAMPLES_PER_MS + 2 * _PACKET_MS))
        work = bytearray(BLOCK_BYTES)
        position = 0
        for index in range(len(opening.recordings)):
            if index in opening.lost:
                position += BLOCK_SAMPLES
                continue
            work[:] = self.block(opening.recordings[index], index)
            converter.convert(work, BLOCK_SAMPLES)
            start, stop = max(first, position), min(end, position + BLOCK_SAMPLES)
            if start < stop:
                pcm = memoryview(work)[2 * (start - position) : 2 * BLOCK_SAMPLES]
                encoder.encode(pcm, stop - start, out, _NO_RING)
            position += BLOCK_SAMPLES
        return bytes(out[: encoder.finish(out, _NO_RING)])


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
