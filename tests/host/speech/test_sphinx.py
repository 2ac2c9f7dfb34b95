"""The default recogniser with its real model, on the demo's recordings."""

from __future__ import annotations

import sys
import threading
import wave
from pathlib import Path
from typing import Any

import pytest

from lapel_companion import phrases, speech
from lapel_companion.speech.base import SpeechError, Transcript
from lapel_companion.speech.sphinx import PocketSphinx
from voices import effects
from voices.suite import Phrase

DEMO = Path(__file__).resolve().parents[3] / "tools" / "simulator" / "demo"
SAYS = (
    "how much disk space is left",
    "show the newest files",
    "make a note {text}",
    "remind me in {when} to {text}",
)


def recording(name: str) -> bytes:
    with wave.open(str(DEMO / f"{name}.wav")) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16_000, 1, 2)
        frames: bytes = wav.readframes(wav.getnframes())
        return frames


@pytest.fixture(scope="module")
def ears() -> PocketSphinx:
    made = PocketSphinx()
    made.warm_up()
    return made


def act(heard: Transcript) -> tuple[str, dict[str, str]] | None:
    found = phrases.match(heard, [Phrase(say) for say in SAYS], trusted=False)
    return None if found is None else (found.phrase.say, dict(found.slots))


@pytest.mark.parametrize("way", [bytes, effects.coded, lambda pcm: effects.louder(pcm, -20.0)])
@pytest.mark.parametrize(
    ("name", "does"),
    [
        ("disk_space", (SAYS[0], {})),
        ("newest_files", (SAYS[1], {})),
        ("note_milk", (SAYS[2], {"text": "to buy milk"})),
    ],
)
def test_the_demo_acts(ears: PocketSphinx, name: str, does: tuple[str, dict[str, str]], way: Any) -> None:
    assert act(ears.transcribe(way(recording(name)), "en", SAYS)) == does


def test_the_recordings_are_small() -> None:
    files = sorted(DEMO.glob("*.wav"))
    assert len(files) >= 6 and all(file.stat().st_size < 100_000 for file in files)


def test_other_sentences_do_not(ears: PocketSphinx) -> None:
    for name in ("unknown", "yes", "no"):
        heard = ears.transcribe(recording(name), "en", SAYS)
        assert heard.text and not heard.no_speech and heard.confirmed == () and act(heard) is None
        assert heard.confidence is None and heard.engine == "pocketsphinx"


def test_a_phrase_in_a_longer_sentence_does_not(ears: PocketSphinx) -> None:
    longer = recording("unknown") + recording("newest_files")
    assert act(ears.transcribe(longer, "en", SAYS)) is None
    assert act(ears.transcribe(recording("newest_files") + recording("unknown"), "en", SAYS)) is None


def test_half_a_phrase_does_not(ears: PocketSphinx) -> None:
    for part in (0.25, 0.5, 0.75):
        for name in ("disk_space", "newest_files"):
            assert act(ears.transcribe(effects.cut(recording(name), part), "en", SAYS)) is None


def test_without_hints_it_dictates(ears: PocketSphinx) -> None:
    heard = ears.transcribe(recording("note_milk"))
    assert heard.text == "make a note to buy milk" and heard.confirmed == ()
    assert heard.text not in heard.alternatives and len(heard.alternatives) > 3


def test_the_same_sound_gives_the_same_text_whatever_came_before(ears: PocketSphinx) -> None:
    pcm = recording("newest_files")
    first = ears.transcribe(pcm, "en", SAYS)
    ears.transcribe(effects.noisy(recording("unknown"), 3.0), "en", SAYS)
    assert ears.transcribe(pcm, "en", SAYS) == first
    fresh = PocketSphinx()
    assert fresh.transcribe(pcm, "en", SAYS) == first


def test_several_threads_may_ask(ears: PocketSphinx) -> None:
    heard: dict[str, Transcript] = {}

    def ask(name: str) -> None:
        heard[name] = ears.transcribe(recording(name), "en", SAYS)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("disk_space", "note_milk", "yes")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: act(one) is not None for name, one in heard.items()} == {
        "disk_space": True, "note_milk": True, "yes": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "pcm",
    [b"", bytes(31), bytes(64_000), effects.white(2.0, 2000.0), effects.hum(2.0, 4000.0)],
    ids=["nothing", "odd", "silence", "hiss", "hum"],
)
def test_no_speech(ears: PocketSphinx, pcm: bytes) -> None:
    heard = ears.transcribe(pcm, "en", SAYS)
    assert heard.no_speech and heard.text == "" and act(heard) is None


def test_phrases_it_cannot_hear(ears: PocketSphinx) -> None:
    assert ears.check_phrase("make a note {text}") is None
    assert '"kubectl"' in str(ears.check_phrase("restart kubectl now"))
    for short in ("go", "{text} do", "stop"):
        assert "longer phrase" in str(ears.check_phrase(short))
    # A phrase that cannot be heard is in nobody's way.
    assert act(ears.transcribe(recording("note_milk"), "en", [*SAYS, "restart kubectl now", "go", "{text}"]))


def test_twenty_seconds_and_more_are_only_dictated(ears: PocketSphinx) -> None:
    pcm = recording("note_milk")
    long = pcm * (21 * 32_000 // len(pcm) + 1)
    heard = ears.transcribe(long, "en", SAYS)
    assert heard.confirmed == () and heard.alternatives == () and len(heard.text.split()) > 40


def test_other_languages(ears: PocketSphinx) -> None:
    with pytest.raises(SpeechError, match='only has a model for English, not for "de"'):
        ears.transcribe(recording("yes"), "de")


def test_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(SpeechError, match="not installed: pip install pocketsphinx"):
        PocketSphinx().warm_up()


def test_its_model_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import pocketsphinx

    monkeypatch.setattr(pocketsphinx, "get_model_path", lambda _=None: str(tmp_path))
    with pytest.raises(SpeechError, match=r"cannot load its model from .*force-reinstall"):
        PocketSphinx().warm_up()


def test_make_builds_it() -> None:
    class Settings:
        engine, language, model, url, api_key_env, timeout_s = "pocketsphinx", "en", None, None, None, 5.0

    made = speech.make(Settings())
    assert isinstance(made, PocketSphinx) and not made.trusted
