"""faster-whisper behind its interface; the library itself is an extra, so a stand-in takes its place."""

from __future__ import annotations

import io
import sys
import types
import wave
from typing import Any, ClassVar

import pytest

from lapel_companion import speech
from lapel_companion.speech import whisper
from lapel_companion.speech.base import SpeechError
from lapel_companion.speech.whisper import FasterWhisper
from voices import effects

VOICE = bytes(16_000) + effects.hum(0.5, 6000.0, 180.0) + bytes(16_000)


class Segment:
    def __init__(self, text: str, avg_logprob: float = -0.2, no_speech_prob: float = 0.0) -> None:
        self.text, self.avg_logprob, self.no_speech_prob = text, avg_logprob, no_speech_prob
        self.start, self.end = 0.0, 1.0


class WhisperModel:
    """The part of faster_whisper.WhisperModel that is used; models that are on this computer are in `here`."""

    here: ClassVar[set[str]] = {"small.en", "small"}
    says: ClassVar[list[Segment]] = []
    asked: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, model: str, *, device: str, compute_type: str, local_files_only: bool) -> None:
        if model == "nonsense":
            raise ValueError("Invalid model size 'nonsense'")
        if model not in self.here:
            if local_files_only:
                raise FileNotFoundError("Cannot find an appropriate cached snapshot folder")
            self.here.add(model)

    def transcribe(self, audio: io.BytesIO, **given: Any) -> tuple[Any, None]:
        with wave.open(audio) as wav:
            assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (16_000, 1, 2)
            assert wav.readframes(wav.getnframes()) == VOICE
        self.asked.append(given)
        return iter(self.says), None


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("faster_whisper")
    module.WhisperModel = WhisperModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    monkeypatch.setattr(WhisperModel, "here", {"small.en", "small"})
    monkeypatch.setattr(WhisperModel, "asked", [])
    monkeypatch.setattr(WhisperModel, "says", [Segment(" Make a note"), Segment(" to buy milk.")])


def test_text_and_confidence() -> None:
    recogniser = FasterWhisper()
    recogniser.warm_up()
    heard = recogniser.transcribe(VOICE, "en-GB", ["Lapel", "show the newest files", "note {text}"])
    assert (heard.text, heard.confidence, heard.engine) == ("Make a note to buy milk.", 0.819, "faster-whisper")
    assert recogniser.trusted and recogniser.check_phrase("zyzzyva") is None
    [given] = WhisperModel.asked
    assert given["language"] == "en" and given["hotwords"] == "Lapel"


def test_what_the_model_takes_for_silence_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WhisperModel, "says", [Segment(" Thank you.", -1.4, 0.9)])
    assert FasterWhisper().transcribe(VOICE).no_speech
    assert FasterWhisper().transcribe(bytes(64_000)).no_speech
    assert len(WhisperModel.asked) == 1


def test_the_library_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(SpeechError, match=r"not installed: \.venv/bin/pip install -e '\.\[whisper\]'"):
        FasterWhisper().warm_up()


def test_a_missing_model_is_never_fetched_on_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    for act in (FasterWhisper("tiny.en").warm_up, lambda: FasterWhisper("tiny.en").transcribe(VOICE)):
        with pytest.raises(SpeechError, match=r"Fetch it once: .* -m lapel_companion.speech.whisper tiny.en"):
            act()
    assert "tiny.en" not in WhisperModel.here
    assert whisper.main(["tiny.en"]) == 0
    assert "Fetching the speech model tiny.en" in capsys.readouterr().out
    FasterWhisper("tiny.en").warm_up()


def test_the_fetching_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert whisper.main([]) == 2 and "usage" in capsys.readouterr().out
    assert whisper.main(["nonsense"]) == 1 and "Invalid model size" in capsys.readouterr().err


def test_languages() -> None:
    assert FasterWhisper(None, "de").model == "small"
    with pytest.raises(SpeechError, match='only knows English, not "de"; set model = "small"'):
        FasterWhisper("small.en").transcribe(VOICE, "de")


def test_make_builds_it() -> None:
    class Settings:
        engine, language, model, url, api_key_env, timeout_s = "faster-whisper", "de", None, None, None, 5.0

    made = speech.make(Settings())
    assert isinstance(made, FasterWhisper) and made.model == "small"
