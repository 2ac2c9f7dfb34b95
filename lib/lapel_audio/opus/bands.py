"""The shape of the spectrum, band by band (RFC 6716, section 4.3.4)."""

import micropython
from micropython import const

from lapel_audio.opus import partitions, pvq, range_coder
from lapel_audio.opus.tables import COSTS, EDGES

# Words of a frame's state, as in `allocation` and `partitions`.
_OFFSET = const(93)
_TRANSIENT = const(98)
_TELL = const(99)
_RESOLUTION = const(110)


@micropython.viper
def prepare(x: int, y: int, frame, spectrum, work, edges):
    """Puts what belongs to a block together, in each band of a frame of short blocks."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    w = ptr32(work)
    edge = ptr8(edges)
    short = f[_TRANSIENT]
    band = 0
    while band < 17:
        f[_RESOLUTION + band] = 1 + 7 * short
        if short:
            begin = edge[band] << 3
            end = edge[band + 1] << 3
            y = begin
            while y < end:
                w[y - begin] = s[y]
                y += 1
            i = 0
            y = begin
            while i < 8:
                x = i
                while x < end - begin:
                    s[y] = w[x]
                    x += 8
                    y += 1
                i += 1
        band += 1


def code_bands(coder, out, frame, work, spectrum, offset: int, counts: pvq.Counts) -> None:
    """Codes the shape of all bands as `allocation.allocate` left their bits in `frame`. `spectrum` has 320 words, each
    `offset` more than a coefficient of any common scale, below 2 ** 22 and an eighth of the offset; short blocks
    interleaved. It is changed."""
    frame[_OFFSET] = offset
    frame[_TELL] = range_coder.tell(0, 0, coder)
    prepare(0, 0, frame, spectrum, work, EDGES)
    partitions.code(
        0, 0, frame, coder, out, spectrum, EDGES, COSTS, counts.magnitudes, counts.pulses, counts.ways, counts.columns
    )
