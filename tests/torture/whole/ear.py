"""What the microphone heard, press by press, and what the pin's codec must have made of it.

Converter and encoder of lib/lapel_audio run once more here, over the samples that went over the wire: what the
companion received is compared with that, bit by bit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from lapel_audio import adpcm, convert
from lapel_companion import audio
from simulator.events import Event
from simulator.simulation import Simulation

# lib/drivers/mic_i2s.py: what the microphone gives before is not sound.
_START_UP_FRAMES = 256 * 16
# Above a microphone's offset and noise, below a voice.
_LOUD_24 = 1_000_000


@dataclass
class Take:
    """One time that the microphone was on. `began_s` by the timeline; `words` 32-bit, as on I2S. overrun: the pin was
    kept from reading for longer than the microphone's memory lasts, as a busy computer does, or believed so."""

    began_s: float
    words: bytearray = field(default_factory=bytearray)
    overrun: bool = False

    @property
    def good_frames(self) -> int:
        """Frames since the microphone had started up."""
        return max(0, len(self.words) // 4 - _START_UP_FRAMES)

    @property
    def spoken_frames(self) -> int:
        """Good frames until the last loud sample: what a whole clip must hold."""
        samples = [word >> 8 for word in struct.unpack(f"<{len(self.words) // 4}i", self.words)][_START_UP_FRAMES:]
        return next((i + 1 for i in range(len(samples) - 1, -1, -1) if abs(samples[i]) > _LOUD_24), 0)

    def pcm(self) -> bytes:
        """All of it after the pin's filter and codec, from the first good sample on."""
        frames, count = bytearray(self.words), len(self.words) // 4
        convert.Converter().convert(frames, count)
        # the samples are 16-bit now, at the start of the same memory
        kept = frames[2 * _START_UP_FRAMES : 2 * count]
        coded = bytearray(len(kept))
        size = adpcm.Encoder().encode(kept, len(kept) // 2, coded, (1 << 30) - 1)
        return audio.decode(bytes(coded[:size]))


class Ear:
    """Listens to the microphone of a simulation that was not opened yet."""

    def __init__(self, simulation: Simulation) -> None:
        self.takes: list[Take] = []
        simulation.mic.on_block = self._block
        simulation.timeline.listen(self._event)

    def take_of(self, from_s: float, until_s: float) -> Take | None:
        """The longest that began between these times."""
        found = [take for take in self.takes if from_s <= take.began_s < until_s]
        return max(found, key=lambda take: len(take.words), default=None)

    def _event(self, event: Event) -> None:
        if event.name == "mic" and event.fields.get("on"):
            self.takes.append(Take(event.t_s))
        elif event.name in ("overrun", "dropped") and event.fields.get("queue", "mic") == "mic" and self.takes:
            self.takes[-1].overrun = True

    def _block(self, samples: list[int]) -> None:
        if self.takes:
            self.takes[-1].words += struct.pack(f"<{len(samples)}i", *[sample << 8 for sample in samples])
