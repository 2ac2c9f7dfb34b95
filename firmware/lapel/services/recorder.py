"""From the press to a clip that is whole and synced on flash."""

import asyncio
import gc

from lapel.compat import const, ticks_add, ticks_diff, ticks_ms
from lapel.core.gesture import LONGEST_MS, TAIL_MS
from lapel.core.preroll import Preroll
from lapel.services.hearing import Hearing
from lapel.services.store_files import StoreError, StoreFull
from lapel.services.take import Take

_PREROLL_MS = const(200)
_IDLE_MS = const(1000)
# Presses that may wait while the clip before them is still being saved.
_TAKES_MAX = const(3)


def _machine_code():
    """(converter, encoder) as machine code, or as plain Python where MicroPython makes none (64-bit ARM)."""
    try:
        from lapel_audio import kernels
    except (ImportError, SyntaxError, ValueError):
        from lapel_audio import adpcm, convert

        return convert.Converter(), adpcm.Encoder()
    return kernels.Converter(), kernels.Encoder()


class Recorder:
    """`mic` as drivers.mic_i2s, `store` with begin, fits and clip_id, `ring` a ByteRing, `feedback` as
    services.feedback, `timing` as services.timing, `in_reach()` whether a companion is. Converter and encoder
    are those of lapel_audio.kernels when None; `clock` is (ticks, diff, add) of the button's times.
    hold_console(True) while a clip is open: nothing that is typed may end it.

    press(), then discard() for a tap, or begin() and end() for a hold. `on_over(outcome)` hears how each
    press ended: discarded, captured, kept, full, unpaired, error. The link sends live from `number` and `ring`.
    Without `is_paired` the microphone stays off.
    """

    def __init__(
        self, mic, store, ring, feedback, trace, timing, in_reach, check_in=None,
        converter=None, encoder=None, clock=(ticks_ms, ticks_diff, ticks_add), hold_console=None,
    ) -> None:  # fmt: skip
        if converter is None or encoder is None:
            converter, encoder = _machine_code()
        self.ring = ring
        # Number of the clip being recorded, None for none.
        self.number: int = None
        self.on_over = None
        self.is_paired = True
        self.hearing = Hearing(mic, converter, trace, timing, self._heard, check_in, *clock)
        self._store = store
        self._feedback = feedback
        self._trace = trace
        self._timing = timing
        self._in_reach = in_reach
        self._check_in = check_in
        # Another one may take its place while nothing is recorded.
        self.encoder = encoder
        self._hold_console = hold_console
        self._is_held = False
        self._gain_steps = 0
        self._preroll: Preroll = None
        # The take being heard, then those that wait; and the one that the button's calls are about.
        self._takes = []
        self._newest: Take = None
        self._wake = asyncio.Event()

    @property
    def is_busy(self) -> bool:
        """From a press to the end of what it led to."""
        return bool(self._takes)

    def configure(self, preroll: bool, gain_steps: int) -> None:
        """Settings. The gain holds from the next time the microphone is opened."""
        self._gain_steps = gain_steps
        if not (preroll and self.is_paired):
            self._preroll = None
        elif self._preroll is None:
            self._preroll = Preroll(_PREROLL_MS * self.hearing.per_ms)
        self._wake.set()

    def press(self, t_ms: int) -> None:
        """The button went down at tick `t_ms`. Nothing touches flash before begin()."""
        self._feedback.hold(True)
        self._feedback.light("pressed")
        take = self._newest = Take(t_ms, self.ring, self.encoder, self._store)
        if not self.is_paired:
            take.refused = "unpaired"
        elif len(self._takes) >= _TAKES_MAX:
            take.refused = "error"
        elif not self._store.fits(_PREROLL_MS + LONGEST_MS + TAIL_MS):
            take.refused = "full"
        elif not self.hearing.open(self._gain_steps):
            take.refused = "error"
        else:
            self._takes.append(take)
            self._wake.set()

    def discard(self) -> None:
        """It was a tap."""
        take = self._newest
        if take is None or take.is_begun:
            return
        # The microphone is closed by who reads it, within a block.
        take.is_discarded = True
        if take.refused:
            self._over(take, "discarded")

    def begin(self, meta: dict) -> bool:
        """It is a hold: a clip with this `meta` (Store.begin), to which the codec is added. False when it is
        refused, which is shown."""
        take = self._newest
        if take is None:
            return False
        if take.refused:
            self._refuse(take, take.refused)
            return False
        take.begin(meta)
        self._hold()
        self._announce(take)
        self._trace("recording")
        return True

    def end(self, t_ms: int) -> None:
        """Let go, or at the longest, at tick `t_ms`: what was said until TAIL_MS later is kept."""
        take = self._newest
        if take is not None and take.is_begun and take.until is None:
            take.until = self.hearing.position_of(t_ms) + TAIL_MS * self.hearing.per_ms
            self._feedback.light("saving")
        else:
            self.discard()

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            while True:
                if self._check_in:
                    self._check_in()
                if self._preroll is not None:
                    self.hearing.open(self._gain_steps)
                if not self.hearing.is_open:
                    self._wake.clear()
                    await self._timing.wait(self._wake, _IDLE_MS)
                elif not await self.hearing.listen():
                    self._mic_died()
        except Exception:
            # It is reported by who runs this; the person must know, and the next press find all in order.
            self._feedback.show("error")
            await self.close()
            raise

    async def close(self) -> None:
        """Microphone off. What was being recorded is kept as a clip that was cut."""
        self.hearing.close()
        for take in list(self._takes):
            self._salvage(take)
            self._over(take, "error")

    def _heard(self, pcm, start: int, samples: int) -> None:
        if self._takes:
            take = self._takes[0]
            if not take.is_started:
                self._start(take, start)
            take.keep(pcm, start, samples)
            self._proceed(take)
        elif self._preroll is None:
            self.hearing.close()
        elif start >= self.hearing.good_from:
            self._preroll.add(pcm, samples)
            self.hearing.rebase()

    def _start(self, take, position: int) -> None:
        # There is time for it now, and less of it while the person speaks.
        gc.collect()
        hearing = self.hearing
        wanted = hearing.position_of(take.press_ms)
        if self._preroll is None:
            take.start(max(hearing.good_from, wanted))
        else:
            take.start(max(hearing.good_from, wanted - _PREROLL_MS * hearing.per_ms))
            self._preroll.drain(position, take.keep)

    def _proceed(self, take) -> None:
        """What follows from one more block."""
        if take.is_discarded:
            self._over(take, "discarded")
        elif take.is_begun and take.first is not None:
            self._announce(take)
            if take.until is not None and self.hearing.position >= take.until:
                # Off before flash is written: nobody would read what it hears.
                if len(self._takes) == 1 and self._preroll is None:
                    self.hearing.close()
                self._save(take, False)
            else:
                self._pump(take)

    def _announce(self, take) -> None:
        """`listening` means: speak now."""
        if take.first is not None and not take.is_announced:
            take.is_announced = True
            self._feedback.show("listening")
            self._trace("listening", first_ms=self.hearing.since(take.press_ms, take.first))

    def _pump(self, take) -> None:
        try:
            # An erase now would stretch the tick that is being felt.
            take.pump(self._feedback.is_buzzing)
            self.number = take.number
        except StoreError as error:
            self._fail(take, error)

    def _save(self, take, cut: bool) -> None:
        try:
            size, ms = take.finish(self.hearing.per_ms, cut)
        except StoreError as error:
            self._fail(take, error)
            return
        clip = self._store.clip_id(take.number)
        outcome = "captured" if self._in_reach() else "kept"
        self._feedback.show(outcome)
        self._over(take, outcome)
        self._trace("captured", clip=clip, ms=ms, bytes=size)
        if outcome == "kept":
            self._trace("kept", clip=clip)

    def _fail(self, take, error) -> None:
        self._trace("store_error", error=str(error))
        if isinstance(error, StoreFull):
            self._salvage(take)
            self._refuse(take, "full")
        else:
            self._refuse(take, "error")

    def _salvage(self, take) -> None:
        try:
            take.salvage(self.hearing.per_ms)
        except StoreError as error:
            self._trace("store_error", error=str(error))

    def _mic_died(self) -> None:
        for take in list(self._takes):
            if take.is_discarded:
                self._over(take, "discarded")
            elif take.is_begun and take.first is not None:
                # What was said until then is kept, as a clip that was cut.
                self._save(take, True)
            else:
                self._refuse(take, "error")

    def _refuse(self, take, name: str) -> None:
        self._feedback.show(name)
        self._over(take, name)

    def _hold(self) -> None:
        held = any(take.is_begun for take in self._takes)
        if held != self._is_held and self._hold_console:
            self._hold_console(held)
        self._is_held = held

    def _over(self, take, outcome: str) -> None:
        if take in self._takes:
            self._takes.remove(take)
            self.number = None
        self._hold()
        if take is self._newest:
            self._newest = None
        if not self._takes:
            if self._preroll is None:
                self.hearing.close()
            self._feedback.hold(False)
            self._feedback.light("off")
        if self.on_over:
            self.on_over(outcome)
