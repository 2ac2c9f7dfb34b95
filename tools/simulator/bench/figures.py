"""Figures: many samples of one thing, told as median and 95th percentile beside their bar."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Samples of one quantity. `bars` are upper limits of (median, p95), None for none."""

    name: str
    unit: str
    samples: Sequence[float]
    bars: tuple[float | None, float | None] = (None, None)

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        """The smallest sample that 95 % do not exceed."""
        ranked = sorted(self.samples)
        return ranked[max(0, math.ceil(0.95 * len(ranked)) - 1)]

    @property
    def holds(self) -> bool:
        """Whether it keeps its bars; no sample keeps none."""
        if not self.samples:
            return False
        limits = zip((self.median, self.p95), self.bars, strict=True)
        return all(limit is None or value <= limit for value, limit in limits)


def table(title: str, figures: Sequence[Figure]) -> str:
    """Lines for a terminal."""
    lines = [title, f"  {'':<52}{'median':>10}{'p95':>10}  {'n':>3}  bar"]
    for figure in figures:
        if not figure.samples:
            lines.append(f"  {figure.name:<52}{'not seen':>20}")
            continue
        values = (figure.median, figure.p95)
        shown = [f"{value:,.1f}" if value < 1000 else f"{value:,.0f}" for value in values]
        lines.append(
            f"  {figure.name:<52}{shown[0]:>10}{shown[1]:>10}  {len(figure.samples):>3}  {_bar(figure)}"
        )
    return "\n".join(lines)


def _bar(figure: Figure) -> str:
    median, p95 = figure.bars
    if median is None and p95 is None:
        return figure.unit
    wanted = " / ".join("-" if limit is None else f"{limit:g}" for limit in (median, p95))
    return f"<= {wanted} {figure.unit}: {'holds' if figure.holds else 'MISSED'}"
