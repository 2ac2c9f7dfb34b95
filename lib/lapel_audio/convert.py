"""From a microphone's 32-bit words to 16-bit samples, in plain Python; `kernels` is the same as machine code.

I2S microphones of the ICS-43434 and INMP441 class give 24 bits, left-aligned in 32, on top of a constant
offset (their data sheets). The offset is followed by a one-pole filter, 20 Hz at 16 kHz, and taken away.
"""

import struct
from array import array

# How many bits of a 24-bit sample are left out: 8 keeps the level, each bit less is 6 dB more.
UNITY_SHIFT = 8
# The filter's time constant is 2 ** 7 samples.
_SLOWNESS = 7
_SILENCE = 1 << 23 + _SLOWNESS


class Converter:
    """Converts a stream in blocks of any size.

    `state` is made once, so that a block allocates nothing, and none of its words is ever negative (viper's
    32-bit loads differ in sign between ports): (offset + 2 ** 23) * 2 ** 7, shift.
    """

    def __init__(self, shift: int = UNITY_SHIFT) -> None:
        self.state = array("i", (_SILENCE, shift))

    def reset(self, shift: int = UNITY_SHIFT) -> None:
        """Forgets the offset: another microphone, or the same after a pause."""
        self.state[0] = _SILENCE
        self.state[1] = shift

    def convert(self, block: bytearray, samples: int) -> None:
        """Replaces the first `samples` 32-bit words of `block` by as many 16-bit ones at its start."""
        level, shift = self.state
        pcm = []
        for word in struct.unpack_from("<%di" % samples, block):
            # Everything is in offset binary, so that nothing kept is negative.
            sample = (word >> 8) + 0x800000 - (level >> _SLOWNESS)
            level += sample
            pcm.append(max(-32768, min(32767, sample >> shift)))
        struct.pack_into("<%dh" % samples, block, 0, *pcm)
        self.state[0] = level
