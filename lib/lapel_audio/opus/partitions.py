"""Partitions of a band's spectrum (RFC 6716, section 4.3.4), in mono: what a decoder does to split one in two, to share
bits between the halves, and to go on with what is left. Partitions that wait lie on a stack in the frame's state.
"""

import micropython
from micropython import const

from lapel_audio.opus.halves import halve
from lapel_audio.opus.pvq import quantise, rotate

# Words of a frame's state, from `allocation` on: bits of each band in eighths,
_BITS = const(0)
_CODED = const(85)
_BALANCE = const(86)
_TOTAL = const(87)
# the partition that `pvq` is to do,
_AT = const(88)
_N = const(89)
_K = const(90)
_BLOCKS = const(91)
_SPREAD = const(92)
_WAYS = const(94)
_INDEX = const(95)
_RAWS = const(100)
_RAW = const(101)
# what `halve` says besides the angle,
_TILT = const(162)
# what is used at first, blocks of each band, partitions that wait.
_TELL = const(99)
_RESOLUTION = const(110)
_STACK = const(127)
_ENTRY = const(7)
# What may be negative is kept with so much added.
_EVEN = const(1 << 20)
# Where in EDGES the log2 of the widths are, and in COSTS the powers of 2 and the costs.
_WIDTHS = const(18)
_ROOTS = const(50)
_COSTS = const(66)


@micropython.viper
def code(x: int, y: int, frame, coder, out, spectrum, edges, costs, magnitudes, pulses, counts, columns):
    """Codes all bands, as `bands.prepare` left them; the last four are what `pvq.quantise` wants."""
    f = ptr32(frame)
    state = ptr32(coder)
    text = ptr8(out)
    edge = ptr8(edges)
    cost = ptr8(costs)
    used = f[_TELL]
    left = 0
    top = 0
    band = 0
    split = 0
    raw = 0
    raws = 0
    total = 0
    low = 0
    high = 0
    at = 0
    n = 0
    bits = 0
    blocks = 0
    level = 0
    angle = 0
    angles = 0
    while True:
        # A symbol is to be coded, of the numbers low .. high - 1 below `total`, and so many raw bits `raw`.
        if total:
            # As in range_coder.run, which knows only powers of 2.
            range = int(uint(state[0]) - uint(1))
            line = state[1]
            x = range // total
            if range - x * total == total - 1:
                x += 1
            if low:
                y = range + 1 - x * (total - low)
                range = x * (high - low) - 1
                if int(uint(line) + uint(y) >> 31):
                    line = line - 0x3FFFFFFF + (y - 0x3FFFFFFF) - 2
                    i = state[3]
                    x = 1
                    while x:
                        i -= 1
                        x = text[i] + 1
                        text[i] = x
                        x = x >> 8
                else:
                    line += y
            else:
                range -= x * (total - high)
            while range < 0x800000:
                y = state[3]
                if y < state[4]:
                    text[y] = line >> 23
                    state[3] = y + 1
                else:
                    state[7] = 1
                line = (line & 0x7FFFFF) << 8
                range = range << 8 | 0xFF
                state[2] = state[2] + 8
            state[0] = range + 1
            state[1] = line
            if raws:
                state[2] = state[2] + raws
                y = state[5] | raw << state[6]
                i = state[6] + raws
                while i > 7:
                    x = state[4] - 1
                    if x >= state[3]:
                        text[x] = y
                        state[4] = x
                    else:
                        state[7] = 1
                    y = y >> 8
                    i -= 8
                state[5] = y
                state[6] = i
            # As in range_coder.tell.
            x = int(uint(range) + uint(1) >> 8)
            y = 24
            if x > 0xFFFFF:
                x = x >> 4
                y = 28
            while x > 0xFFFF:
                x = x >> 1
                y += 1
            i = 3
            while i:
                x = int(uint(x) * uint(x) >> 15)
                y += y
                if x > 0xFFFF:
                    x = x >> 1
                    y += 1
                i -= 1
            x = used
            used = (state[2] << 3) - y
            total = 0
            raws = 0
            if split:
                # Two halves share the bits by their angle; the one with more comes first.
                split = 0
                bits -= used - x
                left -= used - x
                angle = (angle << 14) // angles
                x = f[_TILT] - _EVEN
                if blocks > 1 and angle & 0x3FFF:
                    # What comes after a loud time is masked, what comes before it hardly.
                    if angle > 8192:
                        x -= x >> 5 - level
                    else:
                        x += n << 3 >> 6 - level
                        if x > 0:
                            x = 0
                blocks = blocks + 1 >> 1
                x = bits - x >> 1
                if x < 0:
                    x = 0
                elif x > bits:
                    x = bits
                y = bits - x
                # What the first one leaves over by more than 3 bits goes to the second, if that has any energy.
                i = _STACK + top
                top += 2 * _ENTRY
                f[i] = at + n
                f[i + 1] = y
                f[i + 5] = angle & 0xFFFF
                f[i + 7] = at
                f[i + 8] = x
                f[i + 12] = 0
                if y > x:
                    f[i] = at
                    f[i + 1] = x
                    f[i + 5] = 16384 - angle
                    f[i + 7] = at + n
                    f[i + 8] = y
                    x = y
                f[i + 6] = x - left + _EVEN
                f[i + 2] = n
                f[i + 3] = blocks
                f[i + 4] = level
                f[i + 9] = n
                f[i + 10] = blocks
                f[i + 11] = level
        if top == 0:
            if band == 17:
                break
            y = f[_BALANCE] - _EVEN
            if band:
                y -= used
            left = f[_TOTAL] - used - 1
            f[_BALANCE] = y + used + f[_BITS + band] + _EVEN
            bits = f[_CODED] - band
            if bits > 0:
                if bits > 3:
                    bits = 3
                if y < 0:
                    bits = 0 - (0 - y) // bits
                else:
                    bits = y // bits
                bits += f[_BITS + band]
                if bits > left + 1:
                    bits = left + 1
                if bits > 0:
                    top = _ENTRY
                    f[_STACK] = edge[band] << 3
                    f[_STACK + 1] = bits
                    f[_STACK + 2] = edge[band + 1] - edge[band] << 3
                    f[_STACK + 3] = f[_RESOLUTION + band]
                    f[_STACK + 4] = 4
                    f[_STACK + 5] = 0
            band += 1
        else:
            top -= _ENTRY
            i = _STACK + top
            at = f[i]
            bits = f[i + 1]
            n = f[i + 2]
            blocks = f[i + 3]
            level = f[i + 4]
            if f[i + 5]:
                x = f[i + 6] - _EVEN + left
                if x > 24:
                    bits += x - 24
            table = cost[n] + _COSTS
            most = cost[table]
            if level and n > 2 and bits > cost[table + most] + 12:
                # More than pulses can use: two halves and the angle between them.
                split = 1
                level -= 1
                n = n >> 1
                # How many angles: 2 ** (eighths of a bit for each).
                high = edge[band - 1 + _WIDTHS] + (level - 1 << 3)
                low = 2 * n - 1
                low = (bits + low * ((high >> 1) - 4)) // low
                i = bits - high - 32
                if i < low:
                    low = i
                if low > 64:
                    low = 64
                i = (low & 7) * 2 + _ROOTS
                angles = (cost[i + 1] << 8 | cost[i]) >> 14 - (low >> 3)
                angles = angles + 1 >> 1 << 1
                angle = int(halve(0, 0, frame, spectrum, at, n, angles))
                if blocks > 1:
                    # Of 257 angles the last bit is a raw one.
                    raws = angles >> 8
                    raw = angle & raws
                    low = angle >> raws
                    high = low + 1
                    total = (angles >> raws) + 1
                else:
                    # The middle is likelier than both ends.
                    total = ((angles >> 1) + 1) * ((angles >> 1) + 1)
                    i = angle + 1
                    low = angle * i >> 1
                    if i + i > angles + 2:
                        i = angles + 1 - angle
                        low = total - (i * (i + 1) >> 1)
                    high = low + i
            elif bits > 0:
                # The number of pulses whose cost is nearest, and then one that there are bits for.
                x = 0
                y = most
                bits -= 1
                i = 6
                while i:
                    most = x + y + 1 >> 1
                    if cost[table + most] < bits:
                        x = most
                    else:
                        y = most
                    i -= 1
                most = -1
                if x:
                    most = cost[table + x]
                if bits - most > cost[table + y] - bits:
                    x = y
                while x and cost[table + x] >= left:
                    x -= 1
                if x:
                    left -= cost[table + x] + 1
                    if x > 7:
                        x = (x & 7) + 8 << (x >> 3) - 1
                    f[_AT] = at
                    f[_N] = n
                    f[_K] = x
                    f[_BLOCKS] = blocks
                    if f[_SPREAD] and x + x < n:
                        rotate(0, 0, frame, spectrum, magnitudes)
                    quantise(0, 0, frame, spectrum, magnitudes, pulses, counts, columns)
                    total = f[_WAYS]
                    low = f[_INDEX]
                    high = low + 1
                    raws = f[_RAWS]
                    raw = f[_RAW]
