"""A recording through the pin's encoder into a file; what is held at a time is one frame."""

from __future__ import annotations

import os
import sys
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lapel_audio import adpcm
from lapel_codec import ogg
from lapel_codec.pin_encoder import PinEncoder
from lapel_codec.recordings import FRAME_BYTES, FRAME_SAMPLES, RATE_HZ, Recording

# RIFF counts its bytes in 32 bits.
_WAV_SAMPLES_MAX = (2**32 - 64) // 2
_SILENT_FRAME = bytes(FRAME_BYTES)


class CannotWrite(Exception):
    """The file cannot be written; the text is a sentence."""


@dataclass(frozen=True)
class Done:
    """coded_bytes: what the encoder made, without the file's own."""

    samples: int
    coded_bytes: int

    @property
    def seconds(self) -> float:
        return self.samples / RATE_HZ

    @property
    def kbps(self) -> float:
        return 8 * self.coded_bytes / 1000 / self.seconds


def to_opus(recording: Recording, target: Path, encoder: PinEncoder, name: str) -> Done:
    """An Ogg Opus file. `name` is what its tags say of the encoder. BadRecording, CannotEncode, CannotWrite."""

    def write(file: IO[bytes]) -> int:
        writer = ogg.Writer(file, name)
        count = coded = 0

        def add(frame: bytes) -> None:
            nonlocal count, coded
            packet = encoder.encode(frame)
            writer.add(packet)
            count, coded = count + 1, coded + len(packet)

        for frame in recording.frames():
            add(frame)
        # The last samples come out of the decoder with the packet after theirs.
        if count < ogg.packets_for(recording.samples):
            add(_SILENT_FRAME)
        writer.close(recording.samples)
        return coded

    return Done(coded_bytes=_whole(target, write), samples=recording.samples)


def to_wav(recording: Recording, target: Path, encoder: PinEncoder) -> Done:
    """What an ADPCM encoder's bytes sound like, as a WAV. BadRecording, CannotEncode, CannotWrite."""
    decoder = adpcm.Decoder()

    def write(file: IO[bytes]) -> int:
        coded = written = 0
        with wave.open(file, "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(RATE_HZ)
            for frame in recording.frames():
                data = encoder.encode(frame)
                samples = decoder.decode(data)
                if sys.byteorder == "big":
                    samples.byteswap()
                # What filled up the last frame is not sound.
                count = min(FRAME_SAMPLES, recording.samples - written)
                if written + count > _WAV_SAMPLES_MAX:
                    hours = _WAV_SAMPLES_MAX / RATE_HZ / 3600
                    raise CannotWrite(f"{target}: a WAV file holds {hours:.0f} hours at most.")
                wav.writeframesraw(samples[:count].tobytes())
                coded, written = coded + len(data), written + count
        return coded

    return Done(coded_bytes=_whole(target, write), samples=recording.samples)


def _whole(target: Path, write: Callable[[IO[bytes]], int]) -> int:
    """`target`, written to the side first: it is there when it is whole, or it stays as it was."""
    try:
        real = target.resolve()
        if real.exists() and not real.is_file():
            raise CannotWrite(f"{target} is no file: name one to write.")
        fresh = real.with_name(f".{real.name}.{os.getpid()}.new")
        try:
            with fresh.open("w+b") as file:
                found = write(file)
            fresh.replace(real)
            return found
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"{target} cannot be written: {error.strerror or error}.") from error
