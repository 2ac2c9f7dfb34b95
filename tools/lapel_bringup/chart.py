"""Plots as inline SVG: histogram, lines, bars. Colours come from the page, so that it can be light or dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 18, 16, 42
_HEIGHT = 260
WIDTH = 860
_TICKS = 6


@dataclass
class Axes:
    """A plot area of WIDTH x 260 px from (x0, y0) to (x1, y1) in the units of the data; `log_x` for decades."""

    x0: float
    x1: float
    y0: float
    y1: float
    x_title: str
    y_title: str
    log_x: bool = False
    _parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.x1 <= self.x0:
            self.x1 = self.x0 + 1
        if self.y1 <= self.y0:
            self.y1 = self.y0 + 1

    def x(self, value: float) -> float:
        """Pixels from the left."""
        if self.log_x:
            share = math.log(max(value, self.x0) / self.x0) / math.log(self.x1 / self.x0)
        else:
            share = (value - self.x0) / (self.x1 - self.x0)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        share = min(1.0, max(0.0, (value - self.y0) / (self.y1 - self.y0)))
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)

    def bar(self, left: float, right: float, top: float, *, kind: str = "bar", note: str = "") -> None:
        """From the floor to `top`."""
        x, y = self.x(left), self.y(top)
        width = max(1.0, self.x(right) - x - 1)
        height = max(0.0, self.y(self.y0) - y)
        title = f"<title>{escape(note)}</title>" if note else ""
        self._parts.append(
            f"<rect class='{kind}' x='{x:.1f}' y='{y:.1f}' width='{width:.1f}' height='{height:.1f}' rx='1'>"
            f"{title}</rect>"
        )

    def curve(self, points: Sequence[tuple[float, float]], *, kind: str = "curve") -> None:
        """A line through the points."""
        if points:
            path = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in points)
            self._parts.append(f"<polyline class='{kind}' points='{path}'/>")

    def mark(self, at: float, words: str, *, row: int = 0) -> None:
        """A vertical line with a few words at its top."""
        x = self.x(at)
        anchor = "end" if x > WIDTH - 200 else "start"
        dx = -5 if anchor == "end" else 5
        self._parts.append(
            f"<line class='mark' x1='{x:.1f}' x2='{x:.1f}' y1='{_TOP}' y2='{_HEIGHT - _BOTTOM}'/>"
            f"<text class='label' x='{x + dx:.1f}' y='{_TOP + 11 + 15 * row}' text-anchor='{anchor}'>"
            f"{escape(words)}</text>"
        )

    def dot(self, x: float, y: float, words: str = "") -> None:
        """A point, with words over it."""
        self._parts.append(f"<circle class='dot' cx='{self.x(x):.1f}' cy='{self.y(y):.1f}' r='3.5'/>")
        if words:
            self._parts.append(
                f"<text class='label' x='{self.x(x):.1f}' y='{self.y(y) - 8:.1f}' text-anchor='middle'>"
                f"{escape(words)}</text>"
            )

    def svg(self, label: str, x_names: Sequence[tuple[float, str]] = ()) -> str:
        """The whole plot; `x_names` in place of numbers below."""
        lines = [f"<svg viewBox='0 0 {WIDTH} {_HEIGHT}' role='img' aria-label='{escape(label, {chr(39): '&#39;'})}'>"]
        for value in ticks(self.y0, self.y1):
            y = self.y(value)
            lines.append(f"<line class='grid' x1='{_LEFT}' x2='{WIDTH - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}'/>")
            lines.append(f"<text class='tick' x='{_LEFT - 7}' y='{y + 4:.1f}' text-anchor='end'>{_short(value)}</text>")
        below = list(x_names) or [(value, _short(value)) for value in self._x_ticks()]
        for value, words in below:
            lines.append(
                f"<text class='tick' x='{self.x(value):.1f}' y='{_HEIGHT - _BOTTOM + 17}' text-anchor='middle'>"
                f"{escape(words)}</text>"
            )
        floor = _HEIGHT - _BOTTOM
        lines.append(f"<line class='axis' x1='{_LEFT}' x2='{WIDTH - _RIGHT}' y1='{floor}' y2='{floor}'/>")
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        lines.append(
            f"<text class='title' x='{middle:.0f}' y='{_HEIGHT - 6}' text-anchor='middle'>{escape(self.x_title)}</text>"
        )
        y = (_TOP + floor) / 2
        lines.append(
            f"<text class='title' transform='translate(13 {y:.0f}) rotate(-90)' text-anchor='middle'>"
            f"{escape(self.y_title)}</text>"
        )
        return "".join([*lines, *self._parts, "</svg>"])

    def _x_ticks(self) -> list[float]:
        if not self.log_x:
            return ticks(self.x0, self.x1)
        found = []
        decade = 10.0 ** math.floor(math.log10(self.x0))
        while decade <= self.x1:
            found += [decade * step for step in (1, 2, 5) if self.x0 <= decade * step <= self.x1]
            decade *= 10
        return found


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two, about six."""
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [round((first + i) * step, 10) for i in range(max(0, count))]


def histogram(values: Sequence[float], *, x_title: str, y_title: str, label: str, bins: int = 40) -> str:
    """How often each value came; its median and 95th percentile are marked."""
    if not values:
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or max(1.0, abs(high) * 0.1)
    low, high = max(0.0, low - spread * 0.05), high + spread * 0.05
    width = (high - low) / bins
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    axes = Axes(low, high, 0, max(counts) * 1.18, x_title, y_title)
    for i, count in enumerate(counts):
        if count:
            note = f"{_short(low + i * width)} to {_short(low + (i + 1) * width)}: {count}"
            axes.bar(low + i * width, low + (i + 1) * width, count, note=note)
    ordered = sorted(values)
    axes.mark(ordered[len(ordered) // 2], f"median {_short(ordered[len(ordered) // 2])}")
    late = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    axes.mark(late, f"95 % within {_short(late)}", row=1)
    return axes.svg(label)


def columns(named: Sequence[tuple[str, float]], *, y_title: str, label: str, floor: float = 0.0) -> str:
    """One column a name, its value above it."""
    if not named:
        return ""
    top = max(value for _, value in named)
    axes = Axes(0, len(named), floor, floor + max(1e-9, top - floor) * 1.2, "", y_title)
    for i, (_, value) in enumerate(named):
        axes.bar(i + 0.15, i + 0.85, value)
        axes._parts.append(
            f"<text class='label' x='{axes.x(i + 0.5):.1f}' y='{axes.y(value) - 5:.1f}' text-anchor='middle'>"
            f"{_short(value)}</text>"
        )
    return axes.svg(label, [(i + 0.5, name) for i, (name, _) in enumerate(named)])


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
