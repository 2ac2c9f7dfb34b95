"""An Opus encoder for speech: CELT alone, 16 kHz mono, wideband, 20 ms a packet (RFC 6716)."""

from array import array

import micropython

from lapel_audio.opus import allocation, analysis, bands, energy, pvq, range_coder, tables
from lapel_audio.opus.mdct import ZERO, Transform
from lapel_audio.opus.voice import LARGE_BYTES, Voice

FRAME_BYTES = 640
MOST_BYTES = 250
# CELT alone, wideband, 20 ms, mono, one frame a packet.
TOC = 0xB8
SILENCE_BYTES = 3
# No frame that is not silent is smaller: then headers and levels in steps of 1 always find their bits.
LEAST_BYTES = 20
_MOST_STEP = 15
# All samples of the frame and of its overlap are -2 to 1.
_SILENT_BITS = 7
# Symbols of a frame's queue: silence, post-filter, short blocks and intra come before the steps.
_FIRST_STEP = 5
# In frames below so many bytes few pulses are spread over their band, as CELT usually does; in others it is no better.
SPREAD = 2
SPREAD_BYTES = 57
# An eighth of a frame so much louder (in sixteenths) than what went before is coded in short blocks.
ATTACK = 64
# A little more for low bands than what is usual.
TRIM = 6
# What no packet grows beyond at a variable rate.
_LARGEST_BYTES = 170
# Packets' worth of bytes that may be saved.
RESERVOIR = 8
# A frame gets less where it is weaker than the loudest by this, 1024 for 6 dB; half where it is by so much more.
WEAK = 3072
WEAKEST = 6144


@micropython.viper
def _head(x: int, y: int, queue, short: int, intra: int):
    """Queues that the frame is not silent, has no post-filter, whether short and whether intra."""
    symbols = ptr32(queue)
    symbols[4] = 0
    symbols[5] = 32767
    symbols[6] = 15
    symbols[7] = 0
    symbols[8] = 0
    symbols[9] = 1
    symbols[10] = 1
    symbols[11] = 128
    x = 12
    y = short
    while x < 20:
        symbols[x] = 7 * y
        symbols[x + 1] = 7 + y
        symbols[x + 2] = 3
        symbols[x + 3] = 24
        y = intra
        x += 4


class Encoder:
    """Packets of 20 ms that any Opus decoder reads. Its decoder hears a sample 2.5 ms after it was taken.

    `kbps`: 8 to 100, the header counted. Packets all have the same size; or with `variable` at most twice that, by what
    those before saved in the last 160 ms, and three bytes where it is silent. Nothing is allocated after it was made.
    """

    def __init__(self, kbps: int = 24, variable: bool = True) -> None:
        self._variable = variable
        self._transform = Transform()
        self._voice = Voice()
        self._coder = range_coder.new()
        self._queue = array("i", bytes(4 * allocation.QUEUE_WORDS))
        self._frame = array("i", bytes(4 * allocation.FRAME_WORDS))
        self._work = array("i", bytes(4 * pvq.WORK_WORDS))
        self._counts = pvq.Counts()
        self._levels = array("i", bytes(4 * tables.BANDS))
        self._old = array("i", bytes(4 * tables.BANDS))
        self._new = array("i", bytes(4 * tables.BANDS))
        self._errors = array("i", bytes(4 * tables.BANDS))
        self._steps = array("i", bytes(4 * tables.BANDS))
        self._values = array("i", bytes(4 * tables.BANDS))
        self._widths = array("i", bytes(4 * tables.BANDS))
        self._rate_bytes = 0
        self._saved_bytes = 0
        self._loudest = 0
        self._intra = True
        self._transients = 0
        self.set_rate(kbps)
        self.reset()

    @property
    def final_range(self) -> int:
        """The range coder's range after the last packet, which a decoder's must equal (RFC 6716, 4.1.5)."""
        return self._coder[range_coder.RANGE]

    def set_rate(self, kbps: int) -> None:
        """From the next packet on. A value beyond 8 to 100 is taken as the nearest of these."""
        self._rate_bytes = min(MOST_BYTES, max(LEAST_BYTES, kbps * 5 // 2))
        self._save(self._rate_bytes)

    def reset(self) -> None:
        """As a new encoder, at the same rate: the next packet needs none before it."""
        self._transform.reset()
        for band in range(tables.BANDS):
            self._old[band] = energy.HIGH
            self._errors[band] = energy.NO_ERROR
        self._saved_bytes = 0
        self._loudest = 0
        self._intra = True
        self._transients = 0
        self._voice.reset()

    def encode(self, pcm: bytearray, out: bytearray) -> int:
        """640 B of 16-bit samples as one packet in `out`, which takes MOST_BYTES. Returns the packet's bytes."""
        out[0] = TOC
        transform = self._transform
        transform.take(pcm)
        self._voice.take_out(transform, self._rate_bytes)
        if transform.bits <= _SILENT_BITS:
            return self._silence(out)
        shift = transform.bits - 12
        short = 0
        if analysis.attack(0, 0, transform.signal, shift if shift > 0 else 0) > ATTACK:
            short = 1
        transform.run(short)
        scale = energy.SHORT_SCALE if short else energy.LONG_SCALE
        scale += transform.exponent << 10
        energy.measure(0, 0, transform.spectrum, tables.EDGES, tables.E_MEANS, self._levels, scale)
        size = self._rate_bytes
        if self._variable:
            size = self._wanted()
            self._save(size)
        self._code(out, size - 1, short)
        return size

    def _silence(self, out: bytearray) -> int:
        size = self._rate_bytes
        if self._variable:
            self._save(SILENCE_BYTES)
            size = SILENCE_BYTES
        coder = self._coder
        range_coder.start(0, 0, coder, 1, size - 1)
        range_coder.bit(coder, out, self._queue, 1, 15)
        range_coder.finish(0, 0, coder, out)
        for band in range(tables.BANDS):
            self._old[band] = energy.LOWEST
        return size

    def _save(self, size: int) -> None:
        # What a packet takes more was saved before, so the mean stays below the rate.
        saved = self._saved_bytes + self._rate_bytes - size
        most = self._rate_bytes * RESERVOIR
        self._saved_bytes = saved if saved < most else most

    def _wanted(self) -> int:
        """Less for what is far weaker than the loudest of late, and of what that saves an eighth more for each."""
        rate = self._rate_bytes
        level = analysis.loudness(0, 0, self._levels)
        self._loudest -= 16
        if level > self._loudest:
            self._loudest = level
        weaker = self._loudest - level - WEAK
        size = rate + (self._saved_bytes >> 3)
        if weaker > 0:
            if weaker > WEAKEST:
                weaker = WEAKEST
            size -= rate * weaker // (2 * WEAKEST)
        if size < LEAST_BYTES:
            return LEAST_BYTES
        # A large packet takes too long, a pitch and a smaller one as well.
        most = LARGE_BYTES - 1 if rate < LARGE_BYTES else _LARGEST_BYTES
        if most < rate:
            most = rate
        return size if size < most else most

    def _code(self, out: bytearray, size: int, short: int) -> None:
        coder = self._coder
        queue = self._queue
        frame = self._frame
        bits = size * 8
        if not self._energy(out, size, short, _MOST_STEP):
            self._energy(out, size, short, 1)
        allocation.describe(coder, out, queue, frame, short, SPREAD if size < SPREAD_BYTES else 0, TRIM)
        allocation.allocate(coder, out, queue, frame, self._work, size, 16)
        values = self._values
        widths = self._widths
        energy.fine(0, 0, self._old, self._errors, frame, allocation.FINE, values, widths)
        range_coder.raw(0, 0, coder, out, values, widths, tables.BANDS)
        bands.code_bands(coder, out, frame, self._work, self._transform.spectrum, ZERO, self._counts)
        if frame[allocation.ANTI_COLLAPSE]:
            values[0] = 1 if self._transients < 2 else 0
            widths[0] = 1
            range_coder.raw(0, 0, coder, out, values, widths, 1)
        self._transients = self._transients + 1 if short else 0
        left = bits - (range_coder.tell(0, 0, coder) + 7 >> 3)
        count = energy.last(
            0, 0, self._old, self._errors, frame, allocation.FINE, allocation.LATER, values, widths, left
        )
        range_coder.raw(0, 0, coder, out, values, widths, count)
        range_coder.finish(0, 0, coder, out)

    def _energy(self, out: bytearray, size: int, short: int, most: int) -> bool:
        """Begins a frame and codes all levels, in steps of at most `most`. False: too little is left for the rest."""
        coder = self._coder
        queue = self._queue
        steps = self._steps
        range_coder.start(0, 0, coder, 1, size)
        intra = 1 if self._intra else 0
        decay = min(16384, size << 7)
        energy.coarse(0, 0, self._levels, self._old, self._new, steps, self._errors, intra, decay, most)
        _head(0, 0, queue, short, intra)
        first = 1
        if self._voice.gain:
            # its own symbols, in place of the first two
            first = 3
            self._voice.write(coder, out, queue, self._values, self._widths)
        range_coder.laplace(0, 0, queue, _FIRST_STEP, tables.BANDS, steps, tables.LAPLACE, 34 if intra else 0)
        end = _FIRST_STEP + tables.BANDS
        if range_coder.run(0, 0, coder, out, queue, first, end, size * 64 - allocation.NEEDS) < end:
            return False
        self._intra = False
        self._old, self._new = self._new, self._old
        return True
