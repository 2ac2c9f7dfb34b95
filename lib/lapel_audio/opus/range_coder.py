"""The range encoder (RFC 6716, sections 4.1 and 5.1): symbols grow from the front of a frame, raw bits from its end.

A symbol lies in a queue as four words: where its share begins and ends, both out of 2 ** the third, and what it needs
to be left, in eighths of a bit. A byte is written as soon as it is known but for a carry; a carry goes back at once
through what is written. In variables the range is less by 1: so it and all else is below 2 ** 31.
"""

from array import array

import micropython
from micropython import const

# Words of a coder's state. The final range of a frame is the first of them.
RANGE = const(0)
_RANGE = const(0)
_LOW = const(1)
_BITS = const(2)  # so far, as if the range were 2 ** 32
_AT = const(3)
_END = const(4)
_WINDOW = const(5)  # raw bits that make no byte yet
_HELD = const(6)  # so many
_FAILED = const(7)
STATE_WORDS = const(8)
# No frame is as long as this, in eighths of a bit.
NO_LIMIT = const(1 << 20)


@micropython.viper
def start(x: int, y: int, coder, at: int, size: int):
    """A frame of `size` bytes begins, at out[at]."""
    state = ptr32(coder)
    x = 0x20000000
    state[_RANGE] = x << 2
    state[_LOW] = 0
    state[_BITS] = 33
    state[_AT] = at
    state[_END] = at + size
    state[_WINDOW] = 0
    state[_HELD] = 0
    state[_FAILED] = 0


@micropython.viper
def tell(x: int, y: int, coder) -> int:
    """Bits used so far, in eighths and rounded up."""
    state = ptr32(coder)
    # The range's log2, of which each squaring tells one more bit.
    x = int(uint(state[_RANGE]) >> 8)
    y = 24
    while x > 0xFFFF:
        x = x >> 1
        y += 1
    rounds = 3
    while rounds:
        x = int(uint(x) * uint(x) >> 15)
        y += y
        if x > 0xFFFF:
            x = x >> 1
            y += 1
        rounds -= 1
    return (state[_BITS] << 3) - y


@micropython.viper
def run(range: int, low: int, coder, out, queue, at: int, count: int, limit: int) -> int:
    """Codes symbols at .. count - 1 of the queue, as long as what is used and what the next one needs, in eighths of a
    bit, are not above `limit`. Returns which symbol is the first that is not coded."""
    state = ptr32(coder)
    text = ptr8(out)
    words = ptr32(queue)
    bits = state[_BITS]
    range = int(uint(state[_RANGE]) - uint(1))
    low = state[_LOW]
    while at < count:
        i = at << 2
        # A range is above 2 ** 23; where that is not enough to know, exactly as in tell().
        if (bits - 24 << 3) + words[i + 3] > limit:
            x = int(uint(range) + uint(1) >> 8)
            y = 24
            while x > 0xFFFF:
                x = x >> 1
                y += 1
            rounds = 3
            while rounds:
                x = int(uint(x) * uint(x) >> 15)
                y += y
                if x > 0xFFFF:
                    x = x >> 1
                    y += 1
                rounds -= 1
            if (bits << 3) - y + words[i + 3] > limit:
                break
        x = words[i]
        share = int(uint(range) + uint(1) >> words[i + 2])
        if x:
            y = range + 1 - share * ((1 << words[i + 2]) - x)
            range = share * (words[i + 1] - x) - 1
            if int(uint(low) + uint(y) >> 31):
                # 2 ** 31 less, and the carry
                low = low - 0x3FFFFFFF + (y - 0x3FFFFFFF) - 2
                i = state[_AT]
                x = 1
                while x:
                    i -= 1
                    x = text[i] + 1
                    text[i] = x
                    x = x >> 8
            else:
                low += y
        else:
            range -= share * ((1 << words[i + 2]) - words[i + 1])
        while range < 0x800000:
            y = state[_AT]
            if y < state[_END]:
                text[y] = low >> 23
                state[_AT] = y + 1
            else:
                state[_FAILED] = 1
            low = (low & 0x7FFFFF) << 8
            range = range << 8 | 0xFF
            bits += 8
        at += 1
    state[_BITS] = bits
    state[_RANGE] = range + 1
    state[_LOW] = low
    return at


@micropython.viper
def raw(window: int, held: int, coder, out, values, widths, count: int):
    """Writes values[i] as widths[i] bits, 0 to 16, at the frame's end."""
    state = ptr32(coder)
    text = ptr8(out)
    value = ptr32(values)
    width = ptr32(widths)
    window = state[_WINDOW]
    held = state[_HELD]
    bits = state[_BITS]
    end = state[_END]
    i = 0
    while i < count:
        window = window | value[i] << held
        held += width[i]
        bits += width[i]
        while held > 7:
            end -= 1
            if end >= state[_AT]:
                text[end] = window
            else:
                end += 1
                state[_FAILED] = 1
            window = window >> 8
            held -= 8
        i += 1
    state[_WINDOW] = window
    state[_HELD] = held
    state[_BITS] = bits
    state[_END] = end


@micropython.viper
def finish(range: int, low: int, coder, out) -> int:
    """Writes what tells the last symbols apart, zeros and raw bits. Returns 0, or 1 where the frame was too short."""
    state = ptr32(coder)
    text = ptr8(out)
    range = int(uint(state[_RANGE]) - uint(1))
    low = state[_LOW]
    at = state[_AT]
    end = state[_END]
    # The value with the fewest bits, whatever follows it, that lies within the range: so much above its lower end.
    bits = 8
    x = int(uint(range) + uint(1) >> 24)
    while x:
        x = x >> 1
        bits -= 1
    mask = (1 << 30 - bits) - 1 + (1 << 30 - bits)
    x = mask - (low + mask & mask)
    if x > range - mask:
        bits += 1
        mask = mask >> 1
        x = mask - (low + mask & mask)
    if int(uint(low) + uint(x) >> 31):
        # As in `run`.
        low = low - 0x3FFFFFFF + (x - 0x3FFFFFFF) - 2
        i = at
        x = 1
        while x:
            i -= 1
            x = text[i] + 1
            text[i] = x
            x = x >> 8
    else:
        low += x
    while bits > 0:
        if at < end:
            text[at] = low >> 23
            at += 1
        else:
            state[_FAILED] = 1
        low = (low & 0x7FFFFF) << 8
        bits -= 8
    i = at
    while i < end:
        text[i] = 0
        i += 1
    held = state[_HELD]
    if held:
        window = state[_WINDOW]
        end -= 1
        if at > end:
            # The last byte is shared; the symbols use all but so many bits of it.
            if held > 0 - bits:
                window = window & (1 << 0 - bits) - 1
                state[_FAILED] = 1
        text[end] = text[end] | window
    return state[_FAILED]


@micropython.viper
def laplace(x: int, y: int, queue, at: int, count: int, values, model, first: int):
    """Queues `count` coarse energies from symbol `at` on (sections 4.3.2.1): values[i] + 128, with the i-th pair of
    `model` behind its byte `first`. A value beyond what the model can say is changed to the last that it can."""
    words = ptr32(queue)
    value = ptr32(values)
    pairs = ptr8(model)
    i = 0
    at = at << 2
    while i < count:
        share = pairs[first + 2 * i] << 7
        decay = pairs[first + 2 * i + 1] << 6
        x = value[i] - 128
        low = 0
        if x:
            sign = 0
            if x < 0:
                sign = 1
                x = 0 - x
            low = share
            share = (32736 - share) * (16384 - decay) >> 15
            y = 1
            while y < x and share > 0:
                share += share
                low += share + 2
                share = share * decay >> 15
                y += 1
            if share > 0:
                share += 1
                if sign == 0:
                    low += share
            else:
                # From here on each value has a share of 1.
                share = (32768 - low + sign >> 1) - 1
                if x - y > share:
                    x = y + share
                low += 2 * (x - y) + 1 - sign
                share = 1
                if sign:
                    value[i] = 128 - x
                else:
                    value[i] = 128 + x
        words[at] = low
        words[at + 1] = low + share
        words[at + 2] = 15
        words[at + 3] = 120
        at += 4
        i += 1


def new() -> "array[int]":
    """The state of a coder."""
    return array("I", [0] * STATE_WORDS)


@micropython.viper
def put(coder, out, queue, first: int, end: int, shift: int):
    """Codes one symbol, by way of the queue's first words."""
    words = ptr32(queue)
    words[0] = first
    words[1] = end
    words[2] = shift
    words[3] = 0
    at = 0
    count = 1
    limit = NO_LIMIT
    run(0, 0, coder, out, queue, at, count, limit)


@micropython.viper
def bit(coder, out, queue, value: int, rarity: int):
    """Codes a bit that is 1 once in 2 ** rarity times."""
    last = (1 << rarity) - 1
    first = 0
    if value:
        first = last
        last += 1
    put(coder, out, queue, first, last, rarity)
