"""IMA ADPCM: 16-bit samples in 4 bits each, in plain Python; `kernels` is the same as machine code.

The stream is raw: no header, no blocks. It starts with predictor 0 and index 0, and the first sample
of a byte is its low nibble. At 16 kHz it is 8,000 bytes a second.
"""

from array import array

from lapel_audio.stream import MIDDLE, PENDING, STEPS, Encoding, next_index


class Encoder(Encoding):
    """Encodes a clip in blocks of any size."""

    def encode(self, pcm: bytearray, samples: int, out: bytearray, mask: int) -> int:
        """Encodes the `samples` little-endian 16-bit samples that `pcm` starts with.

        Byte k of the stream goes to out[k & mask]: a ring of mask + 1 bytes, or plain memory under a
        wide mask; `out` may be `pcm` itself. Returns the count of whole bytes of the stream so far.
        """
        predictor, index, pending, count = self.state
        predictor -= MIDDLE
        for at in range(0, 2 * samples, 2):
            rest = ((pcm[at] | pcm[at + 1] << 8) ^ 0x8000) - 0x8000 - predictor
            step = STEPS[index]
            nibble = 0
            if rest < 0:
                nibble = 8
                rest = -rest
            change = step >> 3
            for bit, part in ((4, step), (2, step >> 1), (1, step >> 2)):
                if rest >= part:
                    nibble |= bit
                    rest -= part
                    change += part
            predictor = max(-32768, predictor - change) if nibble & 8 else min(32767, predictor + change)
            index = next_index(index, nibble)
            if pending:
                out[count & mask] = (nibble << 4 | pending) & 0xFF
                count += 1
                pending = 0
            else:
                pending = PENDING | nibble
        self.state[0] = predictor + MIDDLE
        self.state[1] = index
        self.state[2] = pending
        self.state[3] = count
        return count


class Decoder:
    """Turns a stream back into samples, in pieces of any size."""

    def __init__(self) -> None:
        self.predictor = 0
        self.index = 0
        # For each step and nibble: what it adds to the predictor, and the row of the next step.
        # A minute of speech is a million samples.
        self._moves = []
        self._rows = []
        for index, step in enumerate(STEPS):
            for nibble in range(16):
                change = step >> 3
                for bit, part in ((4, step), (2, step >> 1), (1, step >> 2)):
                    if nibble & bit:
                        change += part
                self._moves.append(-change if nibble & 8 else change)
                self._rows.append(16 * next_index(index, nibble))

    def decode(self, data: bytes) -> "array[int]":
        """Two samples of 16 bits for each byte of `data`, as array("h")."""
        moves, rows = self._moves, self._rows
        predictor, row = self.predictor, 16 * self.index
        samples = array("h", bytes(4 * len(data)))
        at = 0
        for byte in data:
            key = row | byte & 15
            predictor += moves[key]
            if predictor > 32767:
                predictor = 32767
            elif predictor < -32768:
                predictor = -32768
            samples[at] = predictor
            key = rows[key] | byte >> 4
            predictor += moves[key]
            if predictor > 32767:
                predictor = 32767
            elif predictor < -32768:
                predictor = -32768
            samples[at + 1] = predictor
            at += 2
            row = rows[key]
        self.predictor, self.index = predictor, row >> 4
        return samples


def decode(data: bytes) -> "array[int]":
    """A whole clip as array("h") of 2 * len(data) samples."""
    return Decoder().decode(data)
