"""The shape of the spectrum, band by band (RFC 6716, section 4.3.4)."""

import micropython
from micropython import const

from lapel_audio.opus import partitions, pvq, range_coder
from lapel_audio.opus.tables import COSTS, EDGES

# Words of a frame's state, as in `allocation` and `partitions`.
_CHANGES = const(51)
_OFFSET = const(93)
_TRANSIENT = const(98)
_TELL = const(99)
_BAND = const(100)
_TOP = const(102)
_WAITS = const(103)
_RESOLUTION = const(110)


@micropython.viper
def prepare(x: int, y: int, frame, spectrum, work, edges):
    """Changes the resolution of each band in time and frequency (section 4.3.4.5), and puts what belongs to a block
    together."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    w = ptr32(work)
    edge = ptr8(edges)
    offset = f[_OFFSET]
    band = 0
    while band < 17:
        begin = edge[band] << 3
        n = (edge[band + 1] << 3) - begin
        blocks = 1
        if f[_TRANSIENT]:
            blocks = 8
        change = f[_CHANGES + band] - 4
        orderly = f[_TRANSIENT]
        stride = blocks
        # Sums and differences of neighbours: of blocks for less, of bins for more resolution in time.
        step = 1
        while change:
            if change > 0:
                change -= 1
                blocks = blocks >> 1
            elif n // stride & 1:
                break
            else:
                step = stride
                stride += stride
                blocks += blocks
                change += 1
            i = 0
            while i < n:
                if i & step == 0:
                    x = s[begin + i]
                    y = s[begin + i + step]
                    s[begin + i] = x + y - offset
                    s[begin + i + step] = x - y + offset
                i += 1
            step += step
        f[_RESOLUTION + band] = blocks
        if blocks > 1:
            # Block by block; where they are made of one, in the order of their frequencies.
            length = n // stride
            i = 0
            while i < stride:
                y = i
                if orderly == 0:
                    # A Gray code of bits from the other end, backwards.
                    y = 0
                    x = i
                    step = stride
                    while step > 1:
                        y = y << 1 | x & 1
                        x = x >> 1
                        step = step >> 1
                    step = y
                    while step:
                        step = step >> 1
                        y = y ^ step
                    y = stride - 1 - y
                y = y * length
                x = begin + i
                step = 0
                while step < length:
                    w[y] = s[x]
                    y += 1
                    x += stride
                    step += 1
                i += 1
            i = 0
            while i < n:
                s[begin + i] = w[i]
                i += 1
        band += 1


def code_bands(coder, out, frame, work, spectrum, offset: int, counts: pvq.Counts) -> None:
    """Codes the shape of all bands as `allocation.allocate` left their bits in `frame`. `spectrum` has 320 words, each
    `offset` more than a coefficient of any common scale, below 2 ** 24 and 8 times that below the offset; short blocks
    interleaved. It is changed."""
    frame[_OFFSET] = offset
    frame[_TELL] = range_coder.tell(0, 0, coder)
    frame[_BAND] = frame[_TOP] = frame[_WAITS] = 0
    prepare(0, 0, frame, spectrum, work, EDGES)
    while True:
        what = partitions.control(0, 0, frame, coder, out, spectrum, EDGES, COSTS)
        if what == 0:
            break
        if what == 2:
            pvq.rotate(0, 0, frame, spectrum)
        pvq.quantise(0, 0, frame, spectrum, counts.magnitudes, counts.pulses, counts.ways, counts.columns)
