"""How the bits of a frame are shared out (RFC 6716, section 4.3.3), exactly as a decoder does it."""

import micropython
from micropython import const

# Words of the frame's state: of each band bits in eighths, fine bits of its energy, whether it comes later to a last
# one, its extra bits in eighths,
_BITS = const(0)
_FINE = const(17)
_LATER = const(34)
_BOOSTS = const(68)
# how many bands have bits, eighths not given to any plus _EVEN, and how the bits lean.
_CODED = const(85)
_BALANCE = const(86)
_TRIM = const(97)
_EVEN = const(1 << 20)
# Of `work`, by bands: bits at the lower of two rates, and what the higher one adds.
_MORE = const(17)


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
    # First two rows of the table, of which the lower one fits, then 64 steps between them.
    fine = 0
    low = 1
    high = 10
    sum = 0
    keeps = 0
    while fine < 2:
        middle = low + high >> 1
        sum = 0
        done = 0
        i = 17
        while i:
            i -= 1
            width = edge[i + 1] - edge[i]
            if fine:
                x = w[i] + (middle * w[i + _MORE] >> 6)
            else:
                x = width * table[middle * 17 + 17 + i] << 1
                if x:
                    x += width * (f[_TRIM] - 8) * (16 - i)
                    if x < 0:
                        x = 0
                x += f[_BOOSTS + i]
            # Below this no pulse would come of it.
            y = 12 * width
            if x >= y or done:
                done = 1
                y = (table[i] + 64) * width << 1
                if x > y:
                    x = y
                sum += x
            elif x > 7:
                sum += 8
        if fine:
            if sum > total:
                high = middle
            else:
                low = middle
            if high - low < 2:
                fine = 2
        else:
            if sum > total:
                high = middle - 1
            else:
                low = middle + 1
            if low > high:
                fine = 1
                i = 0
                while i < 17:
                    width = edge[i + 1] - edge[i]
                    sum = width * (f[_TRIM] - 8) * (16 - i)
                    x = width * table[low * 17 + i] << 1
                    if x:
                        x += sum
                        if x < 0:
                            x = 0
                    if low > 1:
                        x += f[_BOOSTS + i]
                    w[i] = x
                    y = (table[i] + 64) * width << 1
                    if low < 11:
                        y = width * table[low * 17 + 17 + i] << 1
                    if y:
                        y += sum
                        if y < 0:
                            y = 0
                    if f[_BOOSTS + i]:
                        y += f[_BOOSTS + i]
                        keeps = i
                    y -= x
                    if y < 0:
                        y = 0
                    w[i + _MORE] = y
                    i += 1
                low = 0
                high = 64
    sum = 0
    done = 0
    i = 17
    while i:
        i -= 1
        width = edge[i + 1] - edge[i]
        x = w[i] + (low * w[i + _MORE] >> 6)
        if x >= 12 * width:
            done = 1
        elif done == 0:
            if x > 7:
                x = 8
            else:
                x = 0
        y = (table[i] + 64) * width << 1
        if x > y:
            x = y
        f[_BITS + i] = x
        sum += x
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
