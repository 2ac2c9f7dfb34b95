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
    short = f[_TRANSIENT]
    band = 0
    while band < 17:
        change = f[_CHANGES + band] - 4
        blocks = 1 + 7 * short
        if change or short:
            begin = edge[band] << 3
            end = edge[band + 1] << 3
            stride = blocks
            # Sums and differences of neighbours: of blocks for less, of bins for more resolution in time.
            step = 1
            while change:
                if change > 0:
                    change -= 1
                    blocks = blocks >> 1
                else:
                    change += 1
                    if (end - begin) // stride & 1:
                        break
                    step = stride
                    stride += stride
                    blocks += blocks
                i = begin
                while i < end:
                    y = i
                    i += step
                    while y < i:
                        x = s[y]
                        other = s[y + step]
                        s[y] = x + other - offset
                        s[y + step] = x - other + offset
                        y += 1
                    i += step
                step += step
            if blocks > 1:
                # Block by block; where they are made of one, in the order of their frequencies.
                length = (end - begin) // stride
                y = begin
                while y < end:
                    w[y - begin] = s[y]
                    y += 1
                i = 0
                while i < stride:
                    y = i
                    if short == 0:
                        # A Gray code of bits from the other end, backwards.
                        y = 0
                        x = i
                        step = stride
                        while step > 1:
                            y = y << 1 | x & 1
                            x = x >> 1
                            step = step >> 1
                        x = y
                        while x:
                            x = x >> 1
                            y = y ^ x
                        y = stride - 1 - y
                    y = begin + y * length
                    step = y + length
                    x = i
                    while y < step:
                        s[y] = w[x]
                        x += stride
                        y += 1
                    i += 1
        f[_RESOLUTION + band] = blocks
        band += 1


def code_bands(coder, out, frame, work, spectrum, offset: int, counts: pvq.Counts) -> None:
    """Codes the shape of all bands as `allocation.allocate` left their bits in `frame`. `spectrum` has 320 words, each
    `offset` more than a coefficient of any common scale, below 2 ** 24 and 8 times that below the offset; short blocks
    interleaved. It is changed."""
    frame[_OFFSET] = offset
    frame[_TELL] = range_coder.tell(0, 0, coder)
    prepare(0, 0, frame, spectrum, work, EDGES)
    partitions.code(
        0, 0, frame, coder, out, spectrum, EDGES, COSTS, counts.magnitudes, counts.pulses, counts.ways, counts.columns
    )
