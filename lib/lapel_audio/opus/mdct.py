"""From samples to the spectrum of a frame, as a decoder at 48 kHz will read it (RFC 6716, 4.3.7 and 4.3.8).

A decoder works at 48 kHz. What it would make of our 16 kHz, two zeros put between every two samples, has the same
spectrum below 8 kHz as a transform at 16 kHz of a third of the size, up to its scale; so that is what is done here: 320
bins with an overlap of 40 samples, or eight times 40 bins. The emphasis of the high tones, 1 - 0.85 / z at 48 kHz, is
met at 16 kHz by a filter of two zeros and one pole, to 0.07 dB (root mean square) and 0.33 dB at 8 kHz.

Words between kernels are stored with ZERO added, so none is negative: 32-bit loads differ in sign between a desk and
the device. Each stage first shifts its input so far that 32-bit products cannot overflow, and no further; the shifts
add up to `exponent`.
"""

from array import array

import micropython
from micropython import const

from lapel_audio.opus import waves
from lapel_audio.opus.butterflies import fives, fours, twos

ZERO = 1 << 28
_ZERO = const(1 << 28)
FRAME_SAMPLES = 320
OVERLAP = 40
# Samples of the past that are kept for the pitch.
HEARD = 360


@micropython.viper
def emphasise(x: int, y: int, block, heard_words, words, past) -> int:
    """Takes 320 samples into words[40:360] (64 for 1, ZERO added), where the last 40 of the frame before go to the
    front; and into heard_words[360:680], where the last 360 do.

    Returns how many bits the largest of `words` has. `past`: 3 words of the filter.
    """
    pcm = ptr16(block)
    heard = ptr32(heard_words)
    signal = ptr32(words)
    memory = ptr32(past)
    bits = 0
    x = 320
    while x < 680:
        y = heard[x]
        heard[x - 320] = y
        x += 1
    at = 0
    while at < 40:
        x = signal[at + 320]
        signal[at] = x
        x -= _ZERO
        bits = bits | x ^ x >> 31
        at += 1
    first = memory[0] - 32768
    second = memory[1] - 32768
    y = memory[2] - _ZERO
    at = 0
    while at < 320:
        x = (pcm[at] ^ 0x8000) - 0x8000
        y = 7234 * x - 2552 * first - 1218 * second - 1713 * y
        second = first
        first = x
        x = y >> 8
        bits = bits | x ^ x >> 31
        x += _ZERO
        signal[at + 40] = x
        end = at + 360
        heard[end] = x
        y = y >> 12
        at += 1
    memory[0] = first + 32768
    memory[1] = second + 32768
    memory[2] = y + _ZERO
    x = 0
    while bits >> x:
        x += 1
    return x


@micropython.viper
def fold(x: int, y: int, words, folded, window_words, size: int, up: int, down: int):
    """The 360 words, shifted, as 320: every block of `size` windowed and folded at its ends."""
    signal = ptr32(words)
    out = ptr32(folded)
    window = ptr16(window_words)
    base = 0
    while base < 320:
        k = 0
        while k < 20:
            high = window[k + 20]
            low = window[19 - k]
            at = base + 20 + k
            x = signal[at] - _ZERO << up >> down
            at = base + 19 - k
            y = signal[at] - _ZERO << up >> down
            at = base + k
            out[at] = (x * high - y * low + 8192 >> 14) + _ZERO
            at = base + size + 19 - k
            x = signal[at] - _ZERO << up >> down
            at = base + size + 20 + k
            y = signal[at] - _ZERO << up >> down
            at = base + size - 1 - k
            out[at] = (x * high + y * low + 8192 >> 14) + _ZERO
            k += 1
        x = base + 20
        k = base + size - 20
        while x < k:
            y = x + 20
            y = signal[y] - _ZERO << up >> down
            out[x] = y + _ZERO
            x += 1
        base += size


@micropython.viper
def spin(x: int, y: int, folded, complexes, turn_words, places, size: int):
    """Takes the ends of each block as pairs, turns them, and puts them where the butterflies want them."""
    words = ptr32(folded)
    out = ptr32(complexes)
    turns = ptr16(turn_words)
    place = ptr8(places)
    base = 0
    while base < 320:
        last = base + size - 1
        n = 0
        while n < size:
            x = words[last - n] - _ZERO
            y = words[base + n] - _ZERO
            cosine = turns[n] - 16384
            sine = turns[n + 1] - 16384
            at = base + (place[n >> 1] << 1)
            out[at] = (x * cosine + y * sine + 8192 >> 14) + _ZERO
            at += 1
            out[at] = (y * cosine - x * sine + 8192 >> 14) + _ZERO
            n += 2
        base += size


@micropython.viper
def unspin(x: int, y: int, complexes, spectrum_words, turn_words, size: int, shift: int):
    """Shifts and turns them back: the spectrum, the bins of several blocks side by side."""
    words = ptr32(complexes)
    out = ptr32(spectrum_words)
    turns = ptr16(turn_words)
    half = 1 << shift >> 1
    half -= _ZERO
    blocks = 320 // size
    block = 0
    while block < blocks:
        base = block * size
        up = block
        down = 320 - blocks + block
        n = 0
        while n < size:
            at = base + n
            x = words[at] + half >> shift
            y = words[at + 1] + half >> shift
            cosine = turns[n] - 16384
            sine = turns[n + 1] - 16384
            out[up] = (8191 - x * cosine - y * sine >> 14) + _ZERO
            out[down] = (y * cosine - x * sine + 8192 >> 14) + _ZERO
            up += blocks << 1
            down -= blocks << 1
            n += 2
        block += 1


class Transform:
    """Keeps the overlap. Allocates nothing after it was made."""

    def __init__(self) -> None:
        self.spectrum = array("i", bytes(4 * FRAME_SAMPLES))
        self.signal = array("i", bytes(4 * (FRAME_SAMPLES + OVERLAP)))
        self.heard = array("i", bytes(4 * (HEARD + FRAME_SAMPLES)))
        self._complexes = array("i", bytes(4 * FRAME_SAMPLES))
        self._past = array("i", bytes(12))
        # Where the butterflies want the pair n: the digits of n in reverse, in base 2, 4, 4, 5 and in base 4, 5.
        self._places_long = bytes(80 * (n & 1) + 20 * (n >> 1 & 3) + 5 * (n >> 3 & 3) + (n >> 5) for n in range(160))
        self._places_short = bytes(5 * (n & 3) + (n >> 2) for n in range(20))
        self.bits = 0
        self.exponent = 0
        self.reset()

    def reset(self) -> None:
        """As if silence had gone before."""
        for at in range(HEARD + FRAME_SAMPLES):
            self.heard[at] = _ZERO
        for at in range(FRAME_SAMPLES + OVERLAP):
            self.signal[at] = _ZERO
        self._past[0] = self._past[1] = 32768
        self._past[2] = _ZERO

    def take(self, pcm: bytearray) -> int:
        """Takes 640 B of samples; what `run` works on then. Returns `bits`, those of the loudest: 6 are a sample's 1.

        Until then `signal` (of 360 words, the last 320 are new) may be changed, and `bits` with it."""
        self.bits = emphasise(0, 0, pcm, self.heard, self.signal, self._past)
        return self.bits

    def run(self, short: int) -> None:
        """Fills `spectrum` (320 words below 2 ** 17, ZERO added), in which 160 * 2 ** exponent is a sample's 1.

        `short`: eight spectra of 40 bins, interleaved; then 20 * 2 ** exponent is. May run twice of the same samples.
        """
        # Below 2 ** 14 before it is folded: a turned pair stays below 2 ** 15.
        shift = self.bits - 14
        size = 320
        turns = waves.LONG
        places = self._places_long
        if short:
            size = 40
            turns = waves.SHORT
            places = self._places_short
        spectrum = self.spectrum
        complexes = self._complexes
        roots = waves.ROOTS
        if shift < 0:
            fold(0, 0, self.signal, spectrum, waves.WINDOW, size, -shift, 0)
        else:
            fold(0, 0, self.signal, spectrum, waves.WINDOW, size, 0, shift)
        spin(0, 0, spectrum, complexes, turns, places, size)
        more = fives(0, 0, complexes)
        shift += more
        more = fours(0, 0, complexes, roots, 5, more)
        shift += more
        if not short:
            more = fours(0, 0, complexes, roots, 20, more)
            shift += more
            more = twos(0, 0, complexes, roots, more)
            shift += more
        unspin(0, 0, complexes, spectrum, turns, size, more)
        self.exponent = 6 - shift
