"""Just enough SVG to draw boxes, arrows and lanes that read well on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

INK = "#1f2a37"
SOFT = "#6b7280"
PAPER = "#ffffff"
ACCENT = "#b45309"
CALM = "#0f766e"
COOL = "#1d4ed8"
FONT = "font-family='system-ui, sans-serif'"


class Drawing:
    """A picture of `width` x `height` px on white paper."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int = 13,
        colour: str = INK,
        anchor: str = "start",
        bold: bool = False,
    ) -> None:
        weight = " font-weight='600'" if bold else ""
        self._parts.append(
            f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' text-anchor='{anchor}'"
            f"{weight} {FONT}>{escape(words)}</text>"
        )

    def box(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        *,
        fill: str = PAPER,
        stroke: str = INK,
        radius: float = 8,
    ) -> None:
        self._parts.append(
            f"<rect x='{x:.1f}' y='{y:.1f}' width='{w:.1f}' height='{h:.1f}' rx='{radius}' fill='{fill}' "
            f"stroke='{stroke}' stroke-width='1.4'/>"
        )

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        colour: str = INK,
        width: float = 1.4,
        arrow: bool = False,
        dashed: bool = False,
    ) -> None:
        extra = " marker-end='url(#tip)'" if arrow else ""
        extra += " stroke-dasharray='4 4'" if dashed else ""
        self._parts.append(
            f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
            f"stroke-width='{width}'{extra}/>"
        )

    def dot(self, x: float, y: float, colour: str) -> None:
        self._parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4.5' fill='{colour}'/>")

    def wire(self, points: Sequence[tuple[float, float]], *, colour: str, width: float = 2.6) -> None:
        """A line through `points` with round corners, a thin rim of paper around it where it crosses others."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        for stroke, across in ((PAPER, width + 3), (colour, width)):
            self._parts.append(
                f"<polyline points='{path}' fill='none' stroke='{stroke}' stroke-width='{across}' "
                "stroke-linejoin='round' stroke-linecap='round'/>"
            )

    def ring(self, x: float, y: float, radius: float, colour: str) -> None:
        """A plated hole."""
        self._parts.append(
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{PAPER}' stroke='{colour}' stroke-width='2.6'/>"
        )

    def disc(self, x: float, y: float, radius: float, fill: str) -> None:
        """A filled circle with a rim of ink."""
        self._parts.append(
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{fill}' stroke='{INK}' stroke-width='1.6'/>"
        )

    def shape(self, points: Sequence[tuple[float, float]], *, fill: str) -> None:
        """A filled polygon."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f"<polygon points='{path}' fill='{fill}'/>")

    def source(self) -> str:
        """The SVG file's text."""
        width, height = self._size
        tip = (
            "<defs><marker id='tip' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' markerHeight='7' "
            f"orient='auto-start-reverse'><path d='M0 0 L10 5 L0 10 z' fill='{INK}'/></marker></defs>"
        )
        size = f"width='{width}' height='{height}'"
        head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' {size}>"
        paper = f"<rect width='{width}' height='{height}' fill='{PAPER}'/>"
        return "\n".join([head, tip, paper, *self._parts, "</svg>", ""])
