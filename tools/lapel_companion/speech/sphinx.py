"""pocketsphinx: speech recognition that needs no account and no download, and hears badly.

Its text is never trusted. Open dictation comes first; a phrase of the user's is confirmed only when dictation agrees
and the sound does not speak against it. The rule and its figures stand in README.md beside this file.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapel_companion import matching, words
from lapel_companion.matching import Slot
from lapel_companion.speech import sound
from lapel_companion.speech.agree import Agreement, Target
from lapel_companion.speech.base import SAMPLE_RATE_HZ, SpeechError, Transcript
from lapel_companion.speech.confirm import Confirmer, Piece, spoken, worst_stretch
from lapel_companion.speech.lexicon import Lexicon

# The open reading may differ from a phrase by this part of its phones, one of its alternatives by this part; and no
# word that carries meaning by more than this part of its own.
FAR = 0.42
NEAR = 0.20
WORD = 0.55
# Natural log units by which dictation's reading may fit one stretch of the sound better than the phrase does.
RATIO_LN = 32.0
# Natural log units by which a phrase must fit better than another phrase that agrees, too.
APART_LN = 20.0
# The language model weighs less than this recogniser's usual 6.5, 8.5 and 9.5: other sentences than newspapers'.
_WEIGHTS = {"lw": 5.0, "fwdflatlw": 6.5, "bestpathlw": 7.5}
READINGS = 20
_MOST_HYPOTHESES = 150
# Phrases are short. Longer clips are dictated only, and alternatives are not sought.
LONGEST_PHRASE_S = 20.0
_VARIANT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True)
class Candidate:
    """A phrase that a reading agrees with, and how both fit the sound; ratio is None when it was not laid over it."""

    target: Target
    agreement: Agreement
    pieces: tuple[Piece, ...] = ()
    ratio: float | None = None
    rival: tuple[str, ...] = ()


class PocketSphinx:
    """The default recogniser. Loading takes about half a second, at `warm_up` or at the first clip."""

    name = "pocketsphinx"
    trusted = False

    def __init__(self, ratio_ln: float = RATIO_LN) -> None:
        self._lock = threading.Lock()
        self._ratio_ln = ratio_ln
        self._dictation: Any = None
        self._confirmer: Confirmer | None = None
        self._lexicon: Lexicon | None = None
        self._vad: Any = None
        self._targets: dict[str, Target] = {}

    def warm_up(self) -> None:
        """Loads the models. SpeechError when pocketsphinx is not installed or its model is not where it should be."""
        with self._lock:
            self._load()

    def check_phrase(self, phrase: str) -> str | None:
        """None when `phrase` can be heard, else a sentence that says why not. Loads the models. SpeechError as above."""
        with self._lock:
            self._load()
            target = self._target(phrase)
        if target.missing:
            named = ", ".join(f'"{word}"' for word in target.missing)
            return f"pocketsphinx does not know the word {named}; say it in other words, or use another engine."
        if not target.runs or not _long_enough(target):
            return "pocketsphinx needs a longer phrase to tell it from others: three syllables at least."
        return None

    def transcribe(self, pcm: bytes, language: str = "en", hints: Sequence[str] = ()) -> Transcript:
        """Open dictation of `pcm`, and in `confirmed` the one of `hints` it says, with its slots filled."""
        if language.partition("-")[0].lower() != "en":
            raise SpeechError(
                f'pocketsphinx only has a model for English, not for "{language}"; set language = "en", '
                'or engine = "faster-whisper" or "openai" for other languages.'
            )
        with self._lock:
            self._load()
            heard = sound.examine(pcm, self._vad.is_speech)
            if not heard.pcm:
                return Transcript("", no_speech=True, engine=self.name)
            readings = self._dictate(heard.pcm)
            if not readings:
                return Transcript("", no_speech=True, engine=self.name)
            confirmed = self._confirm(heard, readings, hints)
        texts = [" ".join(reading) for reading in readings]
        return Transcript(texts[0], tuple(texts[1:]), engine=self.name, confirmed=confirmed)

    def _load(self) -> None:
        if self._dictation is not None:
            return
        try:
            import pocketsphinx
        except ImportError as error:
            raise SpeechError(
                "pocketsphinx is not installed: pip install pocketsphinx, or choose another engine under [speech]."
            ) from error
        model = Path(pocketsphinx.get_model_path("en-us"))
        dictionary = model / "cmudict-en-us.dict"
        acoustics = {"hmm": str(model / "en-us"), "loglevel": "FATAL"}
        try:
            dictation = pocketsphinx.Decoder(
                lm=str(model / "en-us.lm.bin"), dict=str(dictionary), **acoustics, **_WEIGHTS
            )
            # Every senone is scored, so that scores of different readings can be compared.
            small = pocketsphinx.Decoder(lm=None, dict=None, compallsen=True, bestpath=False, **acoustics)
        except (RuntimeError, ValueError, OSError) as error:
            raise SpeechError(
                f"pocketsphinx cannot load its model from {model}: {error}. Install it again: "
                "pip install --force-reinstall pocketsphinx"
            ) from error
        model_of_words = dictation.get_lm()
        self._lexicon = Lexicon(dictionary, dictation.lookup_word, lambda word: model_of_words.prob([word]) / 10_000)
        self._confirmer = Confirmer(small, self._lexicon, _decode)
        self._vad = pocketsphinx.Vad(2, SAMPLE_RATE_HZ, sound.FRAME_MS / 1000)
        self._dictation = dictation

    def _target(self, say: str) -> Target:
        assert self._lexicon is not None
        if say not in self._targets:
            # The user's phrases change seldom; when they do, the old ones go.
            if len(self._targets) >= 1024:
                self._targets.clear()
            parts = [part if isinstance(part, Slot) else part for part in matching.pattern(say)]
            self._targets[say] = Target(say, parts, self._lexicon.sounds)
        return self._targets[say]

    def _dictate(self, pcm: bytes) -> list[list[str]]:
        """Readings, best first, as plain words."""
        decoder = self._dictation
        _decode(decoder, pcm, None)
        best = decoder.hyp()
        if best is None or not best.hypstr:
            return []
        readings = [best.hypstr]
        if len(pcm) <= LONGEST_PHRASE_S * SAMPLE_RATE_HZ * 2:
            for number, other in enumerate(decoder.nbest()):
                if number >= _MOST_HYPOTHESES or len(readings) > READINGS:
                    break
                if other.hypstr and other.hypstr not in readings:
                    readings.append(other.hypstr)
        plain = [[_VARIANT.sub("", word) for word in reading.split()] for reading in readings]
        return [reading for number, reading in enumerate(plain) if reading not in plain[:number]]

    def _confirm(self, heard: sound.Sound, readings: list[list[str]], hints: Sequence[str]) -> tuple[str, ...]:
        if heard.cut_off or len(heard.pcm) > LONGEST_PHRASE_S * SAMPLE_RATE_HZ * 2:
            return ()
        laid = [self.look(heard.pcm, readings, candidate) for candidate in self.candidates(readings, hints)]
        good = [one for one in laid if one.ratio is not None and one.ratio <= self._ratio_ln]
        good.sort(key=lambda one: -sum(piece.fit for piece in one.pieces))
        if not good:
            return ()
        best = good[0]
        for other in good[1:]:
            same = other.agreement.filled == best.agreement.filled
            if not same and _total(best) - _total(other) < APART_LN:
                return ()
        return (" ".join(best.agreement.filled),)

    def candidates(self, readings: list[list[str]], hints: Sequence[str]) -> list[Candidate]:
        """The hints that dictation agrees with."""
        found: list[Candidate] = []
        for hint in dict.fromkeys(hints):
            target = self._target(hint)
            if target.missing or not _long_enough(target):
                continue
            first = target.agreement(readings[0], FAR)
            if first is None:
                continue
            agreed = [first, *(target.agreement(reading, NEAR) for reading in readings[1:])]
            near = [one for one in agreed if one is not None and one.distance <= NEAR and one.worst <= WORD]
            if near:
                found.append(Candidate(target, min(near, key=lambda one: (one.distance, one.worst))))
        return found

    def look(self, pcm: bytes, readings: list[list[str]], candidate: Candidate) -> Candidate:
        """The candidate with its ratio: against the first reading, and against words that sound nearly like its own."""
        assert self._confirmer is not None and self._lexicon is not None
        line = candidate.agreement.filled
        pieces = self._confirmer.lay(pcm, line)
        if not pieces:
            return candidate
        ratio, rival = 0.0, line
        if tuple(readings[0]) != line:
            open_pieces = self._confirmer.lay(pcm, readings[0])
            ratio, rival = worst_stretch(pieces, open_pieces), tuple(readings[0])
        return Candidate(candidate.target, candidate.agreement, tuple(pieces), ratio, rival)


def _total(candidate: Candidate) -> float:
    return sum(piece.fit for piece in candidate.pieces)


def _long_enough(target: Target) -> bool:
    return target.weight >= 6.0


def _decode(decoder: Any, pcm: bytes, search: str | None) -> None:
    """One utterance from a clean start: nothing of an earlier one is left, so the same sound gives the same result."""
    with warnings.catch_warnings():
        # It is the only call that forgets the noise of the clip before.
        warnings.simplefilter("ignore", DeprecationWarning)
        decoder.start_stream()
    decoder.activate_search(search)
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
