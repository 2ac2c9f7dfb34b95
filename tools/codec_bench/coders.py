"""The codecs side by side: each takes clips and gives what a listener hears of them, and the bytes it took."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from codec_bench import libopus
from lapel_audio import adpcm
from lapel_codec import pin_encoder

RATES_KBPS = (16, 24, 32)


@dataclass(frozen=True)
class Coder:
    """One row of the table. who: raw, adpcm, ours, libopus 0, libopus 5 (its complexity); mode: constant, variable
    or nothing."""

    who: str
    kbps: int
    mode: str

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.who, f"{self.kbps} kbit/s" if self.mode else "", self.mode) if part)


@dataclass(frozen=True)
class Coded:
    """pcm is as long as the clip, and in step with it."""

    pcm: bytes
    coded_bytes: int


def all_of(rates: Sequence[int], modes: Sequence[str], *, ours: bool) -> list[Coder]:
    """Every row, in the order of the table."""
    rows = [Coder("raw", 256, ""), Coder("adpcm", pin_encoder.ADPCM_KBPS, "")]
    for mode in modes:
        for kbps in rates:
            rows += [Coder("ours", kbps, mode)] if ours else []
            rows += [Coder("libopus 0", kbps, mode), Coder("libopus 5", kbps, mode)]
    return rows


def code(coder: Coder, clips: Sequence[bytes]) -> list[Coded]:
    """Every clip from a fresh encoder, as the pin does it. OpusError, CannotEncode."""
    if coder.who == "raw":
        return [Coded(clip, len(clip)) for clip in clips]
    if coder.who == "adpcm":
        return [_adpcm(clip) for clip in clips]
    return [_opus(coder, clip) for clip in clips]


def packets(coder: Coder, pcm: bytes) -> list[bytes]:
    """The packets of a clip and of the silence behind it that brings out its end."""
    padded = pcm + bytes(2 * libopus.DELAY_SAMPLES)
    variable = coder.mode == "variable"
    if coder.who == "ours":
        with pin_encoder.start("opus", coder.kbps, variable=variable) as pins:
            return [pins.encode(frame) for frame in libopus.frames(padded)]
    encoder = libopus.Encoder(coder.kbps, complexity=int(coder.who.split()[1]), variable=variable)
    return [encoder.encode(frame) for frame in libopus.frames(padded)]


def missing_ours() -> str | None:
    """Why our own Opus encoder cannot be heard here, as a sentence; None when it can."""
    try:
        with pin_encoder.start("opus", RATES_KBPS[0]) as pins:
            pins.encode(bytes(libopus.FRAME_BYTES))
    except pin_encoder.CannotEncode as error:
        return str(error)
    return None


def _opus(coder: Coder, pcm: bytes) -> Coded:
    made = packets(coder, pcm)
    late = 2 * libopus.DELAY_SAMPLES
    return Coded(libopus.decode_all(made)[late : late + len(pcm)], sum(map(len, made)))


def _adpcm(pcm: bytes) -> Coded:
    """The pin's own ADPCM, from this Python: it gives the same bytes."""
    samples = len(pcm) // 2
    out = bytearray(samples // 2 + 1)
    size = adpcm.Encoder().encode(bytearray(pcm), samples, out, (1 << 30) - 1)
    heard = adpcm.decode(bytes(out[:size]))
    if sys.byteorder == "big":
        heard.byteswap()
    # An odd sample at the end has no byte.
    return Coded(heard.tobytes().ljust(len(pcm), b"\0")[: len(pcm)], size)

