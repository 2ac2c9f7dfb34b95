"""PCM with a WAV header in front, in memory, as other programs want it."""

from __future__ import annotations

import io
import wave

from lapel_companion.speech.base import SAMPLE_BYTES, SAMPLE_RATE_HZ


def packed(pcm: bytes) -> bytes:
    """`pcm` (16-bit LE mono 16 kHz) as the bytes of a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm)
    return out.getvalue()
