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

from lapel_companion import matching
from lapel_companion.speech import sound
from lapel_companion.speech.agree import Agreement, Target
from lapel_companion.speech.base import SAMPLE_RATE_HZ, SpeechError, Transcript
from lapel_companion.speech.confirm import Confirmer, worst_stretch
from lapel_companion.speech.lexicon import Lexicon

# Dictation agrees with a phrase when its reading differs by at most FAR of the phrase's phones (FAR_OPEN when it has a
# slot, which would make something of any words), and that reading or one of its alternatives by at most NEAR, no word
# that carries meaning by more than WORD of its own.
FAR = 0.50
FAR_OPEN = 0.25
NEAR = 0.20
WORD = 0.55
# Natural log units by which dictation's reading may fit any one stretch of the sound better than the phrase does; the
# same for a phrase with a slot; and where dictation heard a wholly other word.
RATIO_LN = 32.0
RATIO_OPEN_LN = 24.0
RATIO_OTHER_WORD_LN = 16.0
OTHER_WORD = 0.70
# Natural log units by which a phrase must fit better than another phrase that agrees, too.
APART_LN = 20.0
# The language model weighs less than this recogniser's usual 6.5, 8.5 and 9.5: other sentences than newspapers'.
# And a frame of 10 ms has bounded work: the rest of the model's 30000 states never changed a reading.
_WEIGHTS = {"lw": 5.0, "fwdflatlw": 6.5, "bestpathlw": 7.5, "maxhmmpf": 4000}
READINGS = 20
_MOST_HYPOTHESES = 150
# Phrases are short. Longer clips are dictated only, and alternatives are not sought.
LONGEST_PHRASE_S = 20.0
_VARIANT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True)
class Candidate:
    """A phrase that dictation agrees with. lines: ways to fill its slots, the likelier first. limit: how much better
    dictation's reading may fit the sound where that is most, as a logarithm."""

    hint: str
    lines: tuple[tuple[str, ...], ...]
    limit: float


@dataclass(frozen=True)
class Confirmed:
    """A candidate that the sound does not speak against, its slots filled. fit: log likelihood over the sound."""

    hint: str
    line: tuple[str, ...]
    fit: float


class PocketSphinx:
    """The default recogniser. Loading takes about half a second, at `warm_up` or at the first clip."""

    name = "pocketsphinx"
    trusted = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
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
        """None when `phrase` can be heard, else a sentence that says why not. SpeechError as `warm_up`."""
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
        # What was confirmed is the best reading there is; what dictation alone made of it comes next.
        texts = list(dict.fromkeys([*confirmed, *(" ".join(reading) for reading in readings)]))
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
        self._lexicon = Lexicon(dictation.lookup_word)
        self._confirmer = Confirmer(small, self._lexicon, _decode)
        self._vad = pocketsphinx.Vad(2, SAMPLE_RATE_HZ, sound.FRAME_MS / 1000)
        self._dictation = dictation

    def _target(self, say: str) -> Target:
        assert self._lexicon is not None
        if say not in self._targets:
            # The user's phrases change seldom; when they do, the old ones go.
            if len(self._targets) >= 1024:
                self._targets.clear()
            self._targets[say] = Target(say, matching.pattern(say), self._lexicon.sounds)
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
                # The last ones of a small lattice are none.
                if other is not None and other.hypstr and other.hypstr not in readings:
                    readings.append(other.hypstr)
        plain = [[_VARIANT.sub("", word) for word in reading.split()] for reading in readings]
        return [reading for number, reading in enumerate(plain) if reading not in plain[:number]]

    def _confirm(self, heard: sound.Sound, readings: list[list[str]], hints: Sequence[str]) -> tuple[str, ...]:
        if heard.cut_off or len(heard.pcm) > LONGEST_PHRASE_S * SAMPLE_RATE_HZ * 2:
            return ()
        found = [self._weigh(heard.pcm, readings[0], one) for one in self._candidates(readings, hints)]
        good = sorted((one for one in found if one), key=lambda one: -one.fit)
        # Two phrases that the sound does not tell apart: neither.
        for other in good[1:]:
            if other.line != good[0].line and good[0].fit - other.fit < APART_LN:
                return ()
        return (" ".join(good[0].line),) if good else ()

    def _candidates(self, readings: list[list[str]], hints: Sequence[str]) -> list[Candidate]:
        """The hints that dictation agrees with."""
        found: list[Candidate] = []
        for hint in dict.fromkeys(hints):
            target = self._target(hint)
            if target.missing or not _long_enough(target):
                continue
            first = target.agreement(readings[0], FAR_OPEN if target.open else FAR)
            if first is None or first.turned:
                continue
            others = [target.agreement(reading, NEAR) for reading in readings[1:]]
            near = [one for one in (first, *others) if one and _is_near(one)]
            if near:
                nearest = min(near, key=lambda one: (one.distance, one.worst))
                limit = RATIO_OPEN_LN if target.open else RATIO_LN
                limit = limit if first.worst <= OTHER_WORD else RATIO_OTHER_WORD_LN
                lines = tuple(dict.fromkeys((first.filled, nearest.filled)))
                found.append(Candidate(hint, lines, limit))
        return found

    def _weigh(self, pcm: bytes, reading: Sequence[str], candidate: Candidate) -> Confirmed | None:
        """The first line of `candidate` that the sound does not speak against, compared with `reading`."""
        assert self._confirmer is not None
        rival = self._confirmer.lay(pcm, reading)
        for line in candidate.lines:
            pieces = self._confirmer.lay(pcm, line)
            # What dictation read must fit, or there is nothing to compare with.
            if pieces and rival and worst_stretch(pieces, rival) <= candidate.limit:
                return Confirmed(candidate.hint, line, sum(piece.fit for piece in pieces))
        return None


def _is_near(agreement: Agreement) -> bool:
    return agreement.distance <= NEAR and agreement.worst <= WORD and not agreement.turned


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
