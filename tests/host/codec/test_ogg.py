"""Ogg Opus as RFC 7845 has it: heads, pages, checksums, granule positions, and what a player plays of it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import pytest

from codec_bench import libopus
from lapel_codec import ogg
from tests.host.codec.sounds import unlike, voice_like

pytestmark = pytest.mark.skipif(libopus.missing() is not None, reason=str(libopus.missing()))

BEGINS, ENDS = 2, 4


@dataclass(frozen=True)
class Page:
    flags: int
    granule: int
    serial: int
    number: int
    packets: tuple[bytes, ...]


def checksum(data: bytes) -> int:
    """RFC 3533, 6: polynomial 0x04c11db7, nothing reflected, nothing inverted."""
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


def pages(data: bytes) -> list[Page]:
    """Read by hand; packets do not go from page to page here."""
    found = []
    at = 0
    while at < len(data):
        magic, version, flags, granule, serial, number, crc, count = struct.unpack_from("<4sBBqIIIB", data, at)
        assert (magic, version) == (b"OggS", 0)
        lacing = data[at + 27 : at + 27 + count]
        end = at + 27 + count + sum(lacing)
        assert checksum(data[at : at + 22] + bytes(4) + data[at + 26 : end]) == crc
        packets, piece, start = [], 0, at + 27 + count
        for value in lacing:
            piece += value
            if value < 255:
                packets.append(data[start : start + piece])
                start, piece = start + piece, 0
        assert piece == 0
        found.append(Page(flags, granule, serial, number, tuple(packets)))
        at = end
    return found


def written(packets: list[bytes], samples: int) -> bytes:
    file = io.BytesIO()
    writer = ogg.Writer(file, "a test")
    for packet in packets:
        writer.add(packet)
    writer.close(samples)
    return file.getvalue()


def encoded(samples: int) -> tuple[bytes, list[bytes]]:
    pcm = voice_like(samples / 16_000 + 0.01)[: 2 * samples]
    encoder = libopus.Encoder(32, variable=True)
    padded = pcm.ljust(libopus.FRAME_BYTES * ogg.packets_for(samples), b"\0")
    return pcm, [encoder.encode(frame) for frame in libopus.frames(padded)]


# a single sample, up to a border, over it by the delay, over it by one, seconds
@pytest.mark.parametrize("samples", [1, 279, 280, 281, 320, 321, 16_000, 50_123])
def test_what_was_recorded_is_what_is_played(samples: int) -> None:
    pcm, packets = encoded(samples)
    assert len(packets) == (samples + 40 + 319) // 320
    data = written(packets, samples)
    found = pages(data)
    assert [page.number for page in found] == list(range(len(found))) and len({page.serial for page in found}) == 1
    assert found[0].flags == BEGINS and found[0].granule == 0
    # version, channels, pre-skip of 2.5 ms, the rate of the recording, no gain, no mapping
    assert found[0].packets == (struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 120, 16_000, 0, 0),)
    [tags] = found[1].packets
    assert found[1].granule == 0 and tags.startswith(b"OpusTags") and tags.endswith(b"encoder=a test")
    sound = found[2:]
    assert [packet for page in sound for packet in page.packets] == packets
    assert [bool(page.flags & ENDS) for page in sound] == [False] * (len(sound) - 1) + [True]
    whole = 0
    for page in sound[:-1]:
        whole += len(page.packets)
        assert page.granule == 960 * whole
    assert sound[-1].granule == 120 + 3 * samples
    assert list(ogg.packets(io.BytesIO(data))) == packets
    at_48k = ogg.sound(io.BytesIO(data), 48_000)
    assert len(at_48k) // 2 == 3 * samples
    if samples >= 16_000:
        heard = ogg.sound(io.BytesIO(data))
        assert abs(len(heard) // 2 - samples) <= 1
        assert unlike(pcm[: len(heard)], heard[: len(pcm)]) < 0.3


def test_what_is_no_ogg_opus_is_a_sentence() -> None:
    pcm, packets = encoded(50_000)
    data = written(packets, 50_000)
    for wrong in (b"", b"OggS", pcm, data[:200], bytes(5000)):
        for read in (lambda file: list(ogg.packets(file)), ogg.sound):
            with pytest.raises(ogg.BadOgg, match="it is no Ogg Opus file"):
                read(io.BytesIO(wrong))
    # a file that was cut off plays as far as it goes
    assert 0 < len(list(ogg.packets(io.BytesIO(data[: len(data) // 2])))) < len(packets)
