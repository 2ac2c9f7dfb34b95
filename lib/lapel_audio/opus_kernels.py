"""A clip of Opus from blocks of any size, by the calls of adpcm.Encoder. `frames` says what its bytes are."""

import micropython

from lapel_audio.opus.encoder import FRAME_BYTES, MOST_BYTES, Encoder
from lapel_audio.opus.mdct import OVERLAP

_SAMPLES = FRAME_BYTES // 2


@micropython.viper
def _gather(x: int, y: int, pcm, frame, start: int, at: int, samples: int):
    """frame[at + k] = pcm[start + k] for the next `samples`."""
    source = ptr16(pcm)
    target = ptr16(frame)
    while samples:
        samples -= 1
        x = start + samples
        y = source[x]
        x = at + samples
        target[x] = y


@micropython.viper
def _lay(x: int, y: int, packet, size: int, ring, mask: int, count: int):
    """The packet behind its length, from byte `count` of the stream on."""
    source = ptr8(packet)
    target = ptr8(ring)
    x = count & mask
    target[x] = size
    while size:
        x = count + size & mask
        size -= 1
        y = source[size]
        target[x] = y


class ClipEncoder:
    """Packets of one size, so that a page of flash, which is what a power cut may take, holds no more than its time.

    Nothing is allocated after it was made, but for the end of a clip.
    """

    codec = "opus"

    def __init__(self, kbps: int = 24) -> None:
        self._encoder = Encoder(kbps, False)
        self._frame = bytearray(FRAME_BYTES)
        self._packet = bytearray(MOST_BYTES)
        self._fill = 0
        self._count = 0
        # Samples that must come before a decoder has heard all there were.
        self._unheard = 0

    def set_rate(self, kbps: int) -> None:
        """From the next packet on."""
        self._encoder.set_rate(kbps)

    def reset(self) -> None:
        """Starts a new clip."""
        self._encoder.reset()
        self._fill = self._count = self._unheard = 0

    def encode(self, pcm, samples: int, out: bytearray, mask: int) -> int:
        """As adpcm.Encoder.encode; the bytes that are whole are those of whole packets."""
        taken = 0
        if samples:
            self._unheard = OVERLAP
        while taken < samples:
            step = _SAMPLES - self._fill
            if step > samples - taken:
                step = samples - taken
            _gather(0, 0, pcm, self._frame, taken, self._fill, step)
            taken += step
            self._fill += step
            if self._fill == _SAMPLES:
                self._pack(out, mask)
        return self._count

    def finish(self, out: bytearray, mask: int) -> int:
        """The last samples, and silence until a decoder has heard them: the count of bytes of the whole clip."""
        while self._unheard > 0:
            self._unheard -= _SAMPLES - self._fill
            for at in range(2 * self._fill, FRAME_BYTES):
                self._frame[at] = 0
            self._pack(out, mask)
        return self._count

    def _pack(self, out: bytearray, mask: int) -> None:
        self._fill = 0
        size = self._encoder.encode(self._frame, self._packet)
        _lay(0, 0, self._packet, size, out, mask, self._count)
        self._count += 1 + size
