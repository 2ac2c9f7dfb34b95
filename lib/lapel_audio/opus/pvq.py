"""Pyramid vector quantisation (RFC 6716, section 4.3.4): a partition of n coefficients becomes k signed pulses, and those
become the number of one of the V(n, k) ways to place them.

U(n, k), of which V(n, k) is U(n, k) + U(n, k + 1), is a table that is counted out once.
"""

from array import array

import micropython
from micropython import const

# Words of a partition in the frame's state, which `bands.control` fills in.
_AT = const(88)
_N = const(89)
_K = const(90)
_BLOCKS = const(91)
_SPREAD = const(92)
_OFFSET = const(93)
_WAYS = const(94)
_INDEX = const(95)
# Of `work`: magnitudes and pulses.
_PULSES = const(48)
WORK_WORDS = const(96)

# For k up to each first number, so many n.
_LENGTHS = b"\x07\x30\x08\x20\x0a\x18\x0d\x10\x11\x0c\x25\x08\x59\x06\x81\x04"
_COUNTS = const(1192)
_COLUMNS = const(130)


@micropython.viper
def _count_out(n: int, k: int, counts, columns, lengths):
    """U(n, k) = U(n - 1, k) + U(n, k - 1) + U(n - 1, k - 1), n from 1 on for each k."""
    ways = ptr32(counts)
    column = ptr16(columns)
    length = ptr8(lengths)
    at = 0
    before = 0
    i = 0
    k = 0
    while k < _COLUMNS:
        column[k] = at
        if k > length[i]:
            i += 2
        ways[at] = 1
        if k == 0:
            ways[at] = 0
        n = 1
        while n < length[i + 1]:
            if k == 0:
                ways[at + n] = 0
            else:
                ways[at + n] = ways[at + n - 1] + ways[before + n] + ways[before + n - 1]
            n += 1
        before = at
        at += n
        k += 1


@micropython.viper
def rotate(x: int, y: int, frame, spectrum):
    """Spreads the pulses of a partition that has few: turns each pair of neighbours a little (section 4.3.4.3), and
    brings the largest coefficient below 2 ** 12."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    offset = f[_OFFSET]
    n = f[_N]
    i = f[_AT]
    end = i + n
    most = 0
    while i < end:
        x = s[i] - offset
        if x < 0:
            x = 0 - x
        most = most | x
        i += 1
    # The root of n times this is what one of them may become.
    up = 0
    if most:
        while most < 0x800:
            most += most
            up += 1
    down = 0
    while most > 0xFFF:
        most = most >> 1
        down += 1
    y = f[_AT]
    while y < end:
        s[y] = (s[y] - offset << up >> down) + offset
        y += 1
    # An angle of half the square of n / (n + factor * k), where 1 << 14 is a right angle.
    i = (n << 14) // (n + 5 * (4 - f[_SPREAD]) * f[_K])
    most = i * i >> 15
    c = 0
    d = 0
    i = 0
    while i < 2:
        c = d
        # as in halves.halve
        x = most * most + 4096 >> 13
        y = (x * -626 + 16384 >> 15) + 8277
        y = (x * y + 16384 >> 15) - 7651
        d = 32768 - x + (x * y + 16384 >> 15)
        most = 16384 - most
        i += 1
    # Neighbours first, then those about the root of the length apart.
    most = f[_BLOCKS]
    up = n // most
    down = 0
    if up > 7:
        down = 1
        while (down * down + down) * most + (most >> 2) < n:
            down += 1
    d = 0 - d
    step = 1
    while step:
        begin = f[_AT]
        while begin < end:
            stop = begin + up
            first = begin
            while first < begin + step:
                # There with x as what comes from the left, and back with y as what comes from the right.
                x = s[first] - offset
                i = first + step
                while i < stop:
                    y = s[i] - offset
                    s[i - step] = (c * x - d * y >> 15) + offset
                    x = c * y + d * x >> 15
                    i += step
                i -= step
                s[i] = x + offset
                i -= step
                if i > first:
                    y = s[i] - offset
                    while i > first:
                        x = s[i - step] - offset
                        s[i] = (c * y + d * x >> 15) + offset
                        y = c * x - d * y >> 15
                        i -= step
                    s[i] = y + offset
                first += 1
            begin = stop
        step = down
        down = 0
        x = c
        c = 0 - d
        d = 0 - x


@micropython.viper
def quantise(x: int, y: int, frame, spectrum, work, counts, columns):
    """Places k pulses nearest to the n coefficients, and finds the number of that way to place them."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    w = ptr32(work)
    offset = f[_OFFSET]
    n = f[_N]
    k = f[_K]
    # Magnitudes
    most = 0
    sum = 0
    at = f[_AT]
    y = 0
    while y < n:
        x = s[at] - offset
        if x < 0:
            x = 0 - x
        w[y] = x
        most = most | x
        sum += x
        at += 1
        y += 1
    if most == 0:
        w[0] = 1
        most = 1
        sum = 1
    # are scaled to below 2 ** 14.
    up = 0
    while most < 0x2000:
        most += most
        up += 1
    down = 0
    while most > 0x3FFF:
        most = most >> 1
        down += 1
    # Rounded at a scale where there will be about k pulses, if they are spread as is usual.
    x = 8 * k
    if n > k:
        x += n - k
    gain = (x << 20) // (sum << up >> down)
    product = 0
    energy = 0
    left = k
    i = 0
    while i < n:
        x = w[i] << up >> down
        w[i] = x
        y = x * gain + 3774874 >> 23
        w[i + _PULSES] = y
        if y:
            product += x * y
            energy += y * y
            left -= y
        i += 1
    # Those too few are added one by one, those too many taken: each where product ** 2 / energy becomes the largest.
    if left:
        sign = 1
        below = 1 << 20
        if left < 0:
            sign = -1
            below = 0
        shift = 0
        while left:
            left -= sign
            energy += 1
            while product + most >> shift > 0x7FFF:
                shift += 1
            best = -1
            best_size = 0
            best_pulses = 0
            best_square = 0
            best_energy = 1
            i = 0
            while i < n:
                x = w[i] * sign
                y = w[i + _PULSES] * sign
                # If neither larger nor with fewer pulses: not better.
                if (x > best_size or y < best_pulses or best < 0) and y < below:
                    up = product + x >> shift
                    up = up * up >> 15
                    down = energy + y + y
                    if up * best_energy > best_square * down or best < 0:
                        best = i
                        best_size = x
                        best_pulses = y
                        best_square = up
                        best_energy = down
                i += 1
            product += best_size
            energy = best_energy
            w[best + _PULSES] = w[best + _PULSES] + sign
    # The number, from the last pulse to the first place.
    ways = ptr32(counts)
    column = ptr16(columns)
    i = n - 1
    while w[i + _PULSES] == 0:
        i -= 1
    x = 0
    k = 0
    at = n - 2 - i
    while i >= 0:
        at += 1
        x = int(x + ways[at])
        y = w[i + _PULSES]
        if y:
            k += y
            at = column[k] + n - 1 - i
            if s[f[_AT] + i] < offset:
                x = int(x + ways[column[k + 1] + n - 1 - i])
        i -= 1
    f[_INDEX] = x
    f[_WAYS] = ways[column[k] + n - 1] + ways[column[k + 1] + n - 1]


class Counts:
    """U(n, k) for every partition there can be: 5 kB."""

    def __init__(self) -> None:
        self.ways = array("I", [0] * _COUNTS)
        self.columns = array("H", [0] * _COLUMNS)
        _count_out(0, 0, self.ways, self.columns, _LENGTHS)
