"""The bench: which clips, which rows, what is counted and what is said of it."""

from __future__ import annotations

import importlib.util
import json
import shutil
from array import array
from pathlib import Path

import pytest

from codec_bench import __main__ as bench
from codec_bench import clips, coders, libopus, table
from codec_bench.clips import Clip
from codec_bench.coders import Coder
from codec_bench.table import Judged
from codec_bench.words import word_errors, words
from lapel_codec.recordings import BadRecording
from tests.host.codec.sounds import unlike, voice_like, wav
from voices import effects, flite

SECOND = 32_000


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("show the newest files", "show the newest files", 0),
        ("show the newest files", "", 4),
        ("", "so", 1),
        ("show the newest files", "so the new best files", 3),
        ("a b c d", "b c d a", 2),
    ],
)
def test_word_errors_are_the_least_changes(said: str, heard: str, errors: int) -> None:
    assert word_errors(said.split(), heard.split()) == errors == word_errors(heard.split(), said.split())
    assert words("How much's left? 10%!") == ["how", "much's", "left", "10"]


def test_stretches_are_of_one_speaker_and_long_enough() -> None:
    spoken = [Clip(who, str(n), None, bytes(3 * SECOND)) for n in range(8) for who in ("a", "b")]
    spoken.append(Clip("c", "short", None, bytes(SECOND)))
    groups = clips.stretches(spoken)
    assert sorted(one for group in groups for one in group) == list(range(len(spoken)))
    for group in groups:
        [who] = {spoken[one].speaker for one in group}
        assert who == "c" or sum(spoken[one].seconds for one in group) >= clips.PIECE_S


def test_recordings_of_the_users_come_in_pieces_with_their_text(tmp_path: Path) -> None:
    with pytest.raises(BadRecording, match="there is no WAV file in it"):
        list(clips.recorded(tmp_path))
    wav(tmp_path / "long.WAV", bytes(17 * SECOND))
    wav(tmp_path / "told.wav", bytes(9 * SECOND))
    (tmp_path / "told.txt").write_text("What was said.\n")
    found = list(clips.recorded(tmp_path))
    assert [(clip.name, clip.text, clip.seconds) for clip in found] == [
        ("long.WAV+0s", None, 8.0), ("long.WAV+8s", None, 8.0), ("long.WAV+16s", None, 1.0),
        ("told.wav", "What was said.\n", 9.0),
    ]  # fmt: skip


@pytest.mark.skipif(not flite.available(), reason="flite is not there; `make tools` brings it")
def test_the_spoken_set_is_always_the_same_and_of_every_voice() -> None:
    found = list(clips.spoken(2))
    assert [clip.speaker for clip in found] == [*flite.VOICES, *flite.VOICES]
    assert len({clip.text for clip in found}) == len(found)
    assert [clip.pcm for clip in clips.spoken(1)] == [clip.pcm for clip in found[: len(flite.VOICES)]]


@pytest.mark.skipif(libopus.missing() is not None, reason=str(libopus.missing()))
def test_every_codec_gives_back_as_much_as_it_got_and_in_step() -> None:
    spoken = [voice_like(0.505)[:-2], voice_like(0.3, seed=2)]
    for coder in coders.all_of((32,), ("constant", "variable"), ours=False):
        for clip, coded in zip(spoken, coders.code(coder, spoken), strict=True):
            assert len(coded.pcm) == len(clip) and unlike(clip, coded.pcm) < 0.5
            # the same sound half a millisecond later is another
            assert unlike(clip[16:], coded.pcm[:-16]) > unlike(clip, coded.pcm)
    rows = coders.all_of((16, 24), ("constant",), ours=True)
    assert [row.name for row in rows] == [
        "raw", "adpcm", "ours 16 kbit/s constant", "libopus 0 16 kbit/s constant", "libopus 5 16 kbit/s constant",
        "ours 24 kbit/s constant", "libopus 0 24 kbit/s constant", "libopus 5 24 kbit/s constant",
    ]  # fmt: skip


def judged(who: str, pesq: float, heard: str, size: int = 100, kbps: int = 24) -> Judged:
    mode = "" if who == "raw" else "constant"
    return Judged(Coder(who, kbps, mode), size, 1.0, (pesq, pesq + 0.5), (3.0,), (tuple(heard.split()), ("x",)))


def test_the_table_says_what_is_better_and_what_was_aimed_at() -> None:
    said = [Clip("a", "1", "one two three four", b""), Clip("a", "2", None, b"")]
    rows = table.rows(
        [
            judged("raw", 0, "one two three for", kbps=256),
            judged("ours", 2.95, "one two three for"),
            judged("libopus 0", 3.0, "one"),
        ],
        said,
        {"ours 24 kbit/s constant": 900_000},
    )
    assert rows[0].words_unlike_raw_percent is None and rows[0].words_wrong_percent == 25.0
    assert (rows[2].words_wrong_percent, rows[2].words_unlike_raw_percent) == (75.0, 60.0)
    assert rows[0].words_more is None and rows[2].words_more == table.Points(50.0, 50.0)
    assert (rows[1].pesq, rows[1].pesq_worst, rows[1].kbps) == (3.2, 2.95, 0.8)
    text = table.printed(rows)
    assert "900000" in text and "75.0 %" in text and len({len(line) for line in text.split("\n") if line}) == 1
    assert [met for met, _ in table.aims(rows)] == [True, True]
    worse = table.rows(
        [judged("raw", 0, "one two three four", kbps=256), judged("ours", 2.5, "one"), judged("libopus 0", 3.0, "one")],
        said,
        {},
    )
    assert [met for met, _ in table.aims(worse)] == [False, False]
    # with more bytes there is nothing to be proud of
    dearer = table.rows(
        [judged("raw", 0, "", kbps=256), judged("ours", 4.5, "", size=110), judged("libopus 0", 3.0, "")], said, {}
    )
    assert not any("PESQ" in said for _, said in table.aims(dearer))
    assert json.loads(json.dumps(table.as_json(rows, said, {})))["rows"][1]["cycles"] == 900_000


def test_without_a_compiler_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert bench.main(["--each", "1"]) == 1
    said = capsys.readouterr().err
    assert "there is no C compiler here" in said and "build-essential" in said


def test_distances_are_none_for_the_same_and_grow_with_noise() -> None:
    pytest.importorskip("numpy", reason="`make bench-codec` installs numpy")
    from codec_bench import measures

    sound = voice_like(2.0)
    [noisy] = [coded.pcm for coded in coders.code(Coder("adpcm", 64, ""), [sound])]
    assert measures.log_spectral_distance_db(sound, sound) == 0.0
    found = measures.log_spectral_distance_db(sound, noisy)
    assert found is not None and 0.5 < found < 30.0
    # half as loud is 6 dB everywhere
    hiss = effects.white(1.0, 3000.0)
    softer = array("h", [x // 2 for x in array("h", hiss)]).tobytes()
    found = measures.log_spectral_distance_db(hiss, softer)
    assert found is not None and 5.9 < found < 6.1
    assert measures.log_spectral_distance_db(bytes(SECOND), sound[:SECOND]) is None
    assert measures.log_spectral_distance_db(b"", b"") is None
