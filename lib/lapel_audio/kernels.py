"""`convert.Converter` and `adpcm.Encoder` as machine code of MicroPython's viper: the same bits out.

Counted on the ESP32-S3's own instruction set (`make cycles`): conversion 48 instructions a sample, ADPCM 123 to 136.
Why it reads as it does: only the first two parameters live in registers, so those two are working variables
and callers pass 0 for them; operations between two variables on the stack are the dear ones; arithmetic is
32 bits wide on the device and 64 on a desk, and 32-bit loads differ in sign, so no stored word is negative. What is
computed in its own statement, into one of the two, costs less than the same within an expression.
"""

import micropython

from lapel_audio.stream import STEPS, Conversion, Encoding, next_index


@micropython.viper
def _convert(x: int, at: int, block, state, samples: int):
    raw = ptr32(block)
    pcm = ptr16(block)
    words = ptr32(state)
    level = words[0]
    shift = words[1]
    if samples < 0:
        samples = 0
    # A difference costs less than a comparison.
    while samples - at:
        x = level >> 7
        # The cast makes the shift logical; flipping the top bit then gives offset binary.
        x = (int(uint(raw[at]) >> 8) ^ 0x800000) - x
        level += x
        x = x >> shift
        if x + 0x8000 & -65536:
            if x < 0:
                x = -32768
            else:
                x = 32767
        pcm[at] = x
        at += 1
    words[0] = level


@micropython.viper
def _encode(x: int, y: int, block, ring, state, step_table, index_table, samples: int, mask: int) -> int:
    pcm = ptr16(block)
    out = ptr8(ring)
    words = ptr32(state)
    steps = ptr16(step_table)
    indices = ptr8(index_table)
    index = words[1]
    pending = words[2]
    count = words[3]
    at = 0
    sample = 0
    nibble = 0
    sign = 0
    if samples < 0:
        samples = 0
    # x is the predictor, then the rest to be coded, then the predictor again; samples are offset binary.
    x = words[0]
    while samples - y:
        y = pcm[y] ^ 0x8000
        sample = y
        x = y - x
        y = index
        y = steps[y]
        # Bit 16 of a difference is its sign.
        if x & 0x10000:
            x = 0 - x
            nibble = 8
            sign = 8
        else:
            nibble = 0
            sign = 0
        if x >= y:
            x -= y
            nibble += 4
        y = y >> 1
        if x >= y:
            x -= y
            nibble += 2
        y = y >> 1
        if x >= y:
            x -= y
            nibble += 1
        # What was coded is the difference less the rest: so the new predictor is the sample less the rest,
        # and less the eighth of a step that the format adds.
        x -= y >> 1
        if sign:
            x = sample + x
        else:
            x = sample - x
        if x & -65536:
            if x < 0:
                x = 0
            else:
                x = 0xFFFF
        y = nibble & 7
        y = index * 8 | y
        index = indices[y]
        if pending:
            y = count
            count = y + 1
            y &= mask
            out[y] = nibble * 16 | pending
            pending = 0
        else:
            pending = nibble | 256
        y = at + 1
        at = y
    words[0] = x
    words[1] = index
    words[2] = pending
    words[3] = count
    return count


class Converter(Conversion):
    """convert.Converter, fast."""

    def convert(self, block: bytearray, samples: int) -> None:
        """As convert.Converter.convert."""
        _convert(0, 0, block, self.state, samples)


class Encoder(Encoding):
    """adpcm.Encoder, fast."""

    def __init__(self) -> None:
        super().__init__()
        self._indices = bytes(next_index(key >> 3, key) for key in range(8 * len(STEPS)))

    def encode(self, pcm: bytearray, samples: int, out: bytearray, mask: int) -> int:
        """As adpcm.Encoder.encode."""
        return _encode(0, 0, pcm, out, self.state, STEPS, self._indices, samples, mask)
