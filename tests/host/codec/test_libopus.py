"""The judges: libopus and FFmpeg's own decoder take what libopus encodes, and refuse what was changed."""

from __future__ import annotations

import pytest

from codec_bench import ffmpeg, libopus
from tests.host.codec.sounds import unlike, voice_like

pytestmark = pytest.mark.skipif(libopus.missing() is not None, reason=str(libopus.missing()))

SOUND = voice_like(1.0)


def stream(kbps: int, *, complexity: int = 5, variable: bool = False) -> tuple[list[bytes], list[int]]:
    encoder = libopus.Encoder(kbps, complexity=complexity, variable=variable)
    packets, ranges = [], []
    for frame in libopus.frames(SOUND):
        packets.append(encoder.encode(frame))
        ranges.append(encoder.final_range)
    return packets, ranges


@pytest.mark.parametrize(("kbps", "size"), [(16, 40), (24, 60), (32, 80)])
@pytest.mark.parametrize("complexity", [0, 5])
def test_a_constant_rate_is_celt_of_one_size_and_both_ends_agree(kbps: int, size: int, complexity: int) -> None:
    packets, ranges = stream(kbps, complexity=complexity)
    assert {len(packet) for packet in packets} == {size} and {packet[0] for packet in packets} == {libopus.TOC}
    assert len(libopus.agree(packets, ranges)) == len(SOUND)
    assert len(libopus.agree(packets, ranges, rate_hz=48_000)) == 3 * len(SOUND)


def test_a_variable_rate_varies_and_changes_in_the_middle() -> None:
    packets, ranges = stream(24, variable=True)
    assert len({len(packet) for packet in packets}) > 3
    libopus.agree(packets, ranges)
    encoder = libopus.Encoder(16)
    small = encoder.encode(SOUND[: libopus.FRAME_BYTES])
    encoder.set_rate(32)
    assert (len(small), len(encoder.encode(SOUND[: libopus.FRAME_BYTES]))) == (40, 80)


def test_its_sound_comes_as_late_as_it_says() -> None:
    packets, _ = stream(48)
    late = 2 * libopus.DELAY_SAMPLES
    heard = libopus.decode_all(packets)[late:]
    assert unlike(SOUND[: len(heard)], heard) < 0.3 < unlike(SOUND[late : late + len(heard) - late], heard[:-late])


def test_a_changed_packet_or_range_is_found_at_its_frame() -> None:
    packets, ranges = stream(24)
    ranges[7] ^= 1
    with pytest.raises(libopus.Disagreement, match="frame 7: its decoder ends at range") as found:
        libopus.agree(packets, ranges)
    assert found.value.frame == 7
    packets, ranges = stream(24)
    packets[5] = packets[5][:2] + bytes([packets[5][2] ^ 0x55]) + packets[5][3:]
    with pytest.raises(libopus.Disagreement, match="frame 5"):
        libopus.agree(packets, ranges)
    # two frames in one packet, and none at all
    for wrong in (bytes([libopus.TOC | 1]) + bytes(60), b"", bytes([libopus.TOC | 3]) + bytes(9)):
        with pytest.raises(libopus.Disagreement, match="frame 0"):
            libopus.agree([wrong], [0])


def test_what_is_no_frame_is_refused_with_a_sentence() -> None:
    with pytest.raises(libopus.OpusError, match="a frame has 640 bytes, not 10"):
        libopus.Encoder(24).encode(bytes(10))
    with pytest.raises(libopus.OpusError, match="libopus says: "):
        libopus.Decoder(44_100)
    assert list(libopus.frames(bytes(641))) == [bytes(640), bytes(640)]
    assert len(libopus.Decoder().decode(None)) == libopus.FRAME_BYTES


def test_ffmpeg_hears_the_same_and_refuses_nonsense() -> None:
    packets, _ = stream(24, complexity=0, variable=True)
    assert ffmpeg.unlike_db(packets) < -100
    judge = ffmpeg.Decoder()
    judge.decode(packets[0])
    with pytest.raises(ffmpeg.DecodeError, match="frame 1: FFmpeg"):
        judge.decode(bytes([libopus.TOC | 3]) + bytes(9))
