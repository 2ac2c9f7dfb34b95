"""One codec over all clips: coded, measured, heard by the recogniser."""

from __future__ import annotations

from collections.abc import Sequence

from codec_bench import coders, measures, words
from codec_bench.clips import Clip
from codec_bench.coders import Coder
from codec_bench.table import Judged
from lapel_companion.speech.sphinx import PocketSphinx


class _Worker:
    """One process's recogniser, made at its first clip."""

    recogniser: PocketSphinx | None = None


def judge(job: tuple[Coder, Sequence[Clip], Sequence[Sequence[int]], bool]) -> Judged:
    """A row of the table: (coder, clips, stretches of them, whether the recogniser is asked)."""
    coder, clips, groups, asked = job
    coded = coders.code(coder, [clip.pcm for clip in clips])
    pesq: list[float | None] = []
    distances: list[float | None] = []
    if coder.who != "raw":
        for group in groups:
            before = b"".join(clips[one].pcm for one in group)
            after = b"".join(coded[one].pcm for one in group)
            pesq.append(measures.pesq_wideband(before, after))
            distances.append(measures.log_spectral_distance_db(before, after))
    return Judged(
        coder,
        sum(one.coded_bytes for one in coded),
        sum(clip.seconds for clip in clips),
        tuple(one for one in pesq if one is not None),
        tuple(one for one in distances if one is not None),
        tuple(_words(one.pcm) for one in coded) if asked else (),
    )


def _words(pcm: bytes) -> tuple[str, ...]:
    """By the companion's default recogniser, in open dictation: no phrase helps it."""
    if _Worker.recogniser is None:
        _Worker.recogniser = PocketSphinx()
    return tuple(words.words(_Worker.recogniser.transcribe(pcm).text))
