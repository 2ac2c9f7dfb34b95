"""From a microphone's 32-bit words to 16-bit samples, in plain Python; `kernels` is the same as machine code.

I2S microphones of the ICS-43434 and INMP441 class give 24 bits, left-aligned in 32, on top of a constant
offset (their data sheets). The offset is followed by a one-pole filter, 20 Hz at 16 kHz, and taken away.
"""

import struct

from lapel_audio.stream import SLOWNESS, Conversion


class Converter(Conversion):
    """Converts a stream in blocks of any size."""

    def convert(self, block: bytearray, samples: int) -> None:
        """Replaces the first `samples` 32-bit words of `block` by as many 16-bit ones at its start."""
        level, shift = self.state
        pcm = []
        for word in struct.unpack_from("<%di" % samples, block):
            # Everything is in offset binary, so that nothing kept is negative.
            sample = (word >> 8) + 0x800000 - (level >> SLOWNESS)
            level += sample
            pcm.append(max(-32768, min(32767, sample >> shift)))
        struct.pack_into("<%dh" % samples, block, 0, *pcm)
        self.state[0] = level
