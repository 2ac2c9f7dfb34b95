"""Pyramid vector quantisation (RFC 6716, section 4.3.4): a partition of n coefficients becomes k signed pulses, and
those become the number of one of the V(n, k) ways to place them.

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
_RAWS = const(100)
_RAW = const(101)
# Of what bands are rearranged in, and bits shared out.
WORK_WORDS = const(51)

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
def rotate(x: int, y: int, frame, spectrum, room):
    """Spreads the pulses of a partition that has few: turns each pair of neighbours a little (section 4.3.4.3)."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    t = ptr32(room)
    offset = f[_OFFSET]
    n = f[_N]
    begin = f[_AT]
    end = begin + n
    most = 0
    y = begin
    while y < end:
        x = s[y] - offset
        if x < 0:
            x = 0 - x
        most = x | most
        y += 1
    # One of them may become the root of n times the largest one.
    up = 0
    while most << up < 0x80 and up < 7:
        up += 1
    down = 0
    while most >> down > 0xFFF:
        down += 1
    if up + down:
        y = begin
        while y < end:
            s[y] = (s[y] - offset << up >> down) + offset
            y += 1
    # An angle of half the square of n / (n + factor * k), where 1 << 14 is a right angle.
    y = (n << 14) // (n + 5 * (4 - f[_SPREAD]) * f[_K])
    most = y * y >> 15
    c = 0
    d = 0
    up = 0
    while up < 2:
        c = d
        # as in halves.halve
        x = most * most + 4096 >> 13
        y = (x * -626 + 16384 >> 15) + 8277
        y = (x * y + 16384 >> 15) - 7651
        d = 32768 - x + (x * y + 16384 >> 15)
        most = 16384 - most
        up += 1
    # Neighbours first, then those about the root of the length apart.
    most = f[_BLOCKS]
    length = n // most
    wide = 0
    if length > 7:
        wide = 1
        while (wide * wide + wide) * most + (most >> 2) < n:
            wide += 1
    d = 0 - d
    step = 1
    while step:
        begin = f[_AT]
        while begin < end:
            stop = begin + length
            first = begin
            while first < begin + step:
                # On, with x as what comes along: what stays behind lies one step further in t. And back.
                x = s[first] - offset
                y = first + step
                while y < stop:
                    other = s[y] - offset
                    t[y] = (c * x - d * other >> 15) + offset
                    x = c * other + d * x >> 15
                    y += step
                y -= step
                s[y] = x + offset
                if y > first:
                    x = t[y] - offset
                    y -= step
                    while y > first:
                        other = t[y] - offset
                        s[y] = (c * x + d * other >> 15) + offset
                        x = c * other - d * x >> 15
                        y -= step
                    s[y] = x + offset
                first += 1
            begin = stop
        step = wide
        wide = 0
        x = c
        c = 0 - d
        d = 0 - x


@micropython.viper
def quantise(x: int, y: int, frame, spectrum, magnitudes, pulses, counts, columns):
    """Places k pulses nearest to the n coefficients, and finds the number of that way to place them."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    w = ptr32(magnitudes)
    p = ptr32(pulses)
    offset = f[_OFFSET]
    left = f[_K]
    n = f[_N]
    at = f[_AT]
    most = 0
    sum = 0
    y = n
    while y:
        y -= 1
        x = s[y + at] - offset
        if x < 0:
            x = 0 - x
        w[y] = x
        most = x | most
        sum = x + sum
    if most == 0:
        w[0] = most = sum = 1
    down = 0
    while most > 0x3FFF:
        most = most >> 1
        down += 1
    if down:
        sum = sum >> down
        y = n
        while y:
            y -= 1
            w[y] = w[y] >> down
    # Rounded at a scale where there will be about k pulses, if they are spread as is usual.
    x = 8 * left
    if n > left:
        x += n - left
    gain = (x << 20) // sum
    product = 0
    energy = 0
    y = n
    while y:
        y -= 1
        x = w[y]
        x = x * gain + 3774874 >> 23
        p[y] = x
        if x:
            left -= x
            energy += x * x
            x = x * w[y]
            product = x + product
    if left:
        # Those too few are added one by one, those too many taken: where product ** 2 / energy becomes the largest.
        down = 0
        half = 0
        while left:
            while product + most >> down > 0x7FFF:
                down += 1
            sum = product + most >> down
            sum = sum * sum
            while sum >> half > 0x7FFF:
                half += 1
            energy += 1
            best_size = -1
            best_pulses = 0
            best_square = 0
            best_energy = 1
            y = n
            if left > 0:
                left -= 1
                while y:
                    y -= 1
                    x = w[y]
                    # If neither larger nor with fewer pulses: not better.
                    if x > best_size or p[y] < best_pulses:
                        sum = x + product >> down
                        sum = sum * sum >> half
                        x = p[y]
                        x = x + x + energy
                        if best_size < 0 or sum * best_energy > best_square * x:
                            best = y
                            best_size = w[y]
                            best_pulses = p[y]
                            best_square = sum
                            best_energy = x
                p[best] = best_pulses + 1
                product += best_size
            else:
                left += 1
                while y:
                    y -= 1
                    x = p[y]
                    if x:
                        sum = product - w[y] >> down
                        sum = sum * sum >> half
                        x = energy - x - x
                        if best_size < 0 or sum * best_energy > best_square * x:
                            best = y
                            best_size = w[y]
                            best_square = sum
                            best_energy = x
                p[best] = p[best] - 1
                product -= best_size
            energy = best_energy
    # The number, from the last pulse to the first place.
    ways = ptr32(counts)
    column = ptr16(columns)
    number = uint(0)
    left = 0
    y = n
    while p[y - 1] == 0:
        y -= 1
    at = n - y
    while y:
        y -= 1
        number += uint(ways[at])
        if p[y]:
            left += p[y]
            at = column[left] + n - 1 - y
            if s[f[_AT] + y] < offset:
                number += uint(ways[column[left + 1] + n - 1 - y])
        at += 1
    # Of a number above 8 bits only the top is a symbol.
    last = uint(ways[column[left] + n - 1]) + uint(ways[column[left + 1] + n - 1]) - uint(1)
    x = int(last >> 8)
    y = 0
    if x > 0xFF:
        x = x >> 8
        y = 8
    while x:
        x = x >> 1
        y += 1
    f[_RAWS] = y
    f[_RAW] = number & uint((1 << y) - 1)
    f[_INDEX] = number >> y
    f[_WAYS] = (last >> y) + uint(1)


class Counts:
    """U(n, k) for every partition there can be, and room to place pulses in: 7 kB."""

    def __init__(self) -> None:
        self.ways = array("I", [0] * _COUNTS)
        self.columns = array("H", [0] * _COLUMNS)
        self.magnitudes = array("i", [0] * 320)
        self.pulses = array("i", [0] * 48)
        _count_out(0, 0, self.ways, self.columns, _LENGTHS)
