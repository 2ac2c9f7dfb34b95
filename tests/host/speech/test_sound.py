"""Where speech is in a recording, before anyone recognises it."""

from __future__ import annotations

import math
from array import array

import pytest

from lapel_companion.speech import sound
from voices import effects

RATE_HZ = 16_000


def tone(ms: int, size: float) -> bytes:
    count = RATE_HZ * ms // 1000
    return array("h", [round(size * math.sin(2 * math.pi * 220 * n / RATE_HZ)) for n in range(count)]).tobytes()


def fading(ms: int, size: float) -> bytes:
    count = RATE_HZ * ms // 1000
    turn = 2 * math.pi * 220 / RATE_HZ
    return array("h", [round(size * (1 - n / count) * math.sin(turn * n)) for n in range(count)]).tobytes()


QUIET = bytes(RATE_HZ)


def always(_: bytes) -> bool:
    return True


@pytest.mark.parametrize(
    "pcm",
    [
        b"",
        b"\0",
        QUIET,
        bytes(100),
        effects.white(1.0, 12.0),
        effects.white(1.0, 3000.0),
        effects.hum(1.0, 2000.0),
        array("h", [900] * RATE_HZ).tobytes(),
    ],
    ids=["nothing", "half a sample", "silence", "3 ms", "soft hiss", "loud hiss", "hum", "an offset"],
)
def test_nobody_spoke(pcm: bytes) -> None:
    assert sound.examine(pcm, always).pcm == b""
    assert sound.is_still(pcm)


def test_the_part_with_speech_is_kept_with_its_margins() -> None:
    found = sound.examine(QUIET * 4 + tone(400, 8000) + fading(100, 8000) + QUIET * 4, always)
    seconds = len(found.pcm) / 2 / RATE_HZ
    assert 0.9 < seconds < 1.2
    assert not found.cut_off
    assert not sound.is_still(QUIET + tone(400, 8000) + QUIET)


def test_what_the_detector_does_not_take_for_speech_is_none() -> None:
    assert sound.examine(QUIET + tone(400, 8000) + QUIET, lambda _: False).pcm == b""
    assert sound.examine(QUIET + tone(60, 8000) + QUIET, always).pcm == b""


def test_a_soft_voice_is_made_louder() -> None:
    found = sound.examine(QUIET + tone(400, 300) + QUIET, always)
    assert 14_000 < max(array("h", found.pcm)) < 17_000


@pytest.mark.parametrize("after_ms", [0, 2, 50, 800])
def test_a_clip_that_ends_in_the_middle_of_a_sound_is_cut_off(after_ms: int) -> None:
    end = bytes(32 * after_ms)
    assert sound.examine(QUIET + tone(500, 8000) + end, always).cut_off
    assert not sound.examine(QUIET + tone(500, 8000) + fading(120, 8000) + end, always).cut_off


def test_the_codec_does_not_hide_a_cut() -> None:
    assert sound.examine(effects.coded(QUIET + tone(500, 8000) + QUIET), always).cut_off
