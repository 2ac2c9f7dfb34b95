"""How the bits of a frame are shared out (RFC 6716, section 4.3.3), exactly as a decoder does it."""

import micropython
from micropython import const

# Words of the frame's state: of each band bits in eighths, fine bits of its energy, whether it comes later to a last
# one, its extra bits in eighths,
_BITS = const(0)
_FINE = const(17)
_LATER = const(34)
# how many bands have bits, eighths not given to any plus _EVEN, and how the bits lean.
_CODED = const(85)
_BALANCE = const(86)
_TRIM = const(97)
_EVEN = const(1 << 20)
# The last frame's row of the table.
_ROW = const(102)
# Of `work`, by bands: bits at the lower of two rows, what the higher one adds, and the most that can be used.
_MORE = const(17)
_MOST = const(34)


@micropython.viper
def share(x: int, y: int, frame, queue, work, edges, shares, total: int, widest: int) -> int:
    """Shares out `total` eighths. Leaves bits, fine bits and the rest in the frame, and flags of skipped
    bands in the queue; returns how many. No band above `widest` keeps bits that a flag can take."""
    f = ptr32(frame)
    q = ptr32(queue)
    w = ptr32(work)
    edge = ptr8(edges)
    table = ptr8(shares)
    # A bit for the flag that ends the skipping.
    spare = 0
    if total > 7:
        spare = 8
        total -= 8
    # Two rows of the table, of which the lower one fits, most likely those of the last frame. What a band gets never
    # becomes less with a higher row, nor its sum: so it is the same whichever are tried.
    low = 0
    high = 11
    middle = f[_ROW]
    below = 0
    above = 0
    while high - low > 1:
        if middle <= low:
            middle = low + 1
        if middle >= high:
            middle = high - 1
        sum = 0
        done = 0
        y = 17
        while y:
            y -= 1
            width = edge[y + 1] - edge[y]
            x = width * table[middle * 17 + 17 + y] << 1
            if x:
                x += width * (f[_TRIM] - 8) * (16 - y)
                if x < 0:
                    x = 0
            # Below this no pulse would come of it.
            if x >= 12 * width or done:
                done = (table[y] + 64) * width << 1
                if x > done:
                    x = done
                sum = x + sum
            elif x > 7:
                sum += 8
        if sum > total:
            high = middle
            above = sum
            middle -= 1
        else:
            low = middle
            below = sum
            middle += 1
    f[_ROW] = low
    keeps = 0
    y = 0
    while y < 17:
        width = edge[y + 1] - edge[y]
        tilt = width * (f[_TRIM] - 8) * (16 - y)
        most = (table[y] + 64) * width << 1
        x = width * table[low * 17 + 17 + y] << 1
        if x:
            x += tilt
            if x < 0:
                x = 0
        w[y] = x
        x = most
        if high < 11:
            x = width * table[high * 17 + 17 + y] << 1
        if x:
            x += tilt
            if x < 0:
                x = 0
        x -= w[y]
        if x < 0:
            x = 0
        w[y + _MORE] = x
        w[y + _MOST] = most
        y += 1
    # Of 64 steps between them the last one that fits: near to where a line between them would meet it.
    low = 0
    high = 64
    while True:
        middle = low
        if high - low > 1:
            middle = low + high >> 1
            if above > below:
                middle = low + (high - low) * (total - below) // (above - below)
                if middle <= low:
                    middle = low + 1
                if middle >= high:
                    middle = high - 1
        sum = 0
        done = 0
        y = 17
        while y:
            y -= 1
            x = w[y] + (middle * w[y + _MORE] >> 6)
            if done == 0:
                if x >= 12 * (edge[y + 1] - edge[y]):
                    done = 1
                elif x > 7:
                    x = 8
                else:
                    x = 0
            if x > w[y + _MOST]:
                x = w[y + _MOST]
            f[_BITS + y] = x
            sum = x + sum
        if middle == low:
            break
        if sum > total:
            high = middle
            above = sum
        else:
            low = middle
            below = sum
    # Bands are skipped from the top as long as a flag says so or there is nothing to say.
    flags = 0
    coded = 17
    while True:
        i = coded - 1
        if i <= keeps:
            total += spare
            break
        y = total - sum
        width = edge[coded] - edge[i]
        x = y // edge[coded]
        y -= x * edge[coded] + edge[i]
        if y < 0:
            y = 0
        x = f[_BITS + i] + x * width + y
        y = 12 * width
        if y < 16:
            y = 16
        if x >= y:
            done = 0
            if coded < 3 or i <= widest:
                done = 1
            low = flags + 1 << 2
            q[low] = done
            q[low + 1] = done + 1
            q[low + 2] = 1
            q[low + 3] = 0
            flags += 1
            if done:
                break
            sum += 8
            x -= 8
        sum -= f[_BITS + i]
        if x > 7:
            sum += 8
            f[_BITS + i] = 8
        else:
            f[_BITS + i] = 0
        coded = i
    f[_CODED] = coded
    # What is left goes to all, by their widths.
    y = total - sum
    x = y // edge[coded]
    y -= x * edge[coded]
    i = 0
    while i < coded:
        width = edge[i + 1] - edge[i]
        high = width
        if y < width:
            high = y
        f[_BITS + i] = f[_BITS + i] + x * width + high
        y -= high
        i += 1
    # Of each band's bits some make its energy finer. `over` goes from band to band.
    over = 0
    i = 0
    while i < coded:
        width = edge[i + 1] - edge[i] << 3
        x = f[_BITS + i] + over
        y = (table[i] + 64) * width >> 2
        spare = 0
        if x > y:
            spare = x - y
            x = y
        low = width * (edge[i + 18] + 24)
        y = (low >> 1) - width * 21 + x
        if y < width << 4:
            y += low >> 2
        elif y < width * 24:
            y += low >> 3
        fine = y + (width << 2)
        if fine < 0:
            fine = 0
        fine = fine // width >> 3
        if fine > x >> 3:
            fine = x >> 3
        if fine > 8:
            fine = 8
        later = 0
        if fine * width << 3 >= y:
            later = 1
        x -= fine << 3
        f[_BITS + i] = x
        if spare:
            y = spare >> 3
            if y > 8 - fine:
                y = 8 - fine
            fine += y
            later = 0
            if y << 3 >= spare - over:
                later = 1
            spare -= y << 3
        f[_FINE + i] = fine
        f[_LATER + i] = later
        over = spare
        i += 1
    f[_BALANCE] = over + _EVEN
    while i < 17:
        x = f[_BITS + i] >> 3
        f[_FINE + i] = x
        f[_LATER + i] = 0
        if x == 0:
            f[_LATER + i] = 1
        f[_BITS + i] = 0
        i += 1
    return flags
