"""What a clip sounds like: IMA ADPCM or Opus to PCM, PCM to a WAV that a person can play."""

from __future__ import annotations

import io
import sys
import wave
from pathlib import Path

from lapel_audio import adpcm
from lapel_audio.frames import FRAME_MS
from lapel_companion import durable, opus
from lapel_companion.wording import one_line

# As clips name them, and the endings of files with what the pin sent.
ADPCM, OPUS = "ima-adpcm", "opus"
SUFFIXES = {ADPCM: "adpcm", OPUS: "packets"}
RATE_HZ = 16000


class AudioError(Exception):
    """The data cannot be turned into sound; the text is a sentence."""


def decode(data: bytes, codec: str = ADPCM) -> bytes:
    """What the pin recorded to 16-bit little-endian mono PCM. Any bytes decode. AudioError for an unknown codec."""
    if codec == OPUS:
        try:
            return opus.decode(data)
        except Exception as error:
            # What a foreign library may raise is not known, and the clip is taken: who wants its words gets a sentence.
            raise AudioError(f"it cannot be decoded here ({one_line(str(error))})") from error
    if codec != ADPCM:
        raise AudioError(f"its codec is not known here ({one_line(codec)}): a newer lapel may know it")
    samples = adpcm.decode(data)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def length_ms(data: bytes, codec: str) -> int:
    """How long a clip's bytes sound."""
    return FRAME_MS * len(opus.packets(data)) if codec == OPUS else 2000 * len(data) // RATE_HZ


def wav(pcm: bytes, rate_hz: int = RATE_HZ) -> bytes:
    """A mono 16-bit WAV."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return held.getvalue()


def write_wav(path: Path, pcm: bytes, rate_hz: int) -> None:
    """A mono 16-bit WAV, whole or not at all. Raises OSError."""
    durable.write_atomic(path, wav(pcm, rate_hz), "clip.wav")


def read_wav(path: Path) -> bytes:
    """The PCM of a WAV that `write_wav` wrote. Raises FileNotFoundError, AudioError."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise AudioError(f"{path} is not 16-bit mono")
            return file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:
        raise AudioError(f"{path} is no WAV: {error}") from error
