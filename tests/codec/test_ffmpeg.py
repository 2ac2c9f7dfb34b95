"""FFmpeg's own decoder, written apart from libopus, hears the same in the pin's packets: speech, noise, rails."""

from __future__ import annotations

import pytest

from codec_bench import ffmpeg, libopus
from tests.codec import sounds
from tests.codec.test_stream import encoded, rates

pytestmark = pytest.mark.skipif(libopus.missing() is not None, reason=str(libopus.missing()))


@pytest.mark.parametrize("variable", [False, True])
def test_ffmpeg_hears_what_libopus_hears(variable: bool) -> None:
    count = 300
    drawn = zip(rates(11, count), sounds.frames(11, count), strict=True)
    packets, _ = encoded([(rate, pcm) for rate, (_, pcm) in drawn], variable=variable)
    assert ffmpeg.unlike_db(packets) < -100
