"""What was found, as a table for people, as JSON for programs, and against what we aim at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from codec_bench.clips import Clip
from codec_bench.coders import Coder
from codec_bench.words import word_errors, words

# As good as libopus at its least effort, but for so much of PESQ's scale; and at this rate no more words lost than so
# many points.
PESQ_LESS = 0.10
WORDS_KBPS, WORDS_POINTS = 24, 1.0
_HEAD = ("", "PESQ wb", "worst", "distance dB", "words wrong", "than raw", "unlike raw", "bytes", "kbit/s", "cycles")
_WIDTHS = (30, 9, 8, 13, 13, 12, 12, 10, 9, 14)


@dataclass(frozen=True)
class Judged:
    """pesq and distance_db: of each stretch that has speech; heard: the recogniser's words of each clip, or none when
    it was not asked."""

    coder: Coder
    coded_bytes: int
    seconds: float
    pesq: tuple[float, ...]
    distance_db: tuple[float, ...]
    heard: tuple[tuple[str, ...], ...]

    @property
    def kbps(self) -> float:
        return 8 * self.coded_bytes / 1000 / self.seconds


@dataclass(frozen=True)
class Points:
    """Percent of the words that went wrong and did not in raw PCM, less those the other way round. spread: what it
    would vary by with other lines, one standard deviation: a recogniser stumbles over any change of the sound."""

    more: float
    spread: float


@dataclass(frozen=True)
class Row:
    """Of one coder: means over stretches, percent of words, cycles of a 20 ms frame; None: not known."""

    name: str
    who: str
    kbps_asked: int
    mode: str
    pesq: float | None
    pesq_worst: float | None
    distance_db: float | None
    words_wrong_percent: float | None
    words_more: Points | None
    words_unlike_raw_percent: float | None
    coded_bytes: int
    kbps: float
    cycles: int | None


def rows(judged: Sequence[Judged], clips: Sequence[Clip], cycles: Mapping[str, int]) -> list[Row]:
    """`cycles`: of a frame, by Coder.name."""
    raw = next(one.heard for one in judged if one.coder.who == "raw")
    return [_row(one, clips, raw, cycles.get(one.coder.name)) for one in judged]


def _row(one: Judged, clips: Sequence[Clip], raw: Sequence[Sequence[str]], cycles: int | None) -> Row:
    said = [words(clip.text) if clip.text is not None else None for clip in clips]
    with_text = [(text, heard) for text, heard in zip(said, one.heard, strict=False) if text is not None]
    return Row(
        one.coder.name,
        one.coder.who,
        one.coder.kbps,
        one.coder.mode,
        _mean(one.pesq),
        min(one.pesq, default=None),
        _mean(one.distance_db),
        _wrong_percent(with_text),
        None if one.coder.who == "raw" else _more(said, raw, one.heard),
        None if one.coder.who == "raw" else _wrong_percent(list(zip(raw, one.heard, strict=False))),
        one.coded_bytes,
        one.kbps,
        cycles,
    )


def printed(found: Sequence[Row]) -> str:
    """The table; a line between groups of the same rate."""
    lines = [_line(_HEAD)]
    before: tuple[str, int] | None = None
    for row in found:
        group = (row.mode, row.kbps_asked if row.mode else 0)
        if before is not None and group != before:
            lines.append("")
        before = group
        cells = (
            row.name, _told(row.pesq, 2), _told(row.pesq_worst, 2), _told(row.distance_db, 2),
            _told(row.words_wrong_percent, 1, " %"), _points(row.words_more),
            _told(row.words_unlike_raw_percent, 1, " %"),
            str(row.coded_bytes), f"{row.kbps:.1f}", _told(row.cycles, 0),
        )  # fmt: skip
        lines.append(_line(cells))
    return "\n".join(lines)


def aims(found: Sequence[Row]) -> list[tuple[bool, str]]:
    """What was aimed at: whether it is met, and a sentence. Empty without our encoder."""
    told = []
    for row in (one for one in found if one.who == "ours"):
        like = ("libopus 0", row.kbps_asked, row.mode)
        other = next((one for one in found if (one.who, one.kbps_asked, one.mode) == like), None)
        # Only of the same bytes is better or worse a matter of the encoder.
        same_bytes = other is not None and row.coded_bytes <= 1.02 * other.coded_bytes
        if other and same_bytes and row.pesq is not None and other.pesq is not None:
            text = f"{row.name}: PESQ {row.pesq:.2f}, libopus at complexity 0 {other.pesq:.2f}"
            told.append((row.pesq >= other.pesq - PESQ_LESS, f"{text} (aim: {PESQ_LESS:.2f} less at most)"))
        if row.kbps_asked == WORDS_KBPS and row.words_more is not None:
            text = f"{row.name}: {_points(row.words_more)} points of words more wrong than in raw PCM"
            told.append((row.words_more.more <= WORDS_POINTS, f"{text} (aim: {WORDS_POINTS:.0f} at most)"))
    return told


def as_json(found: Sequence[Row], clips: Sequence[Clip], versions: Mapping[str, str]) -> dict[str, Any]:
    """Everything that the table says, and what it was made of."""
    return {
        "clips": [{"speaker": c.speaker, "name": c.name, "text": c.text, "seconds": c.seconds} for c in clips],
        "versions": dict(versions),
        "rows": [asdict(row) for row in found],
        "aims": [{"met": met, "text": text} for met, text in aims(found)],
    }


def _wrong_percent(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> float | None:
    count = sum(len(said) for said, _ in pairs)
    return 100 * sum(word_errors(said, heard) for said, heard in pairs) / count if count else None


def _more(
    said: Sequence[Sequence[str] | None], raw: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]
) -> Points | None:
    triples = zip(said, raw, heard, strict=False)
    told = [(text, before, after) for text, before, after in triples if text is not None]
    changes = [word_errors(text, after) - word_errors(text, before) for text, before, after in told]
    count = sum(len(text) for text, _, _ in told)
    if not count:
        return None
    return Points(100 * sum(changes) / count, 100 * math.sqrt(sum(one * one for one in changes)) / count)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _told(value: float | None, digits: int, unit: str = "") -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"


def _points(value: Points | None) -> str:
    return "-" if value is None else f"{value.more:+.1f} ± {value.spread:.1f}"


def _line(cells: Sequence[str]) -> str:
    return cells[0].ljust(_WIDTHS[0]) + "".join(
        cell.rjust(width) for cell, width in zip(cells[1:], _WIDTHS[1:], strict=True)
    )
