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
        # sums and differences of the second and the fifth, and of those between; what is turned by 90 degrees: y, -x
        x = words[at + 3]
        y = words[at + 9]
        first = x - y
        x = words[at + 5]
        y = words[at + 7]
        second = x - y
        part = 0
        while part < 2:
            p = at + 2 + part
            x = words[p]
            p += 6
            y = words[p]
            a = x + y - 2 * _ZERO
            next_first = y - x
            p -= 4
            x = words[p]
            p += 2
            y = words[p]
            b = x + y - 2 * _ZERO
            next_second = y - x
            p = at + part
            zero = words[p] - _ZERO
            y = zero + a + b
            bits = bits | y ^ y >> 31
            words[p] = y + _ZERO
            p += 2
            x = (zero << 13) + _COS_1 * a - _COS_2 * b + 4096
            y = _SIN_1 * first + _SIN_2 * second
            c = x + y >> 13
            bits = bits | c ^ c >> 31
            words[p] = c + _ZERO
            p += 6
            c = x - y >> 13
            bits = bits | c ^ c >> 31
            words[p] = c + _ZERO
            p -= 4
            x = (zero << 13) - _COS_2 * a + _COS_1 * b + 4096
            y = _SIN_2 * first - _SIN_1 * second
            c = x + y >> 13
            bits = bits | c ^ c >> 31
            words[p] = c + _ZERO
            p += 2
            c = x - y >> 13
            bits = bits | c ^ c >> 31
            words[p] = c + _ZERO
            if part == 0:
                first = next_first
                second = next_second
            part += 1
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
            # second and fourth: sum and difference, which is turned by 90 degrees: y, -x
            x = br + dr
            br = dr - br
            dr = x
            x = bi + di
            bi -= di
            di = x
            p = at
            part = 0
            while part < 2:
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
                cr = ci
                dr = di
                bi = br
                p = at + 1
                part += 1
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
        turned = x * cosine + y * sine + 8192 >> 14
        imaginary = y * cosine - x * sine + 8192 >> 14
        part = 0
        while part < 2:
            x = words[at] + half >> shift
            y = x + turned
            x -= turned
            bits = bits | y ^ y >> 31 | x ^ x >> 31
            words[at] = y + _ZERO
            words[other] = x + _ZERO
            turned = imaginary
            at += 1
            other += 1
            part += 1
    x = 0
    while bits >> 16 + x:
        x += 1
    return x
