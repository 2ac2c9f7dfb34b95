"""What the encoder decides about a frame. A decoder is told all of it, so nothing here need be exact."""

import micropython
from micropython import const

_BANDS = const(17)
_ZERO = const(1 << 28)
_HIGH = const(32768)


@micropython.viper
def attack(x: int, y: int, signal_words, shift: int) -> int:
    """How much louder an eighth of the frame is than what went before it, 16 for as loud. `shift` makes sums small."""
    signal = ptr32(signal_words)
    at = 0
    before = 0
    loudest = 0
    most = 0
    part = 0
    while part < 9:
        y = 0
        end = at + 40
        while at < end:
            x = signal[at] - _ZERO
            at += 2
            y += (x ^ x >> 31) >> shift
        if part:
            x = (y << 4) // (before // part + (loudest >> 4) + 4)
            if x > most:
                most = x
        before += y
        if y > loudest:
            loudest = y
        part += 1
    return most


@micropython.viper
def trim(x: int, y: int, level_words) -> int:
    """Towards which end of the spectrum bits go, 0 (low) to 10 (high), from the tilt of the levels."""
    levels = ptr32(level_words)
    y = 0
    x = 0
    while x < 16:
        y += (levels[x] - _HIGH) * (2 * x - 15)
        x += 1
    # a sixteenth, and one step more; a sixth of that
    y = ((y >> 4) + 1024) // 24
    if y > 512:
        y = 512
    elif y < -512:
        y = -512
    # 4 less the tilt, in steps of 256
    return 1024 - y + 128 >> 8


@micropython.viper
def stand_out(x: int, y: int, level_words, edge_bytes, boost_words, floor_words, strength: int, most: int):
    """Boosts, of 6 bits each, for bands that stand out of their neighbours; `most` in all.

    A band may rise 9 dB above the one before it, and 12 above the one behind. `strength` is in 16ths of a bit for each
    bin and 6 dB. `floor` is its own, 17 words.
    """
    levels = ptr32(level_words)
    edges = ptr8(edge_bytes)
    boosts = ptr32(boost_words)
    floor = ptr32(floor_words)
    x = levels[0]
    band = 0
    while band < _BANDS:
        y = levels[band]
        x += 1536
        if y < x:
            x = y
        floor[band] = x
        band += 1
    while band:
        band -= 1
        x += 2048
        y = floor[band]
        if y < x:
            x = y
        floor[band] = x
    while band < _BANDS:
        y = levels[band] - floor[band]
        if y > 4096:
            y = 4096
        width = edges[band + 1] - edges[band]
        if band < 8:
            y += y
        elif band > 11:
            y = y >> 1
        # 8 bins for a width of 1, 16ths, 1024 a step, 6 bits
        y = y * width * strength // 12288
        if y > most:
            y = most
        most -= y
        boosts[band] = y
        band += 1


@micropython.viper
def loudness(x: int, y: int, level_words) -> int:
    """The mean over the bands of their level, 1024 a step, where each hides what is 6 dB weaker in the next."""
    levels = ptr32(level_words)
    x = 0
    y = 0
    band = 0
    while band < _BANDS:
        x -= 1024
        level = levels[band]
        if level > x:
            x = level
        y += x
        band += 1
    return y // 17
