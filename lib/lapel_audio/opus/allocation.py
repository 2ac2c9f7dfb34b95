"""What a frame says about its bits (RFC 6716, sections 4.3.3 and 4.3.4.5), and then how they are shared out.

The functions are called in this order, and leave what follows in `frame`: an array of FRAME_WORDS words.
"""

import micropython
from micropython import const

from lapel_audio.opus import range_coder, shares
from lapel_audio.opus.tables import EDGES, SHARES, SPREAD_ICDF, TF_CHANGE, TRIM_ICDF

# Words of the frame: of each band fine bits of its energy, whether it comes later to a last one,
FINE = const(17)
LATER = const(34)
# its change of resolution plus 4, its extra bits in eighths,
_CHANGES = const(51)
_BOOSTS = const(68)
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
# Eighths of a step of extra bits in each of these bands, and how many steps one can have.
_STEP = const(48)
_MOST_STEPS = const(7)
_NORMAL = const(2)
_FLAT = const(5)


@micropython.viper
def _queue_flags(x: int, y: int, flags_words, queue, transient: int) -> int:
    """Queues where the flags differ from the last one. Returns 1 where there is a flag."""
    flags = ptr32(flags_words)
    q = ptr32(queue)
    rarity = 4 - 2 * transient
    changed = 0
    last = 0
    i = 0
    while i < 17:
        x = 4 * i + 4
        y = 1 << rarity
        q[x] = 0
        q[x + 1] = y - 1
        if flags[i] != last:
            last = 1 - last
            changed = 1
            q[x] = y - 1
            q[x + 1] = y
        q[x + 2] = rarity
        q[x + 3] = rarity << 3
        rarity = 5 - transient
        i += 1
    return changed


@micropython.viper
def _set_changes(x: int, y: int, frame, flags_words, changes, row: int):
    f = ptr32(frame)
    flags = ptr32(flags_words)
    change = ptr8(changes)
    i = 0
    while i < 17:
        f[_CHANGES + i] = change[row + flags[i]]
        i += 1


def code_flags(coder, out, queue, frame, flags, select: int, transient: int, bits: int) -> None:
    """Codes of which two changes of resolution each band has which, and which two those are. `bits` are those of the
    frame. `flags` are changed where there is no room for them."""
    changed = _queue_flags(0, 0, flags, queue, transient)
    reserve = 1 if range_coder.tell(0, 0, coder) + 8 * (5 - 2 * transient) <= 8 * bits else 0
    at = range_coder.run(0, 0, coder, out, queue, 1, 18, 8 * (bits - reserve)) - 1
    if at < 17:
        last = flags[at - 1] if at else 0
        while at < 17:
            flags[at] = last
            at += 1
        changed = _queue_flags(0, 0, flags, queue, transient)
    row = 4 * transient
    if reserve and TF_CHANGE[row + changed] != TF_CHANGE[row + 2 + changed]:
        range_coder.bit(coder, out, queue, select, 1)
        if select:
            row += 2
    _set_changes(0, 0, frame, flags, TF_CHANGE, row)
    frame[_TRANSIENT] = transient


def code_spread(coder, out, queue, frame, spread: int, bits: int) -> None:
    """Codes how pulses are spread, 0 not at all to 3."""
    if range_coder.tell(0, 0, coder) + 32 > 8 * bits:
        spread = _NORMAL
    else:
        first = 32 - SPREAD_ICDF[spread - 1] if spread else 0
        range_coder.put(coder, out, queue, first, 32 - SPREAD_ICDF[spread], 5)
    frame[_SPREAD] = spread


@micropython.viper
def _queue_boosts(x: int, y: int, boosts, queue) -> int:
    steps = ptr32(boosts)
    q = ptr32(queue)
    usual = 6
    given = 0
    at = 4
    i = 0
    while i < 17:
        y = steps[i]
        if y > _MOST_STEPS:
            y = _MOST_STEPS
        rarity = usual
        if y and usual > 2:
            usual -= 1
        more = 1
        while more:
            x = 1 << rarity
            q[at] = 0
            q[at + 1] = x - 1
            if y:
                q[at] = x - 1
                q[at + 1] = x
            else:
                more = 0
            q[at + 2] = rarity
            q[at + 3] = (rarity << 3) + given
            at += 4
            if y:
                y -= 1
                given += _STEP
                rarity = 1
        i += 1
    return at >> 2


@micropython.viper
def _set_boosts(x: int, y: int, frame, queue, count: int) -> int:
    """Boosts of the symbols that were coded; returns their sum."""
    f = ptr32(frame)
    q = ptr32(queue)
    x = 17
    while x:
        x -= 1
        f[_BOOSTS + x] = 0
    y = 0
    i = 1
    while i < count:
        if q[i << 2]:
            f[_BOOSTS + x] = f[_BOOSTS + x] + _STEP
            y += _STEP
        else:
            x += 1
        i += 1
    return y


def code_boosts(coder, out, queue, frame, boosts, bits: int) -> int:
    """Codes how many steps of 6 bits, 0 to 7, each band has extra. Returns how many eighths that is."""
    count = _queue_boosts(0, 0, boosts, queue)
    count = range_coder.run(0, 0, coder, out, queue, 1, count, 8 * bits - 1)
    return _set_boosts(0, 0, frame, queue, count)


def code_trim(coder, out, queue, frame, trim: int, boost: int, bits: int) -> None:
    """Codes how bits lean towards low bands (0) or high ones (10). `boost` is what code_boosts returned."""
    if range_coder.tell(0, 0, coder) + 48 > 8 * bits - boost:
        trim = _FLAT
    else:
        first = 128 - TRIM_ICDF[trim - 1] if trim else 0
        range_coder.put(coder, out, queue, first, 128 - TRIM_ICDF[trim], 7)
    frame[_TRIM] = trim


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
