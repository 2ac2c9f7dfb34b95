"""One press of the button as sound: from samples to the ring, from the ring to a clip on flash."""

# So much may wait in the ring while flash is better left alone.
_BACKLOG_BYTES = 4096


class Take:
    """`press_ms` is the tick of the press; `ring`, `encoder` and `store` are lent by the recorder.

    Positions count samples since the microphone was opened.
    """

    def __init__(self, press_ms: int, ring, encoder, store) -> None:
        self.press_ms = press_ms
        # Why there will be no clip: the name of a pattern, or None.
        self.refused: str = None
        self.is_started = False
        self.is_begun = False
        self.is_announced = False
        self.is_discarded = False
        # Position of the first sample kept, None before there is one.
        self.first: int = None
        # Position of the first sample that is not kept any more, None while the person speaks.
        self.until: int = None
        self._from = 0
        self._ring = ring
        self._encoder = encoder
        self._store = store
        self._meta: dict = None
        self._writer = None
        self._written = 0
        self._samples = 0

    @property
    def number(self):
        """Number of the clip, None before it has one."""
        return None if self._writer is None else self._writer.number

    def start(self, from_position: int) -> None:
        """Takes over the ring and the encoder; what is kept begins at this position."""
        self.is_started = True
        self._from = from_position
        self._ring.reset()
        self._encoder.reset()

    def begin(self, meta: dict) -> None:
        """It becomes a clip."""
        meta["codec"] = self._encoder.codec
        self._meta = meta
        self.is_begun = True

    def keep(self, pcm, start: int, samples: int) -> None:
        """Encodes what is wanted of the 16-bit samples in `pcm`, the first at position `start`."""
        skip = max(0, self._from - start)
        if self.until is not None:
            samples = min(samples, self.until - start)
        if samples <= skip:
            return
        if self.first is None:
            self.first = start + skip
        if skip:
            # A slice allocates; only the first block needs one.
            pcm = pcm[2 * skip :]
            samples -= skip
        self._samples += samples
        ring = self._ring
        ring.commit(self._encoder.encode(pcm, samples, ring.memory, ring.mask))

    def pump(self, must_wait: bool) -> None:
        """Moves whole pieces from the ring to flash; with `must_wait` only when the ring gets full.

        Raises StoreError and StoreFull.
        """
        ring = self._ring
        if must_wait and ring.end - self._written < _BACKLOG_BYTES:
            return
        writer = self._opened()
        while ring.end - self._written >= ring.chunk_bytes:
            writer.write(ring.chunk(self._written))
            self._written += ring.chunk_bytes

    def finish(self, samples_per_ms: int, cut: bool):
        """Everything to flash, and durable: (bytes, milliseconds). Raises StoreError and StoreFull."""
        ring = self._ring
        ring.commit(self._encoder.finish(ring.memory, ring.mask))
        self.pump(False)
        writer = self._opened()
        left = ring.end - self._written
        if left:
            writer.write(ring.chunk(self._written)[:left])
        ms = self._samples // samples_per_ms
        return writer.finish(ms, cut)[0], ms

    def _opened(self):
        if self._writer is None:
            self._writer = self._store.begin(self._meta)
        return self._writer

    def salvage(self, samples_per_ms: int) -> None:
        """What was written stays, as a clip that was cut. Raises StoreError."""
        if self._writer is not None and self._writer.open:
            # Its part of what was heard, as near as a rate that varies lets it be known.
            ms = self._samples // samples_per_ms * self._written // max(1, self._ring.end)
            self._writer.finish(ms, True)
