"""What a frame says of how its bits are shared out (RFC 6716, sections 4.3.3 and 4.3.4), and how they are.

The functions are called in this order, and leave what follows in `frame`: an array of FRAME_WORDS words.
"""

import micropython
from micropython import const

from lapel_audio.opus import range_coder, shares
from lapel_audio.opus.tables import EDGES, SHARES, SPREAD_ICDF, TRIM_ICDF

# Words of the frame: of each band fine bits of its energy, whether it comes later to a last one,
FINE = const(17)
LATER = const(34)
# bands with bits, eighths in all,
CODED = const(85)
_TOTAL = const(87)
_SPREAD = const(92)
# whether one raw bit comes behind the bands, and what the frame is like.
ANTI_COLLAPSE = const(96)
_TRIM = const(97)
_TRANSIENT = const(98)
FRAME_WORDS = const(164)
QUEUE_WORDS = const(4 * 140)
# What `describe` needs, in eighths of a bit.
NEEDS = const(320)


@micropython.viper
def _queue(x: int, y: int, queue, frame, spread_icdf, trim_icdf, transient: int, spread: int, trim: int) -> int:
    """Queues all symbols of `describe`, and returns where they end."""
    q = ptr32(queue)
    f = ptr32(frame)
    spreads = ptr8(spread_icdf)
    trims = ptr8(trim_icdf)
    f[_TRANSIENT] = transient
    f[_SPREAD] = spread
    f[_TRIM] = trim
    # 17 times whether the resolution changes, where a frame of short blocks says so at once; then which change it is,
    # if that matters; the spread; 17 times no boost; the trim.
    at = 4
    i = 0
    while i < 37:
        y = 6
        if i < 17:
            y = 5 - transient
            if i == 0:
                y = 4 - 2 * transient
        x = 0
        end = (1 << y) - 1
        if i == 0 and transient:
            x = end
            end += 1
        elif i == 17:
            y = 1
            end = 1
        elif i == 18:
            y = 5
            end = 32 - spreads[spread]
            if spread:
                x = 32 - spreads[spread - 1]
        elif i == 36:
            y = 7
            end = 128 - trims[trim]
            if trim:
                x = 128 - trims[trim - 1]
        q[at] = x
        q[at + 1] = end
        q[at + 2] = y
        q[at + 3] = 0
        if i != 17 or transient:
            at += 4
        i += 1
    return at >> 2


def describe(coder, out, queue, frame, transient: int, spread: int, trim: int) -> None:
    """Codes that no band changes its resolution, how pulses are spread (0 not at all to 3), that no band is boosted,
    and how bits lean towards low bands (10) or high ones (0). NEEDS eighths of a bit must be left."""
    count = _queue(0, 0, queue, frame, SPREAD_ICDF, TRIM_ICDF, transient, spread, trim)
    range_coder.run(0, 0, coder, out, queue, 1, count, range_coder.NO_LIMIT)


def allocate(coder, out, queue, frame, work, size: int, widest: int) -> int:
    """Shares out what is left of `size` bytes, at most 250. Returns how many bands have bits, 1 to 17; those above
    `widest` have only what they must."""
    total = 64 * size - range_coder.tell(0, 0, coder) - 1
    spare = 8 if frame[_TRANSIENT] and total >= 40 else 0
    frame[ANTI_COLLAPSE] = spare >> 3
    frame[_TOTAL] = 64 * size - spare
    total -= spare
    flags = shares.share(0, 0, frame, queue, work, EDGES, SHARES, total if total > 0 else 0, widest)
    range_coder.run(0, 0, coder, out, queue, 1, flags + 1, range_coder.NO_LIMIT)
    return frame[CODED]
