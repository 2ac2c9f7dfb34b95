"""The suite's own parts: lists, effects, tables."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from voices import demo, effects, flite, sentences, suite, trials
from voices.sentences import OTHER, SAID, ListError
from voices.suite import Result
from voices.trials import Trial


def test_the_lists_are_in_order() -> None:
    for name in suite.LISTS:
        lists = sentences.load(name)
        texts = [one.text for one in lists.sentences]
        assert len(texts) == len(set(texts))
        assert {one.phrase for one in lists.of(SAID)} == set(lists.phrases)
        for one in lists.of(OTHER):
            assert one.text not in lists.phrases
    shared = {one.text for one in sentences.load("tuning").of(OTHER)}
    assert not shared & {one.text for one in sentences.load("heldout").of(OTHER)}


@pytest.mark.parametrize("line", ["+ said without a phrase", "phrase", "? what", "other +"])
def test_a_broken_list_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "x.txt").write_text(f"# list\n{line}\n")
    with pytest.raises(ListError, match=r"x\.txt, line 2"):
        sentences.load("x", tmp_path)


def test_every_phrase_is_said_by_every_voice() -> None:
    lists = sentences.load("tuning")
    tried = list(trials.of_sentences(lists, flite.VOICES))
    for one in lists.of(SAID):
        assert {t.voice for t in tried if t.text == one.text and t.effect == "plain"} == set(flite.VOICES)
    voices = [t.voice for t in tried if t.text == lists.of(OTHER)[0].text]
    assert len(set(voices)) == 2


def test_effects_keep_the_length_and_repeat_themselves() -> None:
    pcm = effects.hum(0.3, 3000.0, 200.0)
    for name, effect in effects.EFFECTS.items():
        once = effect(pcm)
        assert abs(len(once) - len(pcm)) <= 4 and once == effect(pcm), name
    assert effects.level(effects.white(1.0, 500.0)) == pytest.approx(500.0, rel=0.03)
    assert effects.level(effects.hum(1.0, 500.0)) == pytest.approx(500.0, rel=0.03)
    assert effects.level(effects.louder(pcm, -6.0)) == pytest.approx(effects.level(pcm) / 2, rel=0.01)
    assert max(array("h", effects.louder(pcm, 40.0))) == 32_767
    assert len(effects.cut(pcm, 0.5)) == len(pcm) // 2


def test_trimming_leaves_the_speech_and_its_margins() -> None:
    quiet, loud = bytes(32_000), effects.hum(0.5, 4000.0)
    kept = demo.trim(quiet + loud + quiet)
    assert abs(len(kept) - len(loud) - 2 * 2 * 16 * demo.MARGIN_MS) < 200
    assert len(demo.trim(loud)) >= len(loud)
    assert demo.trim(quiet) == quiet


def test_flite_is_looked_for_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    flite.find.cache_clear()
    monkeypatch.setenv("LAPEL_FLITE", "/nowhere/flite")
    assert not flite.available()
    with pytest.raises(flite.VoiceError, match="/nowhere/flite, which is not a program"):
        flite.find()
    assert suite.main(["--every", "500"]) == 2
    flite.find.cache_clear()


def test_what_counts_as_wrong() -> None:
    said = Trial("x", SAID, "show it", "rms", expected="show it")
    other = Trial("x", OTHER, "hide it", "rms")
    assert Result(said, "show it", False, "show it", 0.1).right
    assert not Result(said, "show it", False, None, 0.1).wrong
    assert Result(said, "show it", False, "hide it", 0.1).wrong
    assert Result(other, "show it", False, "show it", 0.1).wrong
    assert not Result(other, "hide it", False, None, 0.1).wrong
