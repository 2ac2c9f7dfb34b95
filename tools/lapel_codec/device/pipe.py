"""Run by MicroPython: a recording comes on standard input, what the pin's own encoder makes of it goes out.

    micropython pipe.py adpcm            or:  pipe.py opus KBPS variable|constant

In: frames of 640 bytes, 16-bit mono at 16 kHz. Out, for each: its length as two bytes, low one first, and the data.
"""

import sys

FRAME_BYTES = 640
_MASK = 1023


class Adpcm:
    """lapel_audio's IMA ADPCM as the pin takes it: machine code, or plain Python where there is none."""

    def __init__(self):
        self._encoder = _adpcm()
        self._ring = bytearray(_MASK + 1)
        self._taken = 0

    def encode(self, pcm, out):
        """A frame's bytes into `out`; how many."""
        count = self._encoder.encode(pcm, len(pcm) // 2, self._ring, _MASK)
        size = count - self._taken
        for at in range(size):
            out[at] = self._ring[self._taken + at & _MASK]
        self._taken = count
        return size


def _adpcm():
    try:
        from lapel_audio import kernels
    except (ImportError, SyntaxError, ValueError):
        from lapel_audio import adpcm

        return adpcm.Encoder()
    return kernels.Encoder()


def encoder(words):
    """The encoder that the words of the command line name."""
    if words[0] == "adpcm":
        return Adpcm()
    from lapel_audio.opus.encoder import Encoder

    return Encoder(int(words[1]), words[2] == "variable")


def run(words, source, target):
    """Until the input ends."""
    coder = encoder(words)
    pcm = bytearray(FRAME_BYTES)
    out = bytearray(2048)
    head = bytearray(2)
    whole = memoryview(out)
    while source.readinto(pcm) == FRAME_BYTES:
        size = coder.encode(pcm, out)
        head[0] = size & 0xFF
        head[1] = size >> 8
        target.write(head)
        target.write(whole[:size])


if __name__ == "__main__":
    run(sys.argv[1:], sys.stdin.buffer, sys.stdout.buffer)
