"""faster-whisper: dictation on this computer, good enough to be acted on. An extra:
.venv/bin/pip install -e '.[whisper]'

The model is the user's to fetch, once and knowingly: `python -m lapel_companion.speech.whisper MODEL`. The recogniser
itself never downloads anything.
"""

from __future__ import annotations

import io
import math
import sys
import threading
from collections.abc import Sequence
from typing import Any

from lapel_companion.speech import sound, wav
from lapel_companion.speech.base import SpeechError, Transcript, names_in

DEFAULT_MODEL = "small.en"
# Several languages, for whoever does not speak English.
DEFAULT_MODEL_ANY = "small"
# A segment which the model itself takes for silence, and is not sure of.
_NO_SPEECH = 0.6
_UNSURE_LN = -1.0


class FasterWhisper:
    """`model` is a name (tiny.en, small, large-v3 ...) or a folder. Loaded at `warm_up` or at the first clip."""

    name = "faster-whisper"
    trusted = True

    def __init__(self, model: str | None = None, language: str = "en") -> None:
        english = language.partition("-")[0].lower() == "en"
        self.model = model or (DEFAULT_MODEL if english else DEFAULT_MODEL_ANY)
        self._lock = threading.Lock()
        self._loaded: Any = None

    def warm_up(self) -> None:
        """Loads the model. SpeechError when the extra or the model is not there, with the command that fetches it."""
        with self._lock:
            self._load()

    def check_phrase(self, phrase: str) -> str | None:
        """Free speech: every phrase can be heard."""
        return None

    def transcribe(self, pcm: bytes, language: str = "en", hints: Sequence[str] = ()) -> Transcript:
        """The text of `pcm`; confidence is the mean probability of its tokens. SpeechError as `warm_up`."""
        code = language.partition("-")[0].lower()
        if self.model.endswith(".en") and code != "en":
            raise SpeechError(
                f'the model {self.model} only knows English, not "{language}"; '
                f'set model = "{self.model.removesuffix(".en")}" under [speech].'
            )
        if sound.is_still(pcm):
            return Transcript("", no_speech=True, engine=self.name)
        with self._lock:
            self._load()
            try:
                found, _ = self._loaded.transcribe(
                    io.BytesIO(wav.packed(pcm)),
                    language=code,
                    vad_filter=True,
                    condition_on_previous_text=False,
                    hotwords=", ".join(names_in(hints)) or None,
                )
                segments = [part for part in found if not _is_silence(part)]
            except (RuntimeError, ValueError, OSError) as error:
                raise SpeechError(f"faster-whisper could not read this clip: {error}.") from error
        text = " ".join(str(part.text).strip() for part in segments).strip()
        if not text:
            return Transcript("", no_speech=True, engine=self.name)
        return Transcript(text, confidence=_confidence(segments), engine=self.name)

    def _load(self) -> None:
        if self._loaded is None:
            self._loaded = _open(self.model, local_only=True)


def _open(model: str, *, local_only: bool) -> Any:
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise SpeechError(
            "faster-whisper is not installed: .venv/bin/pip install -e '.[whisper]' in Lapel's folder, "
            "or choose another engine under [speech]."
        ) from error
    try:
        return WhisperModel(model, device="auto", compute_type="default", local_files_only=local_only)
    except (RuntimeError, ValueError, OSError) as error:
        if local_only:
            raise SpeechError(
                f"the speech model {model} is not on this computer, or not whole. Fetch it once: "
                f"{sys.executable} -m lapel_companion.speech.whisper {model}"
            ) from error
        raise SpeechError(f"the speech model {model} could not be fetched: {error}.") from error


def _is_silence(segment: Any) -> bool:
    return float(segment.no_speech_prob) > _NO_SPEECH and float(segment.avg_logprob) < _UNSURE_LN


def _confidence(segments: Sequence[Any]) -> float:
    seconds = [max(0.01, float(part.end) - float(part.start)) for part in segments]
    mean = sum(s * float(part.avg_logprob) for s, part in zip(seconds, segments, strict=True)) / sum(seconds)
    return round(min(1.0, math.exp(mean)), 3)


def main(argv: Sequence[str]) -> int:
    """Fetch the model that is named, and say so."""
    if len(argv) != 1 or argv[0].startswith("-"):
        print("usage: python -m lapel_companion.speech.whisper MODEL    (tiny.en, base.en, small.en, small, ...)")
        return 2
    print(
        f"Fetching the speech model {argv[0]} (tiny: 75 MB, base: 150 MB, small: 500 MB, large: 3 GB) ...", flush=True
    )
    try:
        _open(argv[0], local_only=False)
    except SpeechError as error:
        print(error, file=sys.stderr)
        return 1
    print(f'It is here. In the configuration: [speech] engine = "faster-whisper", model = "{argv[0]}"')
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
