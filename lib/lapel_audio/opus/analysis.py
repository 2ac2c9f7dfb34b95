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
