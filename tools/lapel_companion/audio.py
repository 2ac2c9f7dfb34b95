"""What a clip sounds like: IMA ADPCM to PCM, PCM to a WAV that a person can play."""

from __future__ import annotations

import io
import sys
import wave
from pathlib import Path

from lapel_audio import adpcm
from lapel_companion import durable

CODEC = "ima-adpcm"
RATE_HZ = 16000


class AudioError(Exception):
    """The data cannot be turned into sound; the text is a sentence."""


def decode(data: bytes) -> bytes:
    """IMA ADPCM as the pin records it to 16-bit little-endian mono PCM. Any length decodes."""
    samples = adpcm.decode(data)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def write_wav(path: Path, pcm: bytes, rate_hz: int) -> None:
    """A mono 16-bit WAV, whole or not at all. Raises OSError."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    durable.write_atomic(path, held.getvalue(), "clip.wav")


def read_wav(path: Path) -> bytes:
    """The PCM of a WAV that `write_wav` wrote. Raises FileNotFoundError, AudioError."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise AudioError(f"{path} is not 16-bit mono")
            return file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:
        raise AudioError(f"{path} is no WAV: {error}") from error
