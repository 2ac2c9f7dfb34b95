"""The pitch of a voice, taken out before the transform; a decoder's post-filter brings it back (RFC 6716, 4.3.7.1).

The post-filter adds to each sample at 48 kHz a part of those one period before. Here the same part, with the same low
pass, is taken of samples at 16 kHz, by five taps for each third of a sample that the period has.
"""

import micropython
from micropython import const

_ZERO = const(1 << 28)
# Where the frame begins in what was heard.
_NOW = const(360)
# Samples are added up by fives for the first search: 72 sums of the past, 64 of the frame.
_NOW_THIN = const(72)
_LONGEST_THIN = const(55)
THIN_WORDS = 136
SCORE_WORDS = 56
# The first set of taps of a decoder at 16 kHz: where the period is no whole number, a third more, and a third less; of
# 16384, and 16384 added.
TAPS = (
    b"\x25\x3f\x9e\x47\x3d\x72\x9e\x47\x25\x3f"
    b"\x5b\x41\x57\x3d\x6f\x6b\x90\x58\x17\x3d"
    b"\x17\x3d\x90\x58\x6f\x6b\x57\x3d\x5b\x41"
)


@micropython.viper
def thin(x: int, y: int, heard_words, thin_words, shift: int):
    """Adds up 680 words by fives, and each sum with the one behind it, as 136 values of 0 to 22, where 11 stands for 0.

    Each word has the value of the next one in its upper half.
    """
    heard = ptr32(heard_words)
    out = ptr32(thin_words)
    at = 675
    i = 136
    last = 0
    before = 0
    while i:
        i -= 1
        x = heard[at] - _ZERO
        y = at + 1
        x += heard[y] - _ZERO
        y += 1
        x += heard[y] - _ZERO
        y += 1
        x += heard[y] - _ZERO
        y += 1
        x += heard[y] - _ZERO
        at -= 5
        y = ((x + before) * 35 >> shift) + 11
        before = x
        out[i] = y | last << 16
        last = y


@micropython.viper
def search(x: int, y: int, thin_words, score_words) -> int:
    """The lag, in fives of samples, at which the frame is most like its past; 0 where it is like none."""
    low = ptr32(thin_words)
    scores = ptr32(score_words)
    plain = 0
    sum = 0
    square = 0
    x = 0
    while x < 64:
        plain += low[x + 72] & 31
        y = low[x + 65] & 31
        sum += y
        square += y * y
        x += 1
    lag = 7
    best = 0
    most = 0
    while lag < _LONGEST_THIN:
        # Two lags at once: sums of 64 products stay below 2 ** 15.
        y = _NOW_THIN - 2 - lag
        x = 0
        at = 72
        while at < 136:
            x += (low[at] & 31) * low[y]
            at += 1
            y += 1
            x += (low[at] & 31) * low[y]
            at += 1
            y += 1
            x += (low[at] & 31) * low[y]
            at += 1
            y += 1
            x += (low[at] & 31) * low[y]
            at += 1
            y += 1
        both = x
        half = 0
        while half < 2:
            lag += 1
            y = _NOW_THIN - lag
            x = low[y] & 31
            sum += x
            square += x * x
            x = low[y + 64] & 31
            sum -= x
            square -= x * x
            x = both >> 16
            if half:
                x = both & 0xFFFF
            x -= (plain + sum) * 11 - 7744
            y = 0
            if x > 0:
                y = x * x // (square - sum * 22 + 7745)
            scores[lag] = y
            if y > most:
                most = y
                best = lag
            half += 1
    # A multiple of the period does as well: the shortest that does nearly so.
    share = 2
    lag = best
    while share < 7:
        y = (best + (share >> 1)) // share
        if y > 8:
            x = scores[y]
            if scores[y - 1] > x:
                x = scores[y - 1]
            if scores[y + 1] > x:
                x = scores[y + 1]
            if x * 2 > most:
                lag = y
        share += 1
    return lag


@micropython.viper
def refine(x: int, y: int, heard_words, score_words, lag: int, shift: int) -> int:
    """The period near `lag` fives, in thirds of a sample, times 64; and how much of the frame is one period old, 0 to
    32.

    `shift` makes samples of 10 bits.
    """
    heard = ptr32(heard_words)
    scores = ptr32(score_words)
    lag = lag * 5 - 4
    most = 0
    best = 0
    cross = 0
    i = 0
    while i < 7:
        lag += 1
        cross = 0
        old = 0
        at = _NOW
        while at < 680:
            x = at - lag
            y = heard[at] - _ZERO >> shift
            x = heard[x] - _ZERO >> shift
            cross += x * y
            old += x * x
            at += 5
        x = cross >> 12
        y = 0
        if x > 0:
            old = (old >> 12) + 1
            y = x * x // old
        scores[i] = y
        if y > most:
            most = y
            best = i
            strength = (x << 5) // old
        i += 1
    if most == 0:
        return 0
    y = 0
    at = _NOW
    while at < 680:
        x = heard[at] - _ZERO >> shift
        y += x * x
        at += 5
    # the lesser of the correlation and of what is to be taken of the past
    y = (most << 10) // ((y >> 12) + 1)
    x = 0
    while x < strength and (x + 1) * (x + 1) <= y and x < 32:
        x += 1
    strength = x
    lag = (lag - 6 + best) * 3
    if best > 0 and best < 6:
        x = scores[best - 1]
        y = scores[best + 1]
        # the top of a parabola through the three
        i = most + most - x - y
        if (y - x) * 3 > i:
            lag += 1
        elif (x - y) * 3 > i:
            lag -= 1
    return lag << 6 | strength


@micropython.viper
def comb(
    x: int, y: int, heard_words, signal_words, window_words, tap_words, thirds: int, gain: int, shift: int, out: int
):
    """Takes gain * 3 / 32 of what was a period before, from the 320 words signal[40:]. It comes in over 40 samples, or
    where `out` goes in these and is gone. `shift` makes samples of 15 bits."""
    heard = ptr32(heard_words)
    signal = ptr32(signal_words)
    window = ptr16(window_words)
    taps = ptr16(tap_words)
    lag = (thirds + 1) // 3
    # 0, 1 (a third more) or 2 (a third less)
    y = (thirds - 3 * lag + 3) % 3 * 5
    gain *= 3
    f0 = (taps[y] - 16384) * gain >> 5
    f1 = (taps[y + 1] - 16384) * gain >> 5
    f2 = (taps[y + 2] - 16384) * gain >> 5
    f3 = (taps[y + 3] - 16384) * gain >> 5
    f4 = (taps[y + 4] - 16384) * gain >> 5
    at = _NOW - 2 - lag
    d = heard[at] - _ZERO >> shift
    at += 1
    c = heard[at] - _ZERO >> shift
    at += 1
    b = heard[at] - _ZERO >> shift
    at += 1
    a = heard[at] - _ZERO >> shift
    at += 1
    end = 360
    if out:
        end = 80
    x = 40
    while x < end:
        # from the newest, two samples less than a period ago
        y = d * f4 + c * f3 + b * f2 + a * f1 + 8192
        d = c
        c = b
        b = a
        a = heard[at] - _ZERO >> shift
        at += 1
        y = y + a * f0 >> 14
        if x < 80:
            e = window[x - 40]
            e = e * e >> 14
            if out:
                e = 16384 - e
            y = y * e >> 14
        signal[x] = signal[x] - (y << shift)
        x += 1


@micropython.viper
def size(x: int, y: int, signal_words) -> int:
    """How many bits the largest of the 360 words has."""
    signal = ptr32(signal_words)
    y = 0
    x = 360
    while x:
        x -= 1
        bits = signal[x] - _ZERO
        y = y | bits ^ bits >> 31
    while y >> x:
        x += 1
    return x
