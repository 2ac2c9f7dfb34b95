"""The last moments before a press, kept in RAM as 16-bit samples."""

BLOCK_SAMPLES = 256
_BLOCK_BYTES = 2 * BLOCK_SAMPLES


class _All:
    def __getitem__(self, key):
        return key


# One slice object for all whole-block copies: making one allocates.
_ALL = _All()[:]


class Preroll:
    """Keeps at least the last `samples` of a stream that comes in blocks of BLOCK_SAMPLES or less."""

    def __init__(self, samples: int) -> None:
        count = (samples + BLOCK_SAMPLES - 1) // BLOCK_SAMPLES + 1
        memory = memoryview(bytearray(count * _BLOCK_BYTES))
        self._blocks = [memory[i * _BLOCK_BYTES : (i + 1) * _BLOCK_BYTES] for i in range(count)]
        self._lengths = [0] * count
        self._next = 0

    def add(self, pcm, samples: int) -> None:
        """Takes the first `samples` of `pcm`, a memoryview of BLOCK_SAMPLES 16-bit ones."""
        if samples == BLOCK_SAMPLES:
            self._blocks[self._next][_ALL] = pcm
        else:
            self._blocks[self._next][: 2 * samples] = pcm[: 2 * samples]
        self._lengths[self._next] = samples
        self._next = (self._next + 1) % len(self._blocks)

    def drain(self, end: int, keep) -> None:
        """Gives all to keep(pcm, position, samples), the oldest first; `end` is the position after it."""
        position = end - sum(self._lengths)
        for _ in self._blocks:
            samples = self._lengths[self._next]
            if samples:
                keep(self._blocks[self._next], position, samples)
                position += samples
            self._lengths[self._next] = 0
            self._next = (self._next + 1) % len(self._blocks)
