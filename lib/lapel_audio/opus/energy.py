"""The energy of each band, and how it is coded: coarse in steps of 6 dB, predicted; then finer (RFC 6716, 4.3.2).

A level is the binary logarithm of a band's amplitude, 1024 a step, less the mean of that band (tables.E_MEANS), and
HIGH more, so that no stored word is negative. `errors` are what coding has left over, with 65536 added.
"""

import micropython
from micropython import const

_BANDS = const(17)
_ZERO = const(1 << 28)
# The lowest level that a decoder knows is -28 steps.
HIGH = 32768
NO_ERROR = 65536
LOWEST = HIGH - 28 * 1024
_HIGH = const(32768)
_LOWEST = const(32768 - 28 * 1024)
# log2(160) and log2(20)
LONG_SCALE = 7498
SHORT_SCALE = 4426


@micropython.viper
def measure(x: int, y: int, spectrum_words, edge_bytes, mean_bytes, level_words, scale: int):
    """The levels of the 17 bands of a spectrum (mdct), where `scale` is the logarithm of a 1, 1024 a step."""
    spectrum = ptr32(spectrum_words)
    edges = ptr8(edge_bytes)
    means = ptr8(mean_bytes)
    levels = ptr32(level_words)
    at = 0
    band = 0
    while band < _BANDS:
        end = edges[band + 1] << 3
        bits = 0
        x = at
        while x < end:
            y = spectrum[x] - _ZERO
            bits = bits | y ^ y >> 31
            x += 1
        level = _LOWEST
        if bits:
            # So that the sum of 48 squares stays below 2 ** 30.
            down = 0
            while bits >> 12 + down:
                down += 1
            up = 0
            while bits << up < 2048:
                up += 1
            bits = 0
            x = at
            while x < end:
                y = spectrum[x] - _ZERO << up >> down
                bits += y * y
                x += 1
            # The logarithm of the sum, 512 a step, which is 1024 a step of its root: squares give bit after bit.
            level = 0
            while bits >> 15:
                bits = bits >> 1
                level += 1
            while bits < 16384:
                bits = bits << 1
                level -= 1
            level += 14
            x = 9
            while x:
                bits = bits * bits >> 14
                level = level << 1
                if bits >> 15:
                    bits = bits >> 1
                    level += 1
                x -= 1
            level += (down - up << 10) - scale - (means[band] << 6) + _HIGH
            if level < _LOWEST:
                level = _LOWEST
        levels[band] = level
        at = end
        band += 1


@micropython.viper
def coarse(
    x: int,
    y: int,
    level_words,
    old_words,
    new_words,
    step_words,
    error_words,
    intra: int,
    decay: int,
    most: int,
):
    """Steps, -most .. most, 128 added, from the levels `old` that a decoder has of the last frame; `new` are its next.

    `errors` become what is left over. `intra`: without the last frame. `decay`: most to go down at once, times 1024.
    """
    levels = ptr32(level_words)
    old = ptr32(old_words)
    new = ptr32(new_words)
    steps = ptr32(step_words)
    errors = ptr32(error_words)
    leak = 26214
    if intra:
        leak = 27853
    sum = 0
    band = 0
    while band < _BANDS:
        level = levels[band] - _HIGH
        last = old[band] - _HIGH
        x = level - last
        if x > -2048 and x < 2048:
            # Where it has hardly changed, a quarter of the error stays: a steady gain is better than a near one.
            x = errors[band] - 65536
            if x > 512:
                x = 512
            elif x < -512:
                x = -512
            level -= x >> 2
        limit = last - decay - level
        # what is predicted of it
        x = sum >> 5
        if intra == 0:
            if last < -9216:
                last = -9216
            x += last >> 1
        y = level - x + 512 >> 10
        if y < 0 and limit > 0:
            # not too far down at once
            y += limit >> 10
            if y > 0:
                y = 0
        if y > most:
            y = most
        elif y + most < 0:
            y = 0 - most
        steps[band] = y + 128
        x += y << 10
        errors[band] = level - x + 65536
        if x < _LOWEST - _HIGH:
            x = _LOWEST - _HIGH
        new[band] = x + _HIGH
        sum += y * leak
        band += 1


@micropython.viper
def fine(x: int, y: int, old_words, error_words, frame_words, widths_at: int, value_words, width_words):
    """The values and widths of the finer bits of all bands, into arrays of 17; widths are words of `frame`."""
    old = ptr32(old_words)
    errors = ptr32(error_words)
    frame = ptr32(frame_words)
    values = ptr32(value_words)
    widths = ptr32(width_words)
    band = 0
    while band < _BANDS:
        at = widths_at + band
        y = frame[at]
        widths[band] = y
        values[band] = 0
        if y:
            x = (errors[band] - 65024 << y) >> 10
            at = (1 << y) - 1
            if x < 0:
                x = 0
            elif x > at:
                x = at
            values[band] = x
            x = ((x << 1) + 1 << 9 >> y) - 512
            old[band] = old[band] + x
            errors[band] = errors[band] - x
        band += 1


@micropython.viper
def last(
    x: int,
    y: int,
    old_words,
    error_words,
    frame_words,
    widths_at: int,
    ranks_at: int,
    value_words,
    width_words,
    left: int,
) -> int:
    """One bit more for each of as many bands as bits are left: those of rank 0 first. Returns how many they were."""
    old = ptr32(old_words)
    errors = ptr32(error_words)
    frame = ptr32(frame_words)
    values = ptr32(value_words)
    widths = ptr32(width_words)
    count = 0
    rank = 0
    while rank < 2:
        band = 0
        while band < _BANDS and left > 0:
            x = frame[widths_at + band]
            if x < 8 and frame[ranks_at + band] == rank:
                y = errors[band]
                if y < 65536:
                    values[count] = 0
                    y = 0 - (512 >> x + 1)
                else:
                    values[count] = 1
                    y = 512 >> x + 1
                widths[count] = 1
                count += 1
                old[band] = old[band] + y
                errors[band] = errors[band] - y
                left -= 1
            band += 1
        rank += 1
    return count
