"""The butterflies of Fourier transforms of 160 and of 20 points: 5 * 4 (* 4 * 2).

In place, real and imaginary words side by side, ZERO added (mdct). Each stage shifts what it reads so far that 32-bit
products cannot overflow.
"""

import micropython
from micropython import const

_ZERO = const(1 << 28)
# The cosines and sines of 72 and 144 degrees, times 8192.
_COS_1 = const(2531)
_COS_2 = const(6627)
_SIN_1 = const(7791)
_SIN_2 = const(4815)


@micropython.viper
def fives(x: int, y: int, complexes) -> int:
    """Butterflies of 5 neighbours, all 32. Below 2 ** 15 in. Returns how far the next stage shifts."""
    words = ptr32(complexes)
    bits = 0
    at = 0
    while at < 320:
        ar = words[at + 2]
        ai = words[at + 3]
        br = words[at + 4]
        bi = words[at + 5]
        x = words[at + 6]
        # second and third: difference, then sum
        dr = br - x
        br += x - 2 * _ZERO
        x = words[at + 7]
        di = bi - x
        bi += x - 2 * _ZERO
        # first and fourth
        x = words[at + 8]
        cr = ar - x
        ar += x - 2 * _ZERO
        x = words[at + 9]
        ci = ai - x
        ai += x - 2 * _ZERO
        zero = words[at] - _ZERO
        words[at] = zero + ar + br + _ZERO
        y = zero + ar + br
        bits = bits | y ^ y >> 31
        x = (zero << 13) + _COS_1 * ar - _COS_2 * br + 4096
        y = _SIN_1 * ci + _SIN_2 * di
        mr = x + y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 2] = mr + _ZERO
        mr = x - y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 8] = mr + _ZERO
        x = (zero << 13) - _COS_2 * ar + _COS_1 * br + 4096
        y = _SIN_2 * ci - _SIN_1 * di
        mr = x + y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 4] = mr + _ZERO
        mr = x - y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 6] = mr + _ZERO
        zero = words[at + 1] - _ZERO
        words[at + 1] = zero + ai + bi + _ZERO
        y = zero + ai + bi
        bits = bits | y ^ y >> 31
        x = (zero << 13) + _COS_1 * ai - _COS_2 * bi + 4096
        y = _SIN_1 * cr + _SIN_2 * dr
        mr = x - y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 3] = mr + _ZERO
        mr = x + y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 9] = mr + _ZERO
        x = (zero << 13) - _COS_2 * ai + _COS_1 * bi + 4096
        y = _SIN_2 * cr - _SIN_1 * dr
        mr = x - y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 5] = mr + _ZERO
        mr = x + y >> 13
        bits = bits | mr ^ mr >> 31
        words[at + 7] = mr + _ZERO
        at += 10
    x = 0
    while bits >> 16 + x:
        x += 1
    return x


@micropython.viper
def fours(x: int, y: int, complexes, root_words, apart: int, shift: int) -> int:
    """Butterflies of 4 that are 5 or 20 `apart`, shifted first. Returns how far the next stage shifts."""
    words = ptr32(complexes)
    roots = ptr16(root_words)
    half = 1 << shift >> 1
    half -= _ZERO
    step = 80 // apart
    leap = apart << 1
    bits = 0
    k = 0
    while k < apart:
        x = k * step
        c1 = roots[x] - 16384
        s1 = roots[x + 1] - 16384
        x += k * step
        c2 = roots[x] - 16384
        s2 = roots[x + 1] - 16384
        x += k * step
        c3 = roots[x] - 16384
        s3 = roots[x + 1] - 16384
        at = k << 1
        while at < 320:
            p = at + leap
            x = words[p] + half >> shift
            y = words[p + 1] + half >> shift
            br = x * c1 + y * s1 + 8192 >> 14
            bi = y * c1 - x * s1 + 8192 >> 14
            p += leap
            x = words[p] + half >> shift
            y = words[p + 1] + half >> shift
            cr = x * c2 + y * s2 + 8192 >> 14
            ci = y * c2 - x * s2 + 8192 >> 14
            p += leap
            x = words[p] + half >> shift
            y = words[p + 1] + half >> shift
            dr = x * c3 + y * s3 + 8192 >> 14
            di = y * c3 - x * s3 + 8192 >> 14
            # second and fourth: sum and difference
            x = br + dr
            br -= dr
            dr = x
            x = bi + di
            bi -= di
            di = x
            p = at
            x = words[p] + half >> shift
            y = x - cr
            x += cr
            cr = x + dr
            bits = bits | cr ^ cr >> 31
            words[p] = cr + _ZERO
            p += leap
            cr = y + bi
            bits = bits | cr ^ cr >> 31
            words[p] = cr + _ZERO
            p += leap
            cr = x - dr
            bits = bits | cr ^ cr >> 31
            words[p] = cr + _ZERO
            p += leap
            cr = y - bi
            bits = bits | cr ^ cr >> 31
            words[p] = cr + _ZERO
            p = at + 1
            x = words[p] + half >> shift
            y = x - ci
            x += ci
            ci = x + di
            bits = bits | ci ^ ci >> 31
            words[p] = ci + _ZERO
            p += leap
            ci = y - br
            bits = bits | ci ^ ci >> 31
            words[p] = ci + _ZERO
            p += leap
            ci = x - di
            bits = bits | ci ^ ci >> 31
            words[p] = ci + _ZERO
            p += leap
            ci = y + br
            bits = bits | ci ^ ci >> 31
            words[p] = ci + _ZERO
            at += leap << 2
        k += 1
    x = 0
    while bits >> 16 + x:
        x += 1
    return x


@micropython.viper
def twos(x: int, y: int, complexes, root_words, shift: int) -> int:
    """Butterflies of the first half with the second one, shifted first. Returns how far the next stage shifts."""
    words = ptr32(complexes)
    roots = ptr16(root_words)
    half = 1 << shift >> 1
    half -= _ZERO
    bits = 0
    at = 0
    while at < 160:
        other = at + 160
        x = words[other] + half >> shift
        y = words[other + 1] + half >> shift
        cosine = roots[at] - 16384
        sine = roots[at + 1] - 16384
        real = x * cosine + y * sine + 8192 >> 14
        imaginary = y * cosine - x * sine + 8192 >> 14
        x = words[at] + half >> shift
        y = x + real
        x -= real
        bits = bits | y ^ y >> 31 | x ^ x >> 31
        words[at] = y + _ZERO
        words[other] = x + _ZERO
        at += 1
        other += 1
        x = words[at] + half >> shift
        y = x + imaginary
        x -= imaginary
        bits = bits | y ^ y >> 31 | x ^ x >> 31
        words[at] = y + _ZERO
        words[other] = x + _ZERO
        at += 1
    x = 0
    while bits >> 16 + x:
        x += 1
    return x
