"""What the encoder knows of a voice: its pitch and how much of it was taken out of the last frame."""

from array import array

import micropython

from lapel_audio.opus import pitch, range_coder, waves
from lapel_audio.opus.mdct import Transform

# Below this nobody would hear a pitch: two samples' ones are 128.
_QUIET_BITS = 10
# Frames below this pay less for a pitch.
_SMALL_BYTES = 36
# From here on a pitch is no longer looked for: it would hardly be heard, and there the rest takes longest.
LARGE_BYTES = 103


@micropython.viper
def _put_octave(x: int, y: int, coder, octave: int):
    """Codes that a frame that just began is not silent, has a post-filter, and which octave of 6 its period is in.

    What went before is the same each time, so the coder's range is a constant here, of which 6 parts are made.
    """
    state = ptr32(coder)
    # range_coder's words 0 and 1: the range and its lower end
    x = 0x3FFF8000
    y = 178951509
    if octave:
        state[1] = x - y * (6 - octave) + x
        state[0] = y
    else:
        state[1] = x
        state[0] = x - y * 5


class Voice:
    """`gain` is 0 where nothing was taken out of the frame; else 1 to 8, in 3 / 32, at a period of `period` thirds."""

    def __init__(self) -> None:
        self._thin = array("i", bytes(4 * pitch.THIN_WORDS))
        self._scores = array("i", bytes(4 * pitch.SCORE_WORDS))
        self.period = 0
        self.gain = 0
        self._bits_before = 0
        self._bits_earlier = 0

    def reset(self) -> None:
        """As if silence had gone before."""
        self.period = self.gain = 0
        self._bits_before = self._bits_earlier = 0

    def take_out(self, transform: Transform, rate_bytes: int) -> None:
        """Finds the pitch of what `transform` took, and takes it out; packets have about `rate_bytes`."""
        heard = transform.heard
        signal = transform.signal
        bits = transform.bits
        loudest = max(bits, self._bits_before, self._bits_earlier)
        self._bits_earlier = self._bits_before
        self._bits_before = bits
        period = 0
        gain = 0
        if bits > _QUIET_BITS and rate_bytes < LARGE_BYTES:
            pitch.thin(0, 0, heard, self._thin, loudest + 5)
            period = pitch.search(0, 0, self._thin, self._scores)
            if period:
                period = pitch.refine(0, 0, heard, self._scores, period, loudest - 10)
                # 0.7 of how alike they are, in 3 / 32
                gain = self._worth(period >> 6, (period & 63) * 15 + 32 >> 6, rate_bytes)
                period >>= 6
        shift = loudest - 15 if loudest > 15 else 0
        if self.gain:
            pitch.comb(0, 0, heard, signal, waves.WINDOW, pitch.TAPS, self.period, self.gain, shift, 1)
        if gain:
            pitch.comb(0, 0, heard, signal, waves.WINDOW, pitch.TAPS, period, gain, shift, 0)
        if gain or self.gain:
            transform.bits = pitch.size(0, 0, signal)
        self.gain = gain
        self.period = period

    def _worth(self, period: int, gain: int, rate_bytes: int) -> int:
        """The gain, or 0 where it is too little for what it costs: more so for another pitch, and in small frames."""
        before = self.gain
        least = 2
        if abs(period - self.period) * 10 > period:
            least += 2
        if rate_bytes < _SMALL_BYTES:
            least += 1
        if before > 5:
            least -= 2
        elif before > 4:
            least -= 1
        if gain < least or gain < 2:
            return 0
        # a steady one is better than a nearer one
        return before if -2 < gain - before < 2 else gain

    def write(self, coder: array, out: bytearray, queue: array, values: array, widths: array) -> None:
        """Codes the frame's first symbols, up to the taps: instead of that it is not silent and has no post-filter."""
        period = self.period + 1
        octave = 0
        while period >> octave + 5:
            octave += 1
        _put_octave(0, 0, coder, octave)
        values[0] = period - (16 << octave)
        widths[0] = 4 + octave
        values[1] = self.gain - 1
        widths[1] = 3
        range_coder.raw(0, 0, coder, out, values, widths, 2)
        # the first of three sets of taps
        range_coder.put(coder, out, queue, 0, 2, 2)
