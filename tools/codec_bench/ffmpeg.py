"""The second judge: FFmpeg's own Opus decoder, written apart from libopus (PyAV: wheels with FFmpeg in them)."""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Iterable

import av
from av.audio.codeccontext import AudioCodecContext

from codec_bench import libopus

RATE_HZ = 48_000
FRAME_SAMPLES = RATE_HZ // 50
# An identification header without pre-skip, so that every sample comes out (RFC 7845, 5.1).
_HEAD = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 0, 16_000, 0, 0)


class DecodeError(Exception):
    """A packet that FFmpeg refuses; the text says which, and why."""


class Decoder:
    """One mono stream; decodes to 48 kHz, whatever was encoded."""

    def __init__(self) -> None:
        # "opus" is FFmpeg's own decoder, "libopus" the reference inside FFmpeg.
        context = av.CodecContext.create("opus", "r")
        assert isinstance(context, AudioCodecContext)
        context.extradata = _HEAD
        context.layout = "mono"
        self._context = context
        self._frame = -1

    def decode(self, packet: bytes) -> array[float]:
        """The sound of one packet of 20 ms, -1..1. DecodeError."""
        self._frame += 1
        try:
            frames = self._context.decode(av.Packet(packet))
        except av.FFmpegError as error:
            raise DecodeError(f"frame {self._frame}: FFmpeg says: {error.strerror}.") from error
        found = array("f", b"".join(bytes(one.planes[0])[: 4 * one.samples] for one in frames))
        if len(found) != FRAME_SAMPLES:
            raise DecodeError(f"frame {self._frame}: FFmpeg decodes {len(found)} samples, not {FRAME_SAMPLES}.")
        return found


def unlike_db(packets: Iterable[bytes]) -> float:
    """How far below the sound of all packets, as libopus decodes it, the difference to FFmpeg's own is: in dB, both in
    48 kHz and before anything is clipped. DecodeError, OpusError."""
    ours, reference = Decoder(), libopus.Decoder(RATE_HZ)
    sound = difference = 0.0
    for packet in packets:
        for one, two in zip(ours.decode(packet), reference.decode_float(packet), strict=True):
            sound += two * two
            difference += (one - two) ** 2
    return 10 * math.log10((difference + 1e-20) / (sound + 1e-20))
