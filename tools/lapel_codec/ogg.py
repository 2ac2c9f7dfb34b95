"""Ogg Opus (RFC 7845), written and read by FFmpeg (PyAV): pages, checksums, granule positions.

It is the one well-kept Python package that puts packets of another encoder into Ogg.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import IO

import av

# Ogg Opus counts time so, whatever the sound's own rate (RFC 7845, 4).
CLOCK_HZ = 48_000
INPUT_HZ = 16_000
PACKET_TICKS = CLOCK_HZ // 50
# CELT's own delay at any rate, 2.5 ms, which a player leaves out (RFC 7845, 4.2).
PRE_SKIP_TICKS = CLOCK_HZ // 400
# Packets of 20 ms that it takes for so many samples of 16 kHz, the delay among them.
_SAMPLES = INPUT_HZ // 50
_TICKS = CLOCK_HZ // INPUT_HZ


class BadOgg(Exception):
    """A file that is no Ogg Opus; the text is a sentence."""


def packets_for(samples: int) -> int:
    """How many packets hold `samples` of 16 kHz and the codec's delay."""
    return -(-(samples + PRE_SKIP_TICKS // _TICKS) // _SAMPLES)


class Writer:
    """Mono Opus in packets of 20 ms, encoded from 16 kHz. `file` is open for writing in bytes, and can seek."""

    def __init__(self, file: IO[bytes], encoder: str) -> None:
        self._container = av.open(file, "w", format="opus")
        # FFmpeg takes the stream's head from an encoder of its own, which encodes nothing here: this one's delay,
        # rate and channels are those of ours.
        options = {"application": "lowdelay", "frame_duration": "20"}
        self._stream = self._container.add_stream(
            "libopus", rate=INPUT_HZ, layout="mono", bit_rate=24_000, options=options
        )
        self._stream.metadata["encoder"] = encoder
        self._held: bytes | None = None
        self._written = 0

    def add(self, packet: bytes) -> None:
        """The next packet."""
        if self._held is not None:
            self._mux(self._held, PACKET_TICKS)
        self._held = packet

    def close(self, samples: int) -> None:
        """Ends the file. `samples` of 16 kHz were encoded: what the last packets hold beyond them is not played."""
        if self._held is not None:
            behind = PRE_SKIP_TICKS + _TICKS * samples - PACKET_TICKS * self._written
            self._mux(self._held, max(1, min(PACKET_TICKS, behind)))
            self._held = None
        self._container.close()

    def _mux(self, data: bytes, ticks: int) -> None:
        packet = av.Packet(data)
        packet.stream = self._stream
        packet.time_base = Fraction(1, CLOCK_HZ)
        packet.pts = packet.dts = self._written * PACKET_TICKS - PRE_SKIP_TICKS
        packet.duration = ticks
        packet.is_keyframe = True
        self._container.mux(packet)
        self._written += 1


def packets(file: IO[bytes]) -> Iterator[bytes]:
    """The packets of an Ogg Opus file. BadOgg."""
    try:
        with av.open(file, "r", format="ogg") as container:
            [stream] = container.streams.audio
            if stream.codec_context.codec.canonical_name != "opus":
                raise BadOgg(f"it holds {stream.codec_context.codec.canonical_name}, not Opus.")
            for packet in container.demux(stream):
                if packet.size:
                    yield bytes(packet)
    except (av.FFmpegError, ValueError) as error:
        raise BadOgg(f"it is no Ogg Opus file that can be read: {_told(error)}.") from error


def sound(file: IO[bytes], rate_hz: int = INPUT_HZ) -> bytes:
    """What a player plays of an Ogg Opus file, as 16-bit mono at `rate_hz`: without the delay and the last packet's
    padding. BadOgg."""
    pcm = bytearray()
    try:
        with av.open(file, "r", format="ogg") as container:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
            for frame in [*container.decode(audio=0), None]:
                for done in resampler.resample(frame):
                    pcm += bytes(done.planes[0])[: 2 * done.samples]
    except (av.FFmpegError, ValueError) as error:
        raise BadOgg(f"it is no Ogg Opus file that can be read: {_told(error)}.") from error
    return bytes(pcm)


def _told(error: av.FFmpegError | ValueError) -> str:
    return (error.strerror if isinstance(error, av.FFmpegError) else None) or str(error)
