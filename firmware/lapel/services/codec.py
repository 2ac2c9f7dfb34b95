"""Which encoder the recorder has: IMA ADPCM always works, Opus where chip and memory have room for it."""

import gc

from lapel.compat import const, ticks_diff, ticks_us
from lapel.core import bit_rate

_FRAME_US = const(20_000)
# A heap without PSRAM is smaller: what Opus takes would be missed elsewhere. Said by hand, it may try.
PSRAM_BYTES = const(1_000_000)
ROOM_BYTES = const(110_000)


def _opus():
    from lapel_audio.opus_kernels import ClipEncoder

    return ClipEncoder()


class Codec:
    """Gives `recorder` its encoder. `heap_bytes` is the board's, `mem_free()` what is left of it.

    `told(event, **fields)` is a trace; `flight` has note(text), for what is as it should be, and error(text).
    `make` and `ticks` are for tests. What was loaded of Opus stays until the next boot, whatever is set: nothing else
    gives its machine code back.
    """

    def __init__(self, recorder, heap_bytes, mem_free, told, flight, make=_opus, ticks=ticks_us) -> None:
        # Why it is not Opus, which was wanted.
        self.why = ""
        self._recorder = recorder
        self._heap_bytes = heap_bytes
        self._mem_free = mem_free
        self._told = told
        self._flight = flight
        self._make = make
        self._ticks = ticks
        self._adpcm = recorder.encoder
        self._opus = None
        self._failed = ""
        self._frame_us = 0
        self._wanted = self._done = ""

    def want(self, wanted: str) -> None:
        """The setting: auto, opus or adpcm. It holds from the next settle() on."""
        self._wanted = wanted

    def settle(self, interval_ms: int = 0, percent=None) -> None:
        """To be called while nothing is recorded: the codec, and its rate for this link and this battery."""
        if self._wanted != self._done:
            self._done = self._wanted
            self._choose()
        if self._recorder.encoder is self._opus:
            self._opus.set_rate(bit_rate.kbps(interval_ms, percent))

    def _choose(self) -> None:
        wanted, before = self._wanted, self.why
        self.why, is_wrong = ("", False) if wanted == "adpcm" else self._why_not(wanted == "auto")
        encoder = self._adpcm if self.why or wanted == "adpcm" else self._opus
        self._recorder.encoder = encoder
        self._told("codec", codec=encoder.codec, why=self.why)
        if is_wrong:
            self._flight.error(self.why)
        elif self.why or before:
            # Events hold 24 bytes.
            self._flight.note(self.why or "codec " + encoder.codec)

    def _why_not(self, auto: bool):
        """("", False) when it can be Opus; else why not, and whether that is an error."""
        if auto and self._heap_bytes < PSRAM_BYTES:
            return "no Opus: no PSRAM", False
        if not self._opus and not self._failed:
            gc.collect()
            free = self._mem_free()
            if free < ROOM_BYTES:
                return "no Opus: %d kB free" % (free // 1000), True
            try:
                self._opus = self._make()
            except Exception as error:
                # Whatever it is: without Opus the pin records all the same.
                self._failed = "no Opus: %r" % error
        if self._failed:
            return self._failed, True
        if auto and self._measured_us(self._opus) * 2 > _FRAME_US:
            return "no Opus: frame %d us" % self._frame_us, False
        return "", False

    def _measured_us(self, encoder) -> int:
        if self._frame_us:
            return self._frame_us
        # What no frame costs more than: sound in all bands, and all of a rate that is high.
        pcm, out = bytearray(640), bytearray(512)
        for at in range(640):
            pcm[at] = at * at * 89 >> 3 & 0xFF
        encoder.set_rate(bit_rate.MOST_KBPS)
        # Of several the quickest: anything may come between.
        self._frame_us = 100 * _FRAME_US
        for _ in range(5):
            before = self._ticks()
            encoder.encode(pcm, 320, out, 511)
            self._frame_us = min(self._frame_us, ticks_diff(self._ticks(), before))
        return self._frame_us
