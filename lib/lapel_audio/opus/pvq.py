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

# For n up to each first number, so many k (with their cost in `tables.COSTS`, one more, and 0).
_LENGTHS = b"\x04\x82\x06\x5a\x08\x26\x0c\x12\x10\x0e\x18\x0b\x20\x09\x30\x08"
_COUNTS = const(1192)
_ROWS = const(49)


@micropython.viper
def _count_out(n: int, k: int, counts, rows, lengths):
    """U(n, k) = U(n - 1, k) + U(n, k - 1) + U(n - 1, k - 1)."""
    ways = ptr32(counts)
    row = ptr16(rows)
    length = ptr8(lengths)
    at = 0
    i = 0
    n = 1
    while n < _ROWS:
        row[n] = at
        above = row[n - 1]
        if n > length[i]:
            i += 2
        ways[at] = 0
        k = 1
        while k < length[i + 1]:
            if n == 1:
                ways[at + k] = 1
            else:
                ways[at + k] = ways[above + k] + ways[at + k - 1] + ways[above + k - 1]
            k += 1
        at += k
        n += 1


@micropython.viper
def rotate(x: int, y: int, frame, spectrum):
    """Spreads the pulses of a partition that has few: turns each pair of neighbours a little (section 4.3.4.3), and
    brings the largest coefficient below 2 ** 12."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    offset = f[_OFFSET]
    n = f[_N]
    begin = f[_AT]
    end = begin + n
    most = 0
    i = begin
    while i < end:
        x = s[i] - offset
        if x < 0:
            x = 0 - x
        most = most | x
        i += 1
    up = 0
    # The root of n times this is what one of them may become.
    if most:
        while most < 0x800:
            most += most
            up += 1
    down = 0
    while most > 0xFFF:
        most = most >> 1
        down += 1
    i = begin
    while i < end:
        s[i] = (s[i] - offset << up >> down) + offset
        i += 1
    # An angle of half the square of n / (n + factor * k), where 1 << 14 is a right angle.
    i = (n << 14) // (n + 5 * (4 - f[_SPREAD]) * f[_K])
    angle = i * i >> 15
    cosine = 0
    sine = 0
    i = 0
    while i < 2:
        cosine = sine
        # as in bands.control
        x = angle * angle + 4096 >> 13
        y = (x * -626 + 16384 >> 15) + 8277
        y = (x * y + 16384 >> 15) - 7651
        sine = 32768 - x + (x * y + 16384 >> 15)
        angle = 16384 - angle
        i += 1
    blocks = f[_BLOCKS]
    length = n // blocks
    # The wide step is about the root of the length.
    wide = 0
    if n >= 8 * blocks:
        wide = 1
        while (wide * wide + wide) * blocks + (blocks >> 2) < n:
            wide += 1
    while begin < end:
        step = 1
        c = cosine
        m = 0 - sine
        turns = 2
        while turns:
            ahead = 1
            i = begin
            stop = begin + length - step
            while ahead:
                while i != stop:
                    x = s[i] - offset
                    y = s[i + step] - offset
                    s[i + step] = (c * y + m * x + 16384 >> 15) + offset
                    s[i] = (c * x - m * y + 16384 >> 15) + offset
                    i += ahead
                # and back
                ahead -= 2
                i = begin + length - 2 * step - 1
                stop = begin - 1
                if ahead < -1 or i < stop:
                    ahead = 0
            turns -= 1
            step = wide
            c = sine
            m = 0 - cosine
            if wide == 0:
                turns = 0
        begin += length


@micropython.viper
def quantise(x: int, y: int, frame, spectrum, work, counts, rows):
    """Places k pulses nearest to the n coefficients, and finds the number of that way to place them."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    w = ptr32(work)
    ways = ptr32(counts)
    row = ptr16(rows)
    offset = f[_OFFSET]
    n = f[_N]
    at = f[_AT]
    left = f[_K]
    # Magnitudes, scaled to below 2 ** 14.
    most = 0
    i = 0
    while i < n:
        x = s[at + i] - offset
        if x < 0:
            x = 0 - x
        w[i] = x
        most = most | x
        i += 1
    if most == 0:
        w[0] = 0x2000
        most = 0x2000
    up = 0
    while most < 0x2000:
        most += most
        up += 1
    down = 0
    while most > 0x3FFF:
        most = most >> 1
        down += 1
    sum = 0
    i = 0
    while i < n:
        x = w[i] << up >> down
        w[i] = x
        sum += x
        i += 1
    # What is surely right: as many pulses as the share of the sum is worth.
    gain = (left << 23) // sum
    product = 0
    energy = 0
    i = 0
    while i < n:
        x = w[i]
        y = x * gain >> 23
        w[i + _PULSES] = y
        product += x * y
        energy += y * y
        left -= y
        i += 1
    # The others one by one, each where it makes product ** 2 / energy the largest.
    shift = 0
    while left:
        left -= 1
        energy += 1
        while product + most >> shift > 0x7FFF:
            shift += 1
        best = 0
        best_size = -1
        best_pulses = 0
        best_square = 0
        best_energy = 1
        i = 0
        while i < n:
            x = w[i]
            y = w[i + _PULSES]
            # Neither larger nor with fewer pulses: not better.
            if x > best_size or y < best_pulses:
                square = product + x >> shift
                square = square * square >> 15
                sum = energy + y + y
                if square * best_energy > best_square * sum or best_size < 0:
                    best = i
                    best_size = x
                    best_pulses = y
                    best_square = square
                    best_energy = sum
            i += 1
        product += best_size
        energy = best_energy
        w[best + _PULSES] = best_pulses + 1
    # The number, from the last place to the first.
    x = 0
    y = 0
    i = 1
    while i <= n:
        at = row[i] + y
        x = int(x + ways[at])
        best = w[_PULSES + n - i]
        if best:
            y += best
            if s[f[_AT] + n - i] < offset:
                x = int(x + ways[at + best + 1])
        i += 1
    f[_INDEX] = x
    f[_WAYS] = ways[row[n] + y] + ways[row[n] + y + 1]


class Counts:
    """U(n, k) for every partition there can be: 4.8 kB."""

    def __init__(self) -> None:
        self.ways = array("I", [0] * _COUNTS)
        self.rows = array("H", [0] * _ROWS)
        _count_out(0, 0, self.ways, self.rows, _LENGTHS)
