"""The newest bytes of a stream, by their offset in it."""


class ByteRing:
    """Keeps up to `capacity` - 1 bytes of a stream, and throws away the oldest for what comes.

    `capacity` is a power of two and a multiple of `chunk`, both in bytes. Offsets count from the start of
    the stream: bytes `start` to `end` are there. A writer that works in place puts byte k of the stream to
    memory[k & mask], then calls commit(); the byte after the end is its scratch.
    """

    def __init__(self, capacity: int, chunk: int = 512) -> None:
        if capacity & capacity - 1 or capacity % chunk:
            raise ValueError("a ring of %d bytes is no power of two in pieces of %d" % (capacity, chunk))
        self.memory = bytearray(capacity)
        self.mask = capacity - 1
        self.chunk_bytes = chunk
        self.start = 0
        self.end = 0
        # Made ahead, so that handing out a piece allocates nothing.
        view = memoryview(self.memory)
        self._chunks = [view[at : at + chunk] for at in range(0, capacity, chunk)]
        self._view = view

    def reset(self) -> None:
        """Starts a new stream at offset 0."""
        self.start = self.end = 0

    def commit(self, end: int) -> None:
        """The stream now reaches to offset `end`, written in place."""
        self.end = end
        oldest = end - self.mask
        if oldest > self.start:
            self.start = oldest

    def write(self, data) -> None:
        """Appends bytes."""
        data = memoryview(data)
        end = self.end
        # Only the last that fit can stay.
        at = max(0, len(data) - self.mask)
        while at < len(data):
            place = end + at & self.mask
            n = min(len(data) - at, self.mask + 1 - place)
            self._view[place : place + n] = data[at : at + n]
            at += n
        self.commit(end + len(data))

    def read_into(self, offset: int, buffer) -> int:
        """Copies what is there from `offset` on; the count of bytes, 0 for none (yet, or no more)."""
        if offset < self.start or offset >= self.end:
            return 0
        total = min(len(buffer), self.end - offset)
        at = 0
        while at < total:
            place = offset + at & self.mask
            n = min(total - at, self.mask + 1 - place)
            buffer[at : at + n] = self._view[place : place + n]
            at += n
        return total

    def chunk(self, offset: int):
        """The memory of the whole chunk at `offset`, a multiple of its size; good until it is overwritten."""
        return self._chunks[(offset & self.mask) // self.chunk_bytes]
