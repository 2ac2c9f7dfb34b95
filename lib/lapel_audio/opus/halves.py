"""A partition in two halves: the angle between them, and how their bits differ (RFC 6716, section 4.3.4.4)."""

import micropython
from micropython import const

# Words of the frame's state.
_OFFSET = const(93)
_TILT = const(162)
_EVEN = const(1 << 20)


@micropython.viper
def halve(x: int, y: int, frame, spectrum, at: int, n: int, angles: int) -> int:
    """Returns which one of `angles` (an even number) steps of a right angle is nearest to that whose tangent is the
    ratio of the amplitudes of the second n coefficients and the first n. Leaves in the frame how many eighths less the
    second half should get than the first, plus _EVEN."""
    f = ptr32(frame)
    s = ptr32(spectrum)
    offset = f[_OFFSET]
    end = at + n
    most = 0
    while at < end:
        x = s[at] - offset
        if x < 0:
            x = 0 - x
        y = s[at + n] - offset
        if y < 0:
            y = 0 - y
        most = most | x | y
        at += 1
    shift = 0
    while most > 0x1FFF:
        most = most >> 1
        shift += 1
    first = 0
    second = 0
    while at > end - n:
        at -= 1
        x = s[at] - offset >> shift
        y = s[at + n] - offset >> shift
        first += x * x
        second += y * y
    while (first | second) > 0x7FFF:
        first = first >> 1
        second = second >> 1
    # By the borders between the angles, then the ratio at the angle itself.
    low = 0
    high = angles
    ratio = 0
    turns = 2
    while turns:
        if low < high:
            at = ((low + high | 1) << 13) // angles
        else:
            at = (low << 14) // angles
            if at & 0x3FFF == 0:
                break
            if turns == 1:
                at = 16384 - at
        # The cosine that all decoders have.
        x = at * at + 4096 >> 13
        y = (x * -626 + 16384 >> 15) + 8277
        y = (x * y + 16384 >> 15) - 7651
        x = 32768 - x + (x * y + 16384 >> 15)
        if low < high:
            x = x * x >> 15
            if second * x > first * (32768 - x):
                low = (low + high >> 1) + 1
            else:
                high = low + high >> 1
        else:
            # Log2 of the cosine, then of the sine less that.
            y = 15 << 11
            while x < 0x4000:
                x += x
                y -= 1 << 11
            x = (x * ((x * -2597 + 16384 >> 15) + 7932) + 16384 >> 15) + y
            ratio = x - ratio
            turns -= 1
    ratio = (n - 1 << 7) * ratio + 16384 >> 15
    if low == 0:
        ratio = -16384
    elif low == angles:
        ratio = 16384
    f[_TILT] = ratio + _EVEN
    return low
