"""Clips of Opus: whole, cut anywhere, and from a pin that sends whatever it likes."""

from __future__ import annotations

import array
import math
import random
from fractions import Fraction
from pathlib import Path

import av
import pytest

from lapel_audio import frames
from lapel_codec import ogg
from lapel_companion import audio, opus
from lapel_companion.clips import ClipFiles
from tests.host.companion.test_files import CLIP, meta

SAMPLES = opus.FRAME_SAMPLES
COUNT = 40


def tone(count: int) -> bytes:
    """So many frames of 440 Hz."""
    wave = (round(8000 * math.sin(2 * math.pi * 440 * at / opus.RATE_HZ)) for at in range(count * SAMPLES))
    return array.array("h", wave).tobytes()


@pytest.fixture(scope="module")
def packets() -> list[bytes]:
    """Of the kind that a pin makes, by libopus."""
    options = {"application": "lowdelay", "frame_duration": "20"}
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = opus.RATE_HZ, "mono", "s16"
    encoder.bit_rate, encoder.options, encoder.time_base = 24_000, options, Fraction(1, opus.RATE_HZ)
    made: list[bytes] = []
    sound = tone(COUNT)
    for at in range(0, len(sound), 2 * SAMPLES):
        frame = av.AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(sound[at : at + 2 * SAMPLES])
        frame.sample_rate, frame.pts = opus.RATE_HZ, at // 2
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return made


def clip_of(packets: list[bytes]) -> bytes:
    """As a pin lays them down."""
    return b"".join(bytes([len(packet)]) + packet for packet in packets)


def kept(folder: Path, data: bytes, codec: str = audio.OPUS) -> ClipFiles:
    """An accepted clip's files."""
    files = ClipFiles(folder)
    described = meta()
    object.__setattr__(described, "codec", codec)
    partial = files.begin(described)
    partial.append(data)
    partial.close()
    files.finish(CLIP)
    return files


def test_a_clip_is_heard_and_can_be_played(tmp_path: Path, packets: list[bytes]) -> None:
    data = clip_of(packets)
    files = kept(tmp_path, data)
    assert (tmp_path / f"{CLIP}.packets").read_bytes() == data
    pcm = files.pcm(CLIP)
    assert len(pcm) == 2 * (SAMPLES * COUNT - SAMPLES // 8)
    heard, said = array.array("h", pcm), array.array("h", tone(COUNT))
    # in time, and much louder than what is wrong with it
    wrong = sum((heard[at] - said[at]) ** 2 for at in range(SAMPLES, len(heard)))
    assert wrong * 20 < sum(value**2 for value in said)
    with (tmp_path / f"{CLIP}.opus").open("rb") as file:
        assert list(ogg.packets(file)) == packets
    with (tmp_path / f"{CLIP}.opus").open("rb") as file:
        assert len(ogg.sound(file)) == len(pcm)
    assert not (tmp_path / f"{CLIP}.wav").exists()
    assert files.whole() == [CLIP]
    assert audio.length_ms(data, audio.OPUS) == 20 * COUNT


def test_cut_anywhere_its_whole_frames_are_heard(packets: list[bytes]) -> None:
    data = clip_of(packets)
    whole = opus.decode(data)
    for end in range(0, len(data), 41):
        count = len(frames.packets(data[:end], COUNT))
        part = opus.decode(data[:end])
        assert len(part) == (2 * (SAMPLES * count - SAMPLES // 8) if count else 0)
        # what follows reaches back by the resampler's filter
        sure = max(0, len(part) - SAMPLES)
        assert part[:sure] == whole[:sure]


def test_what_was_never_a_frame_is_time_without_sound(packets: list[bytes]) -> None:
    # stereo, another bandwidth, SILK, several frames a packet, nothing behind the head
    strange = [bytes([toc]) + bytes(30) for toc in (0xBC, 0x98, 0x08, 0xBB)] + [b"\xb8"]
    data = clip_of([*packets[:3], *strange, *packets[3:]])
    assert len(opus.decode(data)) == 2 * (SAMPLES * (COUNT + len(strange)) - SAMPLES // 8)
    assert opus.packets(data)[3:8] == [b"\xb8"] * 5
    assert opus.decode(clip_of(packets[:2]) + b"\0" + clip_of(packets)) == opus.decode(clip_of(packets[:2]))


def test_a_mad_pin_gets_a_minute_and_no_more(tmp_path: Path) -> None:
    chance = random.Random(31)
    most = 2 * SAMPLES * opus.MAX_PACKETS
    for size in (1, 2, 3, 100, 5000, 520_000):
        assert len(opus.decode(chance.randbytes(size))) <= most
    # frames that begin as a pin's, of noise
    noise = clip_of([b"\xb8" + chance.randbytes(chance.randrange(250)) for _ in range(500)])
    assert len(opus.decode(noise)) == 2 * (SAMPLES * 500 - SAMPLES // 8)
    many = b"\x01\xb8" * 260_000
    files = kept(tmp_path, many)
    assert len(files.pcm(CLIP)) < most
    assert (tmp_path / f"{CLIP}.opus").stat().st_size < 65_536


def test_an_unknown_codec_is_a_sentence(tmp_path: Path) -> None:
    files = kept(tmp_path, b"data", "of-tomorrow")
    with pytest.raises(audio.AudioError, match=r"not known here \(of-tomorrow\)"):
        files.pcm(CLIP)
    assert (tmp_path / f"{CLIP}.part").read_bytes() == b"data"


def test_a_clip_without_a_whole_frame_is_silence(tmp_path: Path) -> None:
    files = kept(tmp_path, b"\x3c\xb8")
    assert files.pcm(CLIP) == b""
    assert not (tmp_path / f"{CLIP}.opus").exists()
