"""What plain Python and machine code share of a stream: the tables of IMA ADPCM, and what is kept between two blocks.

Source: IMA Digital Audio Focus and Technical Working Groups, "Recommended Practices for Enhancing
Digital Audio Compatibility in Multimedia Systems", revision 3.00 (1992).
"""

from array import array

# A list: a tuple would stay in memory beside the array.
STEPS = array("H", [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73,
    80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494,
    544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499,
    2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442,
    11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
])  # fmt: skip
INDEX_MOVES = (-1, -1, -1, -1, 2, 4, 6, 8)
MIDDLE = 0x8000
PENDING = 0x100

# How many bits of a 24-bit sample are left out: 8 keeps the level, each bit less is 6 dB more.
UNITY_SHIFT = 8
# The time constant of the filter that follows a microphone's offset is 2 ** 7 samples.
SLOWNESS = 7
_SILENCE = 1 << 23 + SLOWNESS


def next_index(index: int, nibble: int) -> int:
    """The index of the step after `nibble` was coded with step `index`."""
    return min(len(STEPS) - 1, max(0, index + INDEX_MOVES[nibble & 7]))


class Encoding:
    """A clip being encoded.

    `state` is made once, so that a block allocates nothing, and none of its words is ever negative (viper's
    32-bit loads differ in sign between ports): predictor + MIDDLE, index, PENDING | the nibble that waits for
    its pair or 0, whole bytes so far.
    """

    codec = "ima-adpcm"

    def __init__(self) -> None:
        self.state = array("i", (MIDDLE, 0, 0, 0))

    def reset(self) -> None:
        """Starts a new clip."""
        self.state[0] = MIDDLE
        self.state[1] = self.state[2] = self.state[3] = 0

    def finish(self, out: bytearray, mask: int) -> int:
        """The count of bytes of the whole clip; the last sample of an odd count stays behind."""
        return self.state[3]


class Conversion:
    """A microphone being heard. `state` as in Encoding: (offset + 2 ** 23) * 2 ** 7, shift."""

    def __init__(self, shift: int = UNITY_SHIFT) -> None:
        self.state = array("i", (_SILENCE, shift))

    def reset(self, shift: int = UNITY_SHIFT) -> None:
        """Forgets the offset: another microphone, or the same after a pause."""
        self.state[0] = _SILENCE
        self.state[1] = shift
