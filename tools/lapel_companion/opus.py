"""A clip of Opus as the pin sent it: to PCM, and to an Ogg Opus file that players open.

Decoded by libopus through PyAV, which is here for recordings anyway, is well kept, and brings the library in its wheel.
What a pin sends is believed in nothing: a packet is of the one kind that pins make, or it is 20 ms that were lost.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from lapel_audio import frames
from lapel_companion import durable

if TYPE_CHECKING:
    import av

RATE_HZ = 16_000
FRAME_SAMPLES = RATE_HZ * frames.FRAME_MS // 1000
# A minute, what is kept around it, and room to spare: as many bytes of ADPCM are taken.
MAX_PACKETS = 65 * 1000 // frames.FRAME_MS
# CELT alone, wideband, 20 ms, mono, one frame (RFC 6716, 3.1): all that a pin makes, and no other goes to a decoder.
_TOC = 0xB8
# A frame without data stands for one that was lost (RFC 6716, 3.2.1): a decoder makes up for it.
_LOST = bytes([_TOC])
# CELT's own delay, 2.5 ms.
_DELAY_SAMPLES = RATE_HZ // 400
_DECODER_HZ = 48_000


def packets(data: bytes) -> list[bytes]:
    """The packets of a clip, cut anywhere; MAX_PACKETS at most."""
    return [packet if packet[0] == _TOC else _LOST for packet in frames.packets(data, MAX_PACKETS)]


def decode(data: bytes) -> bytes:
    """16-bit little-endian mono PCM at RATE_HZ, 20 ms a whole packet less the codec's delay. Any bytes decode."""
    # Takes a third of a second, which only those pay who have such clips.
    import av

    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.layout = "mono"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    coded = packets(data)
    pcm = bytearray()

    for packet in [*coded, None] if coded else []:
        frame = None
        if packet is not None:
            try:
                [frame] = decoder.decode(av.Packet(packet))
            except (av.FFmpegError, ValueError):
                frame = _silence()
            frame.pts = None
        for done in resampler.resample(frame):
            pcm += bytes(done.planes[0])[: 2 * done.samples]
    return bytes(pcm[2 * _DELAY_SAMPLES : 2 * FRAME_SAMPLES * len(coded)])


def write_ogg(path: Path, data: bytes) -> None:
    """The clip as an Ogg Opus file, whole or not at all; none of a clip without a packet. Raises OSError."""
    from lapel_codec import ogg

    coded = packets(data)
    if not coded:
        return
    held = io.BytesIO()
    writer = ogg.Writer(held, "Lapel")
    for packet in coded:
        writer.add(packet)
    writer.close(FRAME_SAMPLES * len(coded) - _DELAY_SAMPLES)
    durable.write_atomic(path, held.getvalue(), "clip.opus")


def _silence() -> av.AudioFrame:
    import av

    samples = _DECODER_HZ * frames.FRAME_MS // 1000
    frame = av.AudioFrame(format="s16", layout="mono", samples=samples)
    frame.planes[0].update(bytes(2 * samples))
    frame.sample_rate = _DECODER_HZ
    return frame
