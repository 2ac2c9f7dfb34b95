"""Cycles of a 20 ms frame on the ESP32-S3, by the model of `make cycles`: kernels on the device's own instructions, and
the plain Python between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

from codec_bench import libopus
from codec_bench.coders import Coder
from device_code import measure, qemu
from device_code.cases import Whole
from device_code.device import Broken, NotCompiled
from device_code.meaning import Meaning
from device_code.mpy import NotReadable
from device_code.record import Differs

# Frames that are counted, evenly out of a clip; the encoder has coded all before them.
FRAMES = 8
_BUDGET = 1_000_000


class NotCounted(Exception):
    """There is no qemu, or the machine code does not do what its source says; the text is a sentence."""


def of_a_frame(coder: Coder, pcm: bytes) -> int | None:
    """The mean over FRAMES of a clip, of the pin's own encoders; None for others'. NotCounted."""
    if coder.who not in ("ours", "adpcm"):
        return None
    frames = list(libopus.frames(pcm))
    wanted = {len(frames) * (2 * n + 1) // (2 * FRAMES) for n in range(FRAMES)}

    def parts(random: Random, meaning: Meaning) -> Iterator[tuple[float, Callable[[], object]]]:
        encode = _encoder(coder, meaning)
        for number, frame in enumerate(frames):
            if number in wanted:
                yield 1.0 / len(wanted), partial(encode, bytearray(frame))
            else:
                encode(bytearray(frame))

    try:
        return round(measure.row(Whole(coder.name, "frame", 1, 50, _BUDGET, parts, bytecodes=True), 0).cycles)
    except (Broken, Differs, NotCompiled, NotReadable, qemu.NoQemu) as error:
        raise NotCounted(f"{coder.name}: {error}") from error


def _encoder(coder: Coder, meaning: Meaning) -> Callable[[bytearray], Any]:
    out = bytearray(1024)
    if coder.who == "adpcm":
        adpcm = meaning.module("lapel_audio.kernels").Encoder()
        return lambda pcm: adpcm.encode(pcm, len(pcm) // 2, out, len(out) - 1)
    opus = meaning.module("lapel_audio.opus.encoder").Encoder(coder.kbps, coder.mode == "variable")
    return lambda pcm: opus.encode(pcm, out)
