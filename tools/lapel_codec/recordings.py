"""A WAV file as the pin's microphone would have heard it: 16-bit mono at 16 kHz, piece by piece.

FFmpeg reads and resamples it (PyAV): PCM, float, A-law, mu-law and ADPCM, at any rate, with any channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import av

RATE_HZ = 16_000
FRAME_SAMPLES = 320
FRAME_BYTES = 2 * FRAME_SAMPLES


class BadRecording(Exception):
    """A file that cannot be read as sound; the text is a sentence that names it."""


class Recording:
    """One WAV file. `samples`: how many have come so far; `damaged`: pieces of the file that were left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = 0
        self.damaged = 0

    def pieces(self) -> Iterator[bytes]:
        """Its sound, 16-bit little-endian mono at 16 kHz. BadRecording."""
        try:
            # Opened here: FFmpeg would take a name for an address, too.
            with self.path.open("rb") as file:
                for piece in self._decoded(file):
                    self.samples += len(piece) // 2
                    yield piece
        except OSError as error:
            raise BadRecording(f"{self.path} cannot be read: {error.strerror or error}.") from error
        if not self.samples:
            raise BadRecording(f"{self.path}: there is no sound in it.")

    def frames(self) -> Iterator[bytes]:
        """The same in frames of FRAME_BYTES, the last one filled up with silence."""
        return in_frames(self.pieces())

    def _decoded(self, file: IO[bytes]) -> Iterator[bytes]:
        try:
            with av.open(file, "r", format="wav") as container:
                [stream] = container.streams.audio
                resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
                for packet in container.demux(stream):
                    try:
                        frames = packet.decode()
                    except av.InvalidDataError:
                        # Such as half a sample at the end, where a recorder was cut off.
                        self.damaged += 1
                        continue
                    for frame in frames:
                        yield from _sound(resampler, frame)
                yield from _sound(resampler, None)
        except (av.FFmpegError, ValueError) as error:
            told = error.strerror if isinstance(error, av.FFmpegError) else str(error)
            raise BadRecording(
                f"{self.path} is no WAV file that can be read: {told}. "
                "Wanted: a WAV of any rate, with PCM, float, A-law, mu-law or ADPCM in up to 16 channels."
            ) from error


def in_frames(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces of any size as frames of FRAME_BYTES, the last one filled up with silence."""
    held = bytearray()
    for piece in pieces:
        held += piece
        whole = len(held) // FRAME_BYTES * FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            yield bytes(held[at : at + FRAME_BYTES])
        del held[:whole]
    if held:
        yield bytes(held.ljust(FRAME_BYTES, b"\0"))


def _sound(resampler: av.AudioResampler, frame: av.AudioFrame | None) -> Iterator[bytes]:
    for done in resampler.resample(frame):
        # A plane may be longer than its samples.
        yield bytes(done.planes[0])[: 2 * done.samples]
